"""Gram matrices computed by tiles equal those computed whole."""

from typing import Any

import jax
import numpy as np
import pytest

from ntk_mnist.architecture import infinite
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.infinite_width.recursion import KINDS
from ntk_mnist.kernels import gram as module
from ntk_mnist.kernels.gram import diagonal, gram
from ntk_mnist.settings import Architecture

ARCHITECTURE = Architecture(activation="relu", depth=2, W_std=1.2, b_std=0.1)


@pytest.mark.parametrize(
    "tile",
    [64, pytest.param(96, marks=pytest.mark.slow), pytest.param(1024, marks=pytest.mark.slow)],
)
def test_tiles_make_the_whole_matrix(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch, tile: int
) -> None:
    monkeypatch.setattr(module, "_TILE", tile)
    x, z = digits.train_images / 16, digits.test_images / 16
    square = gram(ARCHITECTURE, x, None, KINDS, lambda x: x)
    rectangle = gram(ARCHITECTURE, z, x, KINDS, lambda x: x)
    own = diagonal(ARCHITECTURE, x, KINDS, lambda x: x)
    with jax.enable_x64(True):
        kernel_fn = infinite(ARCHITECTURE)
        for kind in KINDS:
            expected = np.asarray(kernel_fn(x, None, kind))
            np.testing.assert_allclose(square[kind], expected, rtol=1e-13)
            np.testing.assert_allclose(own[kind], np.diag(expected), rtol=1e-13)
            np.testing.assert_array_equal(square[kind], square[kind].T)
            np.testing.assert_allclose(rectangle[kind], kernel_fn(z, x, kind), rtol=1e-13)


def test_images_become_inputs_one_tile_at_a_time(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TILE", 64)
    seen: list[tuple[tuple[int, ...], Any]] = []

    def inputs(images: Any) -> Any:
        seen.append((images.shape, images.dtype))
        return digits.inputs(images, np.float64)

    x, z = digits.train_images, digits.test_images
    square = gram(ARCHITECTURE, x, None, KINDS, inputs)
    rectangle = gram(ARCHITECTURE, z, x, KINDS, inputs)
    own = diagonal(ARCHITECTURE, z, KINDS, inputs)
    assert set(seen) == {((64, 64), np.dtype(np.uint8))}
    for kind in KINDS:
        identity = gram(ARCHITECTURE, x / 16, None, KINDS, lambda x: x)[kind]
        np.testing.assert_array_equal(square[kind], identity)
        identity = gram(ARCHITECTURE, z / 16, x / 16, KINDS, lambda x: x)[kind]
        np.testing.assert_array_equal(rectangle[kind], identity)
        identity = diagonal(ARCHITECTURE, z / 16, KINDS, lambda x: x)[kind]
        np.testing.assert_array_equal(own[kind], identity)


def test_an_empty_image_gives_no_nan() -> None:
    x = np.zeros((3, 16))
    x[1:] = np.random.default_rng(0).uniform(size=(2, 16))
    matrices = gram(Architecture(), x, None, KINDS, lambda x: x)
    assert all(np.isfinite(matrix).all() for matrix in matrices.values())


def test_gram_leaves_jax_in_float32() -> None:
    gram(ARCHITECTURE, np.ones((2, 4)), None, ("nngp",), lambda x: x)
    assert jax.numpy.ones(1).dtype == np.float32
