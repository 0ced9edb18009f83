"""The factorization by tiles against LAPACK."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

from ntk_mnist.kernels.exact.tiled_cholesky import (
    NotPositiveDefinite,
    Tiles,
    factorize_column,
    log_determinant,
    multiply,
    solve_lower,
    solve_upper,
)

TILE, COUNT = 48, 4


def matrix() -> NDArray[np.float64]:
    factor = np.random.default_rng(0).normal(size=(TILE * COUNT, TILE * COUNT))
    return np.asarray(factor @ factor.T / len(factor) + np.eye(len(factor)))


def tiled(a: NDArray[np.float64]) -> Tiles:
    return [
        [
            jnp.array(a[i * TILE : (i + 1) * TILE, j * TILE : (j + 1) * TILE], jnp.float32)
            for j in range(i + 1)
        ]
        for i in range(COUNT)
    ]


def factorized(a: NDArray[np.float64]) -> Tiles:
    tiles = tiled(a)
    for j in range(COUNT):
        factorize_column(tiles, j, lambda more: None)
    return tiles


def test_solves_products_and_determinant_agree_with_lapack() -> None:
    a = matrix()
    lower = scipy.linalg.cholesky(a, lower=True)
    v = np.random.default_rng(1).normal(size=(len(a), 3))

    def parts() -> list[jnp.ndarray]:
        return [jnp.array(part.T, jnp.float32) for part in np.split(v, COUNT)]

    factor = factorized(a)
    np.testing.assert_allclose(
        np.concatenate(multiply(tiled(a), parts()), axis=1).T, a @ v, rtol=0, atol=2e-5
    )
    forward = scipy.linalg.solve_triangular(lower, v, lower=True)
    np.testing.assert_allclose(
        np.concatenate(solve_lower(factor, parts()), axis=1).T, forward, rtol=0, atol=2e-5
    )
    backward = scipy.linalg.solve_triangular(lower.T, v)
    np.testing.assert_allclose(
        np.concatenate(solve_upper(factor, parts()), axis=1).T, backward, rtol=0, atol=2e-5
    )
    assert log_determinant(factor) == pytest.approx(np.linalg.slogdet(a)[1], rel=1e-6)


def test_every_product_is_counted() -> None:
    counted: list[int] = []
    tiles = tiled(matrix())
    for j in range(COUNT):
        factorize_column(tiles, j, counted.append)
    # For each tile of column j: j products, and one with the inverse on the diagonal.
    assert sum(counted) == sum(j + 1 for j in range(COUNT) for _ in range(j, COUNT))


@pytest.mark.parametrize("where", [0, TILE * COUNT - 1])
def test_a_matrix_that_is_not_positive_definite_is_refused(where: int) -> None:
    a = matrix()
    a[where, where] = -1
    with pytest.raises(NotPositiveDefinite):
        factorized(a)
