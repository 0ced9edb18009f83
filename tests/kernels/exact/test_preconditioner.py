"""The preconditioner against the matrix that it approximates."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest
from kernels.problems import ARCHITECTURE, blends, inputs_of
from numpy.typing import NDArray

from ntk_mnist.kernels.exact import image_tiles
from ntk_mnist.kernels.exact.device_tiles import DeviceTiles
from ntk_mnist.kernels.exact.host_tiles import HostTiles
from ntk_mnist.kernels.exact.image_tiles import TileKernel
from ntk_mnist.kernels.exact.preconditioner import MakeTiles, Preconditioner
from ntk_mnist.kernels.exact.recomputed_gram import RecomputedGram
from ntk_mnist.kernels.gram import diagonal, gram
from ntk_mnist.kernels.solution import Matrix

pytestmark = pytest.mark.slow

PROBLEM = blends(500)
INPUTS = partial(inputs_of, PROBLEM)
KERNEL = TileKernel(ARCHITECTURE, "nngp", INPUTS)
PIVOTS, TILE = 128, 96


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def ignore(*numbers: int) -> None:
    """Show no progress."""


def unfactorized(jitter: float = 0.0, tiles: MakeTiles = HostTiles) -> Preconditioner:
    images, kind = PROBLEM.train_images, "nngp"
    mean = float(diagonal(ARCHITECTURE, images, (kind,), INPUTS)[kind].mean())
    gram = RecomputedGram(KERNEL, images, TILE, mean, 1e-3)
    return Preconditioner(gram, PIVOTS, TILE, jitter, tiles)


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    x = inputs_of(PROBLEM, PROBLEM.train_images)
    k = gram(ARCHITECTURE, x, None, ("nngp",), lambda x: x)["nngp"]
    return k + 1e-3 * np.mean(np.diagonal(k)) * np.eye(len(k))


@pytest.mark.parametrize("tiles", [HostTiles, DeviceTiles])
def test_products_solves_and_determinant_are_those_of_the_matrix(
    matrix: Matrix, tiles: MakeTiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_tiles, "on_host", lambda: tiles is HostTiles)
    ours = unfactorized(tiles=tiles)
    vectors = np.random.default_rng(0).normal(size=(len(matrix), 3))
    ours.fill({}, ignore)
    np.testing.assert_allclose(ours.product(vectors), matrix @ vectors, rtol=1e-5, atol=1e-4)
    ours.factorize({}, ignore)
    solved = np.linalg.solve(matrix, vectors)
    scale = np.abs(solved).max()
    np.testing.assert_allclose(ours.solve(vectors), solved, atol=1e-3 * scale)
    half = ours.solve_half(vectors)
    np.testing.assert_allclose(ours.solve_half_transposed(half), solved, atol=1e-3 * scale)
    np.testing.assert_allclose((half**2).sum(axis=0), (vectors * solved).sum(axis=0), rtol=1e-3)
    assert ours.log_determinant() == pytest.approx(np.linalg.slogdet(matrix)[1], rel=1e-4)


def test_points_get_their_products_and_explained_variances(matrix: Matrix) -> None:
    ours = unfactorized()
    ours.fill({}, ignore)
    ours.factorize({}, ignore)
    z = PROBLEM.test_images[:48]
    coefficients = np.random.default_rng(0).normal(size=(len(matrix), 2))
    products, squares = ours.at_points(z, coefficients, ignore)
    k = gram(
        *(ARCHITECTURE, z, PROBLEM.train_images, ("nngp",)),
        partial(inputs_of, PROBLEM),
    )["nngp"]
    np.testing.assert_allclose(products, k @ coefficients, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(squares, (k * np.linalg.solve(matrix, k.T).T).sum(axis=1), rtol=1e-4)


def test_stored_columns_are_read_and_not_factorized_again(matrix: Matrix) -> None:
    stored: dict[str, NDArray[Any]] = {}
    first = unfactorized()
    first.fill(stored, ignore)
    first.factorize(stored, ignore)
    assert len(stored) == first.count * (first.count + 1) // 2
    products: list[int] = []
    second = unfactorized()
    second.fill(stored, ignore)
    second.factorize(stored, lambda done, total: products.append(done))
    assert products == []
    vectors = np.random.default_rng(0).normal(size=(len(matrix), 3))
    np.testing.assert_array_equal(second.solve(vectors), first.solve(vectors))


def test_columns_of_another_jitter_are_not_read() -> None:
    stored: dict[str, NDArray[Any]] = {}
    first = unfactorized()
    first.fill(stored, ignore)
    first.factorize(stored, ignore)
    other = unfactorized(jitter=1e-3)
    other.fill(stored, ignore)
    other.factorize(stored, ignore)
    assert other.log_determinant() > first.log_determinant() + 1
