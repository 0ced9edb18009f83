"""A training Gram matrix that is never stored: its float64 tiles are computed when needed.

A tile of 2,048 rows takes about a tenth of a second on two cores and is at once multiplied by all
the vectors that wait for it, so that the memory is that of a few tiles, whatever the training-set
size.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ntk_mnist.architecture import Architecture
from ntk_mnist.kernel import tile_function, whole_tile, whole_tiles

__all__ = ["Done", "RecomputedGram"]

Matrix = NDArray[np.float64]
#: Called with the number of tiles that were finished, and how many there are.
Done = Callable[[int, int], object]
#: Rows of a tile of which the diagonal alone is wanted.
_SMALL_TILE = 128


class RecomputedGram:
    """Θ(X, X) + ridge · I of one kernel.

    Args:
        architecture: whose infinite-width limit is taken.
        kind: ``nngp`` or ``ntk``.
        x: the training inputs X, shape (n, pixels), in units of ``pixel_max``; bytes, or float64,
            which take eight times the memory.
        diag_reg: the ridge in units of the mean diagonal of Θ(X, X).
        tile: rows and columns of a tile, a multiple of ``kernel.STRIPS``.
        pixel_max: what inputs are divided by, in float64.

    Attributes:
        kernel: Θ of two tiles of inputs like ``x``, to be called under ``jax.jit`` in float64.
        mean_diagonal: of Θ(X, X).
        kind: as given.
        x: as given.
        ridge: what is added to its diagonal.
    """

    def __init__(
        self,
        architecture: Architecture,
        kind: str,
        x: NDArray[Any],
        diag_reg: float,
        tile: int,
        pixel_max: float,
    ) -> None:
        tile_fn = tile_function(architecture, (kind,))
        self.kernel: Callable[[jax.Array, jax.Array], jax.Array] = lambda p, q: tile_fn(
            p / np.float64(pixel_max), q / np.float64(pixel_max)
        )[kind]
        self.kind, self.x, self.tile = kind, x, tile
        self._diagonal = jax.jit(lambda p: jnp.diagonal(self.kernel(p, p)))
        self._products = jax.jit(self._both_products)
        self._product = jax.jit(lambda p, v: self.kernel(p, p) @ v)
        self.mean_diagonal = float(np.mean(self.diagonal(x)))
        self.ridge = diag_reg * self.mean_diagonal

    def diagonal(self, points: NDArray[Any]) -> Matrix:
        """Θ(z, z) of each point, shape (m,)."""
        values = [self._diagonal(tile) for tile in whole_tiles(points, _SMALL_TILE)]
        return np.concatenate(values)[: len(points)]

    def times(self, vectors: Matrix, done: Done) -> Matrix:
        """The matrix times ``vectors``, shape (n, k); each tile serves both of its sides."""
        result = self.ridge * vectors
        count = len(self.x)
        rows = [slice(i, min(i + self.tile, count)) for i in range(0, count, self.tile)]
        total, finished = len(rows) * (len(rows) + 1) // 2, 0
        for i, here in enumerate(rows):
            p, u = whole_tile(self.x[here], self.tile), self._with_zeros(vectors[here])
            for there in rows[:i]:
                at_here, at_there = self._products(
                    p, whole_tile(self.x[there], self.tile), u, vectors[there]
                )
                result[here] += np.asarray(at_here)[: len(result[here])]
                result[there] += np.asarray(at_there)
                finished += 1
                done(finished, total)
            result[here] += np.asarray(self._product(p, u))[: len(result[here])]
            finished += 1
            done(finished, total)
        return result

    def _with_zeros(self, vectors: Matrix) -> Matrix:
        return np.pad(vectors, ((0, self.tile - len(vectors)), (0, 0)))

    def _both_products(
        self, p: jax.Array, q: jax.Array, u: jax.Array, v: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        k = self.kernel(p, q)
        return k @ v, (u.T @ k).T
