"""Products with a matrix that is never stored, against the stored one."""

from typing import Any

import jax
import numpy as np
import pytest
from kernels.problems import ARCHITECTURE

from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.exact import image_tiles
from ntk_mnist.kernels.exact.image_tiles import TileKernel
from ntk_mnist.kernels.exact.recomputed_gram import RecomputedGram
from ntk_mnist.kernels.gram import gram

pytestmark = pytest.mark.slow


def inputs(images: Any) -> Any:
    return images.astype(np.float64) / 16


@pytest.mark.parametrize("on_host", [True, False])
@pytest.mark.parametrize("proportional", [True, False])
@pytest.mark.parametrize("tile", [80, 192, 256])
def test_products_are_those_of_the_matrix(
    digits: Dataset, tile: int, proportional: bool, on_host: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_tiles, "on_host", lambda: on_host)
    x = digits.train_images
    k = gram(ARCHITECTURE, x, None, ("ntk",), inputs)["ntk"]
    mean = float(np.mean(np.diagonal(k)))
    vectors = np.random.default_rng(0).normal(size=(len(x), 3))
    finished: list[tuple[int, int]] = []
    with jax.enable_x64(True):
        kernel = TileKernel(ARCHITECTURE, "ntk", inputs, proportional=proportional)
        ours = RecomputedGram(kernel, x, tile, mean, 1e-3)
        products = ours.times(vectors, lambda done, total: finished.append((done, total)))
    assert ours.ridge == 1e-3 * mean
    np.testing.assert_allclose(products, k @ vectors, rtol=1e-10)
    assert finished == [(i + 1, finished[-1][1]) for i in range(finished[-1][1])]
