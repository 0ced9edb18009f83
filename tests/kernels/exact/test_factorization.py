"""The factorization by tiles, on both kinds of device, against LAPACK."""

import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

from ntk_mnist.kernels.exact.device_tiles import DeviceTiles
from ntk_mnist.kernels.exact.factorization import Factorization, NotPositiveDefinite
from ntk_mnist.kernels.exact.host_tiles import HostTiles

TILE, COUNT = 48, 4

on_both = pytest.mark.parametrize("kind", [HostTiles, DeviceTiles])


def matrix() -> NDArray[np.float64]:
    factor = np.random.default_rng(0).normal(size=(TILE * COUNT, TILE * COUNT))
    return np.asarray(factor @ factor.T / len(factor) + np.eye(len(factor)))


def tiled(kind: type[Factorization], a: NDArray[np.float64]) -> Factorization:
    tiles = kind(COUNT, TILE)
    for i in range(COUNT):
        for j in range(i + 1):
            tile = a[i * TILE : (i + 1) * TILE, j * TILE : (j + 1) * TILE]
            tiles.put(i, j, tile.astype(np.float32))
    return tiles


def factorized(kind: type[Factorization], a: NDArray[np.float64]) -> Factorization:
    tiles = tiled(kind, a)
    for j in range(COUNT):
        tiles.factorize_column(j, lambda more: None)
    return tiles


@on_both
def test_solves_products_and_determinant_agree_with_lapack(kind: type[Factorization]) -> None:
    a = matrix()
    lower = scipy.linalg.cholesky(a, lower=True)
    v = np.random.default_rng(1).normal(size=(len(a), 3))

    def rows() -> NDArray[np.float32]:
        return np.ascontiguousarray(v.T, np.float32)

    factor = factorized(kind, a)
    np.testing.assert_allclose(tiled(kind, a).multiply(rows()).T, a @ v, rtol=0, atol=2e-5)
    forward = scipy.linalg.solve_triangular(lower, v, lower=True)
    np.testing.assert_allclose(factor.solve_lower(rows()).T, forward, rtol=0, atol=2e-5)
    backward = scipy.linalg.solve_triangular(lower.T, v)
    np.testing.assert_allclose(factor.solve_upper(rows()).T, backward, rtol=0, atol=2e-5)
    np.testing.assert_allclose(factor.diagonal(), np.diagonal(lower), rtol=1e-5)
    assert factor.log_determinant() == pytest.approx(np.linalg.slogdet(a)[1], rel=1e-6)


@on_both
def test_a_tile_that_is_stored_and_put_back_is_the_same(kind: type[Factorization]) -> None:
    factor, other = factorized(kind, matrix()), kind(COUNT, TILE)
    for i in range(COUNT):
        for j in range(i + 1):
            other.put(i, j, factor.get(i, j))
    v = np.ones((2, TILE * COUNT), np.float32)
    np.testing.assert_array_equal(other.solve_lower(v.copy()), factor.solve_lower(v.copy()))


@on_both
def test_every_product_is_counted(kind: type[Factorization]) -> None:
    counted: list[int] = []
    tiles = tiled(kind, matrix())
    for j in range(COUNT):
        tiles.factorize_column(j, counted.append)
    # For each tile of column j: j products, and one with the inverse on the diagonal.
    assert sum(counted) == sum(j + 1 for j in range(COUNT) for _ in range(j, COUNT))
    counted.clear()
    tiles.solve_lower(np.ones((1, TILE * COUNT), np.float32), counted.append)
    assert sum(counted) == COUNT * (COUNT + 1) // 2


@on_both
@pytest.mark.parametrize("where", [0, TILE * COUNT - 1])
def test_a_matrix_that_is_not_positive_definite_is_refused(
    kind: type[Factorization], where: int
) -> None:
    a = matrix()
    a[where, where] = -1
    with pytest.raises(NotPositiveDefinite):
        factorized(kind, a)


@on_both
def test_a_matrix_that_is_not_finite_is_refused(kind: type[Factorization]) -> None:
    a = matrix()
    a[-1, 0] = np.nan
    with pytest.raises(NotPositiveDefinite):
        factorized(kind, a)
