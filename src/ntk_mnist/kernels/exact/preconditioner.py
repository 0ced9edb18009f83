"""M ≈ K in half the memory and twice the speed of float64, without its loss of accuracy.

The first r training images are pivots. With K₁₁ = L₁ L₁ᵀ and A = K₂₁ L₁⁻ᵀ in float64,

    K = [L₁ 0; A I] [I 0; 0 S] [L₁ 0; A I]ᵀ,    S = K₂₂ − A Aᵀ.

Only the Schur complement S is rounded to float32 and factorized (``factorization``), S = L Lᵀ:
M = G Gᵀ with G = [L₁ 0; A L]. The kernel matrix of images is nearly of low rank: all its entries
are about as large as its diagonal. The entries of S off the diagonal are hundreds of times smaller,
and so are the errors of rounding them. Without the pivots, these errors reach K's smallest
eigenvalues.

Vectors are float64, of shape (n, k).
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ntk_mnist.kernels.exact.factorization import Factorization, NotPositiveDefinite, Vectors
from ntk_mnist.kernels.exact.image_tiles import ImageTiles, product
from ntk_mnist.kernels.exact.recomputed_gram import Done, RecomputedGram
from ntk_mnist.kernels.solution import Arrays, Matrix

__all__ = ["MakeTiles", "Preconditioner"]

#: From the number of tiles in a row and the rows of a tile, a place for the tiles of S.
MakeTiles: TypeAlias = Callable[[int, int], Factorization]


class Preconditioner:
    """The pivots and S of a Gram matrix; after ``factorize``, its approximate inverse.

    Args:
        gram: K.
        pivots: r.
        tile: rows of a tile of S.
        jitter: added to the diagonal of K here, in units of its mean.
        make_tiles: makes the place for S.

    Raises:
        NotPositiveDefinite: K₁₁ has no Cholesky factor in float64.
    """

    def __init__(
        self, gram: RecomputedGram, pivots: int, tile: int, jitter: float, make_tiles: MakeTiles
    ) -> None:
        self._pivots, self.jitter = pivots, jitter
        self._ridge = gram.ridge + jitter * gram.mean_diagonal
        self._kernel = gram.kernel
        self._rest = ImageTiles(self._kernel, gram.images[pivots:], tile)
        self._pivot_points = self._kernel.points(gram.images[:pivots])
        k11 = np.asarray(self._kernel(self._pivot_points, self._pivot_points))
        try:
            self._first = scipy.linalg.cholesky(k11 + self._ridge * np.eye(pivots), lower=True)
        except scipy.linalg.LinAlgError:
            raise NotPositiveDefinite from None
        blocks = [
            self._first_solve(np.asarray(self._kernel(self._pivot_points, self._rest.points(i)))).T
            for i in range(self._rest.count)
        ]
        self._coupling = np.concatenate(blocks)[: len(gram.images) - pivots]
        self._make_tiles = make_tiles

    @property
    def count(self) -> int:
        """Tiles in a row of S."""
        return self._rest.count

    def fill(self, checkpoint: Arrays, done: Done) -> None:
        """Compute the tiles of S; columns of L that are in ``checkpoint`` are read from there."""
        rest, columns = self._rest, self._columns_in(checkpoint)
        # Not before, as those of another jitter may still be in memory.
        self._schur = self._make_tiles(rest.count, rest.tile)
        places = [(i, j) for i in range(rest.count) for j in range(i + 1)]
        for finished, (i, j) in enumerate(places, 1):
            if j < columns:
                tile: Any = checkpoint[self._name(i, j)]
            else:
                tile = _schur_tile(
                    self._kernel(rest.points(i), rest.points(j)),
                    product(self._block(i), self._block(j).T),
                    *(self._valid(i), self._valid(j), float(i == j), self._ridge),
                )
            self._schur.put(i, j, tile)
            done(finished, len(places))

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
            self._schur.factorize_column(j, count)
            for i in range(j, self.count):
                checkpoint[self._name(i, j)] = self._schur.get(i, j)

    def product(self, vectors: Matrix) -> Matrix:
        """M times vectors, before ``factorize``."""
        first, rest = vectors[: self._pivots], vectors[self._pivots :]
        inner = self._first.T @ first + self._coupling.T @ rest
        schur = self._joined(self._schur.multiply(self._split(rest)))
        return np.concatenate([self._first @ inner, self._coupling @ inner + schur])

    def solve(self, vectors: Matrix) -> Matrix:
        """M⁻¹ times vectors, after ``factorize``."""
        return self.solve_half_transposed(self.solve_half(vectors))

    def solve_half(self, vectors: Matrix) -> Matrix:
        """G⁻¹ times vectors, after ``factorize``."""
        first = self._first_solve(vectors[: self._pivots])
        rest = vectors[self._pivots :] - self._coupling @ first
        return np.concatenate([first, self._joined(self._schur.solve_lower(self._split(rest)))])

    def solve_half_transposed(self, vectors: Matrix) -> Matrix:
        """G⁻ᵀ times vectors, after ``factorize``."""
        rest = self._joined(self._schur.solve_upper(self._split(vectors[self._pivots :])))
        first = vectors[: self._pivots] - self._coupling.T @ rest
        return np.concatenate([scipy.linalg.solve_triangular(self._first.T, first), rest])

    def log_determinant(self) -> float:
        """log det M, after ``factorize``."""
        of_pivots = float(2 * np.log(np.diagonal(self._first)).sum())
        return of_pivots + self._schur.log_determinant()

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
        there, rest = self._kernel.points(points), self._rest
        with_first = np.asarray(self._kernel(self._pivot_points, there))
        half = self._first_solve(with_first)
        products = with_first.T @ coefficients[: self._pivots]
        solved = np.empty((len(points), rest.count * rest.tile), np.float32)
        for i in range(rest.count):
            k = self._kernel(there, rest.points(i))
            c, a = rest.padded(i, coefficients[self._pivots :]), self._block(i)
            part = _point_tile(k, product(half.T, a.T), self._valid(i))
            solved[:, i * rest.tile : (i + 1) * rest.tile] = part
            products += np.asarray(product(k, c))
        squares = (half**2).sum(axis=0)
        solved = self._schur.solve_lower(solved, done)
        return products, squares + np.einsum("ij,ij->i", solved, solved, dtype=np.float64)

    def _first_solve(self, vectors: Matrix) -> Matrix:
        return np.asarray(scipy.linalg.solve_triangular(self._first, vectors, lower=True))

    def _valid(self, i: int) -> int:
        """Rows of block i that are images, not padding."""
        rows = self._rest.rows(i)
        return rows.stop - rows.start

    def _block(self, i: int) -> Matrix:
        """A of block i, zero in the padding."""
        return self._rest.padded(i, self._coupling)

    def _split(self, vectors: Matrix) -> Vectors:
        """As rows of float32, with zeros for the padding."""
        rows = np.zeros((vectors.shape[1], self._rest.count * self._rest.tile), np.float32)
        rows[:, : len(vectors)] = vectors.T
        return rows

    def _joined(self, rows: Vectors) -> Matrix:
        return rows[:, : len(self._coupling)].T.astype(np.float64)

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
    explained: jax.Array,
    rows: jax.Array,
    columns: jax.Array,
    on_diagonal: jax.Array,
    ridge: jax.Array,
) -> jax.Array:
    """A tile of S = K₂₂ − A Aᵀ; beyond its ``rows`` and ``columns`` it is that of the identity."""
    index = jnp.arange(len(k))
    identity = on_diagonal * jnp.eye(len(k))
    inside = (index < rows)[:, None] & (index < columns)
    return jnp.where(inside, k + ridge * identity - explained, identity).astype(jnp.float32)


@jax.jit
def _point_tile(k: jax.Array, explained: jax.Array, images: jax.Array) -> jax.Array:
    """For all points and the first ``images`` columns: K_z2 − K_z1 L₁⁻ᵀ Aᵀ."""
    inside = jnp.arange(k.shape[1]) < images
    return jnp.where(inside, k - explained, 0).astype(jnp.float32)
