"""A training Gram matrix that is never stored: its float64 tiles are computed when needed.

Each is immediately multiplied by all the vectors that need it. The memory is that of a few tiles,
for any training-set size.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ntk_mnist.kernels.exact.image_tiles import ImageTiles, TileKernel, product
from ntk_mnist.kernels.solution import Matrix

__all__ = ["Done", "RecomputedGram"]

#: Called with the number of tiles or products that are finished, and how many there are.
Done: TypeAlias = Callable[[int, int], object]


class RecomputedGram:
    """Θ(X, X) of one kernel, and the ridge of K = Θ(X, X) + ridge · I.

    Args:
        kernel: Θ of two tiles of images.
        images: the training images X, shape (n, pixels).
        tile: rows and columns of a tile.
        mean_diagonal: of Θ(X, X).
        diag_reg: the ridge in units of the mean diagonal.

    Attributes:
        ridge: added to the diagonal of Θ(X, X).
        kernel, images, mean_diagonal, diag_reg: as given.
    """

    def __init__(
        self,
        kernel: TileKernel,
        images: NDArray[Any],
        tile: int,
        mean_diagonal: float,
        diag_reg: float,
    ) -> None:
        self.kernel, self.images = kernel, images
        self.mean_diagonal, self.diag_reg = mean_diagonal, diag_reg
        self.ridge = diag_reg * mean_diagonal
        self._tiles = ImageTiles(kernel, images, tile)

    def times(self, vectors: Matrix, done: Done) -> Matrix:
        """Θ(X, X) times ``vectors``, shape (n, k).

        Each tile below the diagonal is used twice, for its place and for the mirrored one.
        """
        result, tiles = np.zeros_like(vectors), self._tiles
        pairs = [(i, j) for i in range(tiles.count) for j in range(i + 1)]
        for finished, (i, j) in enumerate(pairs, 1):
            here, there = tiles.rows(i), tiles.rows(j)
            k = self.kernel(tiles.points(i), tiles.points(j))
            at_here = np.asarray(product(k, tiles.padded(j, vectors)))
            result[here] += at_here[: here.stop - here.start]
            if i != j:
                at_there = np.asarray(product(tiles.padded(i, vectors).T, k)).T
                result[there] += at_there[: there.stop - there.start]
            done(finished, len(pairs))
        return result
