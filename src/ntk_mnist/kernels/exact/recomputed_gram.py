"""A training Gram matrix that is never stored: its float64 tiles are computed when needed.

A tile of 2,048 rows takes about a tenth of a second on two cores. It is immediately multiplied by
all the vectors that need it. The memory is that of a few tiles, for any training-set size.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from numpy.typing import NDArray

from ntk_mnist import settings
from ntk_mnist.kernels.gram import InputsOf, tile_function, whole_tile
from ntk_mnist.kernels.solution import Matrix

__all__ = ["Done", "RecomputedGram", "TileKernel", "tile_kernel"]

#: Called with the number of tiles or products that are finished, and how many there are.
Done: TypeAlias = Callable[[int, int], object]
#: From two tiles of images, Θ of their inputs; to be called in float64.
TileKernel: TypeAlias = Callable[[ArrayLike, ArrayLike], jax.Array]


def tile_kernel(
    architecture: settings.Architecture, kind: str, inputs: InputsOf, scale: float = 1.0
) -> TileKernel:
    """Θ of two tiles of images, times a scale.

    Args:
        architecture: its infinite-width limit is taken.
        kind: ``nngp`` or ``ntk``.
        inputs: makes the float64 inputs of a tile of images, inside a compiled program.
        scale: a power of two, which rounds nothing.

    Returns:
        A program, compiled for each shape of tiles. Its compilation takes half a second; so it is
        no part of other programs, which use its result.
    """
    tile_fn = tile_function(architecture, (kind,))
    return jax.jit(lambda p, q: scale * tile_fn(inputs(p), inputs(q))[kind])


class RecomputedGram:
    """Θ(X, X) of one kernel, and the ridge of K = Θ(X, X) + ridge · I.

    Args:
        kernel: Θ of two tiles of images.
        images: the training images X, shape (n, pixels). They stay bytes: float64 inputs would
            take eight times the memory.
        tile: rows and columns of a tile, a multiple of ``gram.STRIPS``.
        mean_diagonal: of Θ(X, X).
        diag_reg: the ridge in units of the mean diagonal.

    Attributes:
        ridge: added to the diagonal of Θ(X, X).
        kernel, images, tile, mean_diagonal, diag_reg: as given.
    """

    def __init__(
        self,
        kernel: TileKernel,
        images: NDArray[Any],
        tile: int,
        mean_diagonal: float,
        diag_reg: float,
    ) -> None:
        self.kernel, self.images, self.tile = kernel, images, tile
        self.mean_diagonal, self.diag_reg = mean_diagonal, diag_reg
        self.ridge = diag_reg * mean_diagonal

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
                at_here, at_there = _both_products(self.kernel(p, q), u, vectors[there])
                result[here] += np.asarray(at_here)[: len(result[here])]
                result[there] += np.asarray(at_there)
                finished += 1
                done(finished, total)
            result[here] += np.asarray(_product(self.kernel(p, p), u))[: len(result[here])]
            finished += 1
            done(finished, total)
        return result

    def _with_zeros(self, vectors: Matrix) -> Matrix:
        return np.pad(vectors, ((0, self.tile - len(vectors)), (0, 0)))


_product = jax.jit(jnp.matmul)


@jax.jit
def _both_products(k: jax.Array, u: jax.Array, v: jax.Array) -> tuple[jax.Array, jax.Array]:
    """K v and Kᵀ u."""
    return k @ v, (u.T @ k).T
