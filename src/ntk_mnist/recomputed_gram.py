"""A training Gram matrix that is never stored: its float64 tiles are computed when needed.

A tile takes about a tenth of a second on two cores and is at once multiplied by all the vectors
that wait for it, so that the memory is that of a few tiles, whatever the training-set size.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ntk_mnist.architecture import Architecture, infinite

__all__ = ["Done", "RecomputedGram"]

Matrix = NDArray[np.float64]
#: Called with the number of tiles that were finished, and how many there are.
Done = Callable[[int, int], object]


class RecomputedGram:
    """Θ(X, X) + ridge · I of one kernel.

    Args:
        architecture: whose infinite-width limit is taken.
        kind: ``nngp`` or ``ntk``.
        x: the training inputs X, shape (n, pixels), in units of ``pixel_max``; as bytes they take
            an eighth of the memory.
        diag_reg: the ridge in units of the mean diagonal of Θ(X, X).
        tile: rows and columns of a tile.
        pixel_max: what inputs are divided by, in float64.

    Attributes:
        kernel: Θ of two arrays of inputs, to be called under ``jax.jit`` in float64.
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
        kernel_fn = infinite(architecture)
        self.kernel: Callable[[jax.Array, jax.Array], jax.Array] = lambda p, q: kernel_fn(
            p, q, kind
        )
        self.kind, self.x, self.tile, self._pixel_max = kind, x, tile, np.float64(pixel_max)
        self._diagonal = jax.jit(lambda p: jnp.diagonal(self.kernel(p, p)))
        self._products = jax.jit(self._both_products)
        self._product = jax.jit(lambda p, v: self.kernel(p, p) @ v)
        self.mean_diagonal = float(np.mean(self.diagonal(x)))
        self.ridge = diag_reg * self.mean_diagonal

    def inputs(self, x: NDArray[Any], rows: int) -> Matrix:
        """Inputs as the kernel takes them, the first one repeated up to ``rows``."""
        repeated = np.broadcast_to(x[0], (rows - len(x), x.shape[1]))
        return np.concatenate([x, repeated]) / self._pixel_max

    def diagonal(self, points: NDArray[Any]) -> Matrix:
        """Θ(z, z) of each point, shape (m,)."""
        values = [
            np.asarray(self._diagonal(self.inputs(points[rows], self.tile)))[: len(points[rows])]
            for rows in self._rows(len(points))
        ]
        return np.concatenate(values)

    def times(self, vectors: Matrix, done: Done) -> Matrix:
        """The matrix times ``vectors``, shape (n, k); each tile serves both of its sides."""
        result = self.ridge * vectors
        rows = list(self._rows(len(self.x)))
        total, finished = len(rows) * (len(rows) + 1) // 2, 0
        for i, here in enumerate(rows):
            p, u = self.inputs(self.x[here], self.tile), self._with_zeros(vectors[here])
            for there in rows[:i]:
                at_here, at_there = self._products(
                    p, self.inputs(self.x[there], self.tile), u, vectors[there]
                )
                result[here] += np.asarray(at_here)[: len(result[here])]
                result[there] += np.asarray(at_there)
                finished += 1
                done(finished, total)
            result[here] += np.asarray(self._product(p, u))[: len(result[here])]
            finished += 1
            done(finished, total)
        return result

    def _rows(self, count: int) -> Iterator[slice]:
        return (slice(start, min(start + self.tile, count)) for start in range(0, count, self.tile))

    def _with_zeros(self, vectors: Matrix) -> Matrix:
        return np.pad(vectors, ((0, self.tile - len(vectors)), (0, 0)))

    def _both_products(
        self, p: jax.Array, q: jax.Array, u: jax.Array, v: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        k = self.kernel(p, q)
        return k @ v, (u.T @ k).T
