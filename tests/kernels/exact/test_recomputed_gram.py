"""Products with a matrix that is never stored, against the stored one."""

from typing import Any

import jax
import numpy as np
import pytest
from kernels.problems import ARCHITECTURE

from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.exact.recomputed_gram import RecomputedGram, tile_kernel
from ntk_mnist.kernels.gram import gram

pytestmark = pytest.mark.slow


def inputs(images: Any) -> Any:
    return images.astype(np.float64) / 16


@pytest.mark.parametrize("tile", [80, 192, 256])
def test_products_and_diagonal_are_those_of_the_matrix(digits: Dataset, tile: int) -> None:
    x, z = digits.train_images, digits.test_images
    vectors = np.random.default_rng(0).normal(size=(len(x), 3))
    finished: list[tuple[int, int]] = []
    with jax.enable_x64(True):
        ours = RecomputedGram(tile_kernel(ARCHITECTURE, "ntk", inputs), x, 1e-3, tile)
        products = ours.times(vectors, lambda done, total: finished.append((done, total)))
        own = ours.diagonal(z)
    k = gram(ARCHITECTURE, x, None, ("ntk",), inputs)["ntk"]
    mean = np.mean(np.diagonal(k))
    assert ours.mean_diagonal == pytest.approx(mean, rel=1e-13)
    assert ours.ridge == pytest.approx(1e-3 * mean, rel=1e-13)
    np.testing.assert_allclose(products, k @ vectors, rtol=1e-10)
    expected = np.diagonal(gram(ARCHITECTURE, z, None, ("ntk",), inputs)["ntk"])
    np.testing.assert_allclose(own, expected, rtol=1e-13)
    assert finished == [(i + 1, finished[-1][1]) for i in range(finished[-1][1])]
