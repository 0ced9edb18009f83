"""Cholesky factorization of a matrix too large for LAPACK, in float32, in place, tile by tile.

Of a symmetric positive definite A only the square tiles on and below the diagonal are stored.
Column j of the tiles is overwritten by that of the lower triangular L with A = L Lᵀ:

    C_ij = A_ij − Σ_{k<j} L_ik L_jkᵀ,    L_jj = chol(C_jj),    L_ij = C_ij L_jj⁻ᵀ.

This is the left-looking order (Golub & Van Loan, Matrix Computations, 4.2.8): a finished column
never changes again. On the diagonal L_jj⁻¹ is stored instead of L_jj, so that all the work,
including the solves, is in matrix products, which run fastest.

Vectors are split into parts, one for each row of tiles, each of shape (k, tile). They are rows,
because XLA multiplies a tile from the left without transposing it, and faster.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

__all__ = [
    "NotPositiveDefinite",
    "Parts",
    "Tiles",
    "factorize_column",
    "log_determinant",
    "multiply",
    "solve_lower",
    "solve_upper",
]

#: ``tiles[i][j]`` for j ≤ i: float32, all square and of one size.
Tiles: TypeAlias = list[list[jax.Array]]
#: Vectors: ``parts[i]`` has shape (k, tile) and belongs to row i of the tiles.
Parts: TypeAlias = list[jax.Array]


class NotPositiveDefinite(Exception):
    """The matrix has no Cholesky factor in the precision in use."""


def factorize_column(tiles: Tiles, j: int, done: Callable[[int], object]) -> None:
    """Overwrite column ``j`` of A by that of L; the columns before it are already those of L.

    Args:
        tiles: of L before column ``j``, of A from there on.
        j: index of the column of tiles.
        done: called with the number of tile products finished since its last call.

    Raises:
        NotPositiveDefinite: a pivot is not positive.
    """
    for i in range(j, len(tiles)):
        for k in range(j):
            tiles[i][j] = _subtract_product(tiles[i][j], tiles[i][k], tiles[j][k])
        if i == j:
            tiles[j][j] = _inverse_factor(tiles[j][j])
            if not np.isfinite(np.asarray(tiles[j][j][-1])).all():
                raise NotPositiveDefinite
        else:
            tiles[i][j] = _product_transposed(tiles[i][j], tiles[j][j])
        # Wait for each product before the next is started, because each started one holds memory.
        tiles[i][j].block_until_ready()
        done(j + 1)


def log_determinant(factor: Tiles) -> float:
    """log det A from its factor L, summed in float64."""
    inverse = [np.asarray(jnp.diagonal(row[-1]), np.float64) for row in factor]
    return float(-2 * sum(np.log(diagonal).sum() for diagonal in inverse))


def multiply(tiles: Tiles, parts: Parts) -> Parts:
    """A times vectors."""
    sums = [jnp.zeros_like(part) for part in parts]
    for i, row in enumerate(tiles):
        for j, tile in enumerate(row[:-1]):
            sums[i] = _plus_product_transposed(sums[i], parts[j], tile)
            sums[j] = _plus_product(sums[j], parts[i], tile)
        sums[i] = _plus_product_transposed(sums[i], parts[i], row[i])
        sums[i].block_until_ready()
    return sums


def solve_lower(
    factor: Tiles, parts: Parts, done: Callable[[int], object] = lambda _: None
) -> Parts:
    """L⁻¹ times vectors.

    Args:
        factor: L.
        parts: the vectors, which are overwritten.
        done: called with the number of tile products finished since its last call.
    """
    for j in range(len(factor)):
        parts[j] = _product_transposed(parts[j], factor[j][j])
        for i in range(j + 1, len(factor)):
            parts[i] = _subtract_product(parts[i], parts[j], factor[i][j]).block_until_ready()
        done(len(factor) - j)
    return parts


def solve_upper(factor: Tiles, parts: Parts) -> Parts:
    """L⁻ᵀ times vectors, which are overwritten."""
    for j in reversed(range(len(factor))):
        for i in range(j + 1, len(factor)):
            parts[j] = _minus_product(parts[j], parts[i], factor[i][j])
        parts[j] = _product(parts[j], factor[j][j])
        parts[j].block_until_ready()
    return parts


@partial(jax.jit, donate_argnums=0)
def _subtract_product(c: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    return c - a @ b.T


@partial(jax.jit, donate_argnums=0)
def _inverse_factor(c: jax.Array) -> jax.Array:
    """The inverse of chol(c); NaN if there is no Cholesky factor."""
    lower = jnp.linalg.cholesky(c, symmetrize_input=False)
    identity = jnp.eye(len(c), dtype=c.dtype)
    return jax.scipy.linalg.solve_triangular(lower, identity, lower=True)


_product = jax.jit(lambda v, a: v @ a)
_product_transposed = jax.jit(lambda v, a: v @ a.T)
_plus_product = jax.jit(lambda c, v, a: c + v @ a, donate_argnums=0)
_plus_product_transposed = jax.jit(lambda c, v, a: c + v @ a.T, donate_argnums=0)
_minus_product = jax.jit(lambda c, v, a: c - v @ a, donate_argnums=0)
