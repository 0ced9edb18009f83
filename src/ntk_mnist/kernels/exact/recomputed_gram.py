"""A training Gram matrix that is never stored: its float64 tiles are computed when needed.

A tile of 2,048 rows takes about a tenth of a second on two cores. It is immediately multiplied by
all the vectors that need it. The memory is that of a few tiles, for any training-set size.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ntk_mnist import settings
from ntk_mnist.kernels.gram import InputsOf, tile_function, whole_tile, whole_tiles
from ntk_mnist.kernels.solution import Matrix

__all__ = ["Done", "RecomputedGram", "TileKernel", "tile_kernel"]

#: Called with the number of tiles or products that are finished, and how many there are.
Done: TypeAlias = Callable[[int, int], object]
#: From two tiles of images, Θ of their inputs; to be called under ``jax.jit`` in float64.
TileKernel: TypeAlias = Callable[[jax.Array, jax.Array], jax.Array]

#: Rows of a tile of which only the diagonal is needed.
_SMALL_TILE = 128


def tile_kernel(
    architecture: settings.Architecture, kind: str, inputs: InputsOf, scale: float = 1.0
) -> TileKernel:
    """Θ of two tiles of images, times a scale.

    Args:
        architecture: its infinite-width limit is taken.
        kind: ``nngp`` or ``ntk``.
        inputs: makes the float64 inputs of a tile of images, inside a compiled program.
        scale: a power of two, which rounds nothing.
    """
    tile_fn = tile_function(architecture, (kind,))
    return lambda p, q: scale * tile_fn(inputs(p), inputs(q))[kind]


class RecomputedGram:
    """Θ(X, X) of one kernel, and the ridge of K = Θ(X, X) + ridge · I.

    Args:
        kernel: Θ of two tiles of images. Programs are compiled once for each such function.
        images: the training images X, shape (n, pixels). They stay bytes: float64 inputs would
            take eight times the memory.
        diag_reg: the ridge in units of the mean diagonal of Θ(X, X).
        tile: rows and columns of a tile, a multiple of ``gram.STRIPS``.

    Attributes:
        mean_diagonal: of Θ(X, X).
        ridge: added to the diagonal of Θ(X, X).
        kernel, images, diag_reg, tile: as given.
    """

    def __init__(
        self, kernel: TileKernel, images: NDArray[Any], diag_reg: float, tile: int
    ) -> None:
        self.kernel, self.images, self.diag_reg, self.tile = kernel, images, diag_reg, tile
        self.mean_diagonal = float(np.mean(self.diagonal(images)))
        self.ridge = diag_reg * self.mean_diagonal

    def diagonal(self, points: NDArray[Any]) -> Matrix:
        """Θ(z, z) of each point, shape (m,)."""
        values = [_diagonal(self.kernel, tile) for tile in whole_tiles(points, _SMALL_TILE)]
        return np.concatenate(values)[: len(points)]

    def times(self, vectors: Matrix, done: Done) -> Matrix:
        """Θ(X, X) times ``vectors``, shape (n, k).

        Each tile below the diagonal is used twice, for its place and for the mirrored one.
        """
        result = np.zeros_like(vectors)
        count = len(self.images)
        rows = [slice(i, min(i + self.tile, count)) for i in range(0, count, self.tile)]
        total, finished = len(rows) * (len(rows) + 1) // 2, 0
        for i, here in enumerate(rows):
            p, u = whole_tile(self.images[here], self.tile), self._with_zeros(vectors[here])
            for there in rows[:i]:
                q = whole_tile(self.images[there], self.tile)
                at_here, at_there = _both_products(self.kernel, p, q, u, vectors[there])
                result[here] += np.asarray(at_here)[: len(result[here])]
                result[there] += np.asarray(at_there)
                finished += 1
                done(finished, total)
            result[here] += np.asarray(_product(self.kernel, p, u))[: len(result[here])]
            finished += 1
            done(finished, total)
        return result

    def _with_zeros(self, vectors: Matrix) -> Matrix:
        return np.pad(vectors, ((0, self.tile - len(vectors)), (0, 0)))


@partial(jax.jit, static_argnums=0)
def _diagonal(kernel: TileKernel, p: jax.Array) -> jax.Array:
    return jnp.diagonal(kernel(p, p))


@partial(jax.jit, static_argnums=0)
def _product(kernel: TileKernel, p: jax.Array, v: jax.Array) -> jax.Array:
    """Θ(p, p) v."""
    return kernel(p, p) @ v


@partial(jax.jit, static_argnums=0)
def _both_products(
    kernel: TileKernel, p: jax.Array, q: jax.Array, u: jax.Array, v: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Θ(p, q) v and Θ(q, p) u."""
    k = kernel(p, q)
    return k @ v, (u.T @ k).T
