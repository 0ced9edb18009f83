"""Gram matrices by tiles equal those computed whole."""

import jax
import numpy as np
import pytest

from ntk_mnist import kernel
from ntk_mnist.architecture import Architecture, infinite
from ntk_mnist.datasets import Dataset
from ntk_mnist.kernel import KINDS, gram

ARCHITECTURE = Architecture(depth=2, activation="relu", W_std=1.2, b_std=0.1)


@pytest.mark.parametrize("tile", [64, 96, 1024])
def test_tiles_make_the_whole_matrix(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch, tile: int
) -> None:
    monkeypatch.setattr(kernel, "_TILE", tile)
    x, z = digits.train_images / 16, digits.test_images / 16
    square, rectangle = gram(ARCHITECTURE, x, None, KINDS), gram(ARCHITECTURE, z, x, KINDS)
    with jax.enable_x64(True):
        kernel_fn = infinite(ARCHITECTURE)
        for kind in KINDS:
            off = ~np.eye(len(x), dtype=bool)
            expected = np.asarray(kernel_fn(x, None, kind))
            np.testing.assert_allclose(square[kind][off], expected[off], rtol=1e-12)
            # On the diagonal, the angle between equal images is known to √ε only.
            np.testing.assert_allclose(np.diag(square[kind]), np.diag(expected), rtol=1e-7)
            np.testing.assert_array_equal(square[kind], square[kind].T)
            np.testing.assert_allclose(rectangle[kind], kernel_fn(z, x, kind), rtol=1e-12)


def test_an_empty_image_gives_no_nan() -> None:
    x = np.zeros((3, 16))
    x[1:] = np.random.default_rng(0).uniform(size=(2, 16))
    matrices = gram(Architecture(2, "relu", 1.0, 0.0), x, None, KINDS)
    assert all(np.isfinite(matrix).all() for matrix in matrices.values())


def test_gram_leaves_jax_in_float32() -> None:
    gram(ARCHITECTURE, np.ones((2, 4)), None, ("nngp",))
    assert jax.numpy.ones(1).dtype == np.float32
