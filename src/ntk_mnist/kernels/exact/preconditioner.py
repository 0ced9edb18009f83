"""M ≈ K in half the memory and twice the speed of float64, without its loss of accuracy.

The first r training images are pivots. With K₁₁ = L₁ L₁ᵀ and A = K₂₁ L₁⁻ᵀ in float64,

    K = [L₁ 0; A I] [I 0; 0 S] [L₁ 0; A I]ᵀ,    S = K₂₂ − A Aᵀ.

Only the Schur complement S is rounded to float32 and factorized (``tiled_cholesky``), S = L Lᵀ:
M = G Gᵀ with G = [L₁ 0; A L]. The kernel matrix of images is nearly of low rank: all its entries
are about as large as its diagonal. The entries of S off the diagonal are hundreds of times smaller,
and so are the errors of rounding them. Without the pivots, these errors reach K's smallest
eigenvalues.

Vectors are float64, of shape (n, k).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ntk_mnist.kernels.exact.recomputed_gram import Done, RecomputedGram
from ntk_mnist.kernels.exact.tiled_cholesky import (
    NotPositiveDefinite,
    Parts,
    Tiles,
    factorize_column,
    log_determinant,
    multiply,
    solve_lower,
    solve_upper,
)
from ntk_mnist.kernels.gram import whole_tile
from ntk_mnist.kernels.solution import Arrays, Matrix

__all__ = ["Preconditioner"]


class Preconditioner:
    """The pivots and S of a Gram matrix; after ``factorize``, its approximate inverse.

    Args:
        gram: K.
        pivots: r, a multiple of ``gram.STRIPS``.
        tile: rows of a tile of S, also a multiple of it.
        jitter: added to the diagonal of K here, in units of its mean.

    Raises:
        NotPositiveDefinite: K₁₁ has no Cholesky factor in float64.
    """

    def __init__(self, gram: RecomputedGram, pivots: int, tile: int, jitter: float) -> None:
        self._gram, self._pivots, self.tile, self.jitter = gram, pivots, tile, jitter
        self._ridge = gram.ridge + jitter * gram.mean_diagonal
        self._rest = len(gram.images) - pivots
        self.count = -(-self._rest // tile)
        self._kernel = gram.kernel
        first = gram.images[:pivots]
        k11 = np.asarray(self._kernel(first, first)) + self._ridge * np.eye(pivots)
        try:
            self._first = scipy.linalg.cholesky(k11, lower=True)
        except scipy.linalg.LinAlgError:
            raise NotPositiveDefinite from None
        blocks = [
            self._first_solve(np.asarray(self._kernel(first, self._images(i)))).T
            for i in range(self.count)
        ]
        self._coupling = np.concatenate(blocks)[: self._rest]
        self._tiles: Tiles = []

    def fill(self, checkpoint: Arrays, done: Done) -> None:
        """Compute the tiles of S; columns of L that are in ``checkpoint`` are read from there."""
        total, finished = self.count * (self.count + 1) // 2, 0
        columns = self._columns_in(checkpoint)
        for i in range(self.count):
            self._tiles.append([])
            for j in range(i + 1):
                if j < columns:
                    tile = jnp.array(checkpoint[self._name(i, j)])
                else:
                    tile = _schur_tile(
                        self._kernel(self._images(i), self._images(j)),
                        *(self._block(i), self._block(j)),
                        *(self._valid(i), self._valid(j), float(i == j), self._ridge),
                    )
                self._tiles[i].append(tile.block_until_ready())
                finished += 1
                done(finished, total)

    def factorize(self, checkpoint: Arrays, done: Done) -> None:
        """Overwrite S by L; each finished column is stored in ``checkpoint``.

        Raises:
            NotPositiveDefinite: S has no factor in float32; S is then lost.
        """
        start = self._columns_in(checkpoint)
        products = sum((j + 1) * (self.count - j) for j in range(start, self.count))
        finished = 0

        def count(more: int) -> None:
            nonlocal finished
            finished += more
            done(finished, products)

        for j in range(start, self.count):
            factorize_column(self._tiles, j, count)
            for i in range(j, self.count):
                checkpoint[self._name(i, j)] = np.asarray(self._tiles[i][j])

    def product(self, vectors: Matrix) -> Matrix:
        """M times vectors, before ``factorize``."""
        first, rest = vectors[: self._pivots], vectors[self._pivots :]
        inner = self._first.T @ first + self._coupling.T @ rest
        schur = self._joined(multiply(self._tiles, self._split(rest)))
        return np.concatenate([self._first @ inner, self._coupling @ inner + schur])

    def solve(self, vectors: Matrix) -> Matrix:
        """M⁻¹ times vectors, after ``factorize``."""
        return self.solve_half_transposed(self.solve_half(vectors))

    def solve_half(self, vectors: Matrix) -> Matrix:
        """G⁻¹ times vectors, after ``factorize``."""
        first = self._first_solve(vectors[: self._pivots])
        rest = vectors[self._pivots :] - self._coupling @ first
        return np.concatenate([first, self._joined(solve_lower(self._tiles, self._split(rest)))])

    def solve_half_transposed(self, vectors: Matrix) -> Matrix:
        """G⁻ᵀ times vectors, after ``factorize``."""
        rest = self._joined(solve_upper(self._tiles, self._split(vectors[self._pivots :])))
        first = vectors[: self._pivots] - self._coupling.T @ rest
        return np.concatenate([scipy.linalg.solve_triangular(self._first.T, first), rest])

    def log_determinant(self) -> float:
        """log det M, after ``factorize``."""
        return float(2 * np.log(np.diagonal(self._first)).sum()) + log_determinant(self._tiles)

    def at_points(
        self, points: NDArray[Any], coefficients: Matrix, done: Callable[[int], object]
    ) -> tuple[Matrix, Matrix]:
        """What m points need of their kernel with the training images, in one pass.

        Args:
            points: images z, a tile of them, shape (m, pixels).
            coefficients: c, shape (n, p).
            done: called with the number of tile products finished since its last call.

        Returns:
            Θ(z, X) c, shape (m, p), and Θ(z, X) M⁻¹ Θ(X, z) for each point, shape (m,).
        """
        with_first = np.asarray(self._kernel(self._gram.images[: self._pivots], points))
        half = self._first_solve(with_first)
        products = with_first.T @ coefficients[: self._pivots]
        points_there, half_there = jnp.array(points), jnp.array(half.T)
        rest = np.pad(
            coefficients[self._pivots :], ((0, self.count * self.tile - self._rest), (0, 0))
        )
        parts: Parts = []
        for i in range(self.count):
            block = slice(i * self.tile, (i + 1) * self.tile)
            part, product = _point_tile(
                self._kernel(points_there, self._images(i)),
                *(half_there, self._block(i), rest[block], self._valid(i)),
            )
            parts.append(part.block_until_ready())
            products += np.asarray(product)
        squares = (half**2).sum(axis=0)
        for part in solve_lower(self._tiles, parts, done):
            squares += np.asarray(_squares(part))
        return products, squares

    def _first_solve(self, vectors: Matrix) -> Matrix:
        return np.asarray(scipy.linalg.solve_triangular(self._first, vectors, lower=True))

    def _images(self, i: int) -> NDArray[Any]:
        start = self._pivots + i * self.tile
        return whole_tile(self._gram.images[start : start + self.tile], self.tile)

    def _valid(self, i: int) -> int:
        """Rows of block i that are images, not padding."""
        return min(self.tile, self._rest - i * self.tile)

    def _block(self, i: int) -> Matrix:
        """A of block i, zero in the padding."""
        block = self._coupling[i * self.tile : (i + 1) * self.tile]
        return np.pad(block, ((0, self.tile - len(block)), (0, 0)))

    def _split(self, vectors: Matrix) -> Parts:
        whole = np.pad(vectors, ((0, self.count * self.tile - self._rest), (0, 0)))
        return [jnp.array(part.T, jnp.float32) for part in np.split(whole, self.count)]

    def _joined(self, parts: Parts) -> Matrix:
        return np.concatenate(parts, axis=1).astype(np.float64).T[: self._rest]

    def _columns_in(self, checkpoint: Arrays) -> int:
        """How many columns of L, from the first on, are stored."""
        columns = 0
        while columns < self.count and all(
            self._name(i, columns) in checkpoint for i in range(columns, self.count)
        ):
            columns += 1
        return columns

    def _name(self, i: int, j: int) -> str:
        return f"jitter={self.jitter:g},tile={i},{j}"


@jax.jit
def _schur_tile(
    k: jax.Array,
    a: jax.Array,
    b: jax.Array,
    rows: jax.Array,
    columns: jax.Array,
    on_diagonal: jax.Array,
    ridge: jax.Array,
) -> jax.Array:
    """A tile of S; beyond its ``rows`` and ``columns`` it continues as the identity."""
    index = jnp.arange(len(k))
    identity = on_diagonal * jnp.eye(len(k))
    schur = k + ridge * identity - a @ b.T
    inside = (index < rows)[:, None] & (index < columns)
    return jnp.where(inside, schur, identity).astype(jnp.float32)


@jax.jit
def _point_tile(
    k: jax.Array,
    half: jax.Array,
    a: jax.Array,
    coefficients: jax.Array,
    images: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """For all points and the first ``images`` columns: K_z2 − K_z1 L₁⁻ᵀ Aᵀ, and K_z2 c."""
    inside = jnp.arange(k.shape[1]) < images
    return jnp.where(inside, k - half @ a.T, 0).astype(jnp.float32), k @ coefficients


@jax.jit
def _squares(part: jax.Array) -> jax.Array:
    return (part.astype(jnp.float64) ** 2).sum(axis=1)
