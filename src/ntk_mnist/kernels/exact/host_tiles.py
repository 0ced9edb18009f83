"""The tiled factorization on a CPU, by NumPy's and SciPy's BLAS.

A row of tiles is one array, so that all products that a tile takes part in are one product of
matrices with a long inner dimension, which BLAS computes nearly at its best rate. Tiles on the
diagonal cost half: NumPy sees that A Aᵀ is symmetric. Rows may be mapped files: where memory is
short, the operating system moves them between memory and disk.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ntk_mnist.kernels.exact.factorization import Factorization, NotPositiveDefinite, Vectors
from ntk_mnist.kernels.solver import MakeArrays, in_memory

__all__ = ["HostTiles"]


class HostTiles(Factorization):
    """Tiles in the memory of the host.

    Args:
        count: of tiles in a row.
        tile: rows of a tile.
        make_arrays: makes the rows of tiles.
    """

    def __init__(self, count: int, tile: int, make_arrays: MakeArrays = in_memory) -> None:
        super().__init__(count, tile)
        self._rows = make_arrays([(tile, (i + 1) * tile) for i in range(count)])

    def put(self, i: int, j: int, tile: Any) -> None:
        """Store tile (i, j), j ≤ i."""
        self._rows[i][:, self._columns(j)] = tile

    def get(self, i: int, j: int) -> NDArray[np.float32]:
        """Tile (i, j)."""
        return self._rows[i][:, self._columns(j)]

    def factorize_column(self, j: int, done: Callable[[int], object]) -> None:
        """Overwrite column ``j`` of A by that of L."""
        before = self._columns(0, j)
        for i in range(j, self.count):
            tile = self.get(i, j)
            if j:
                tile -= self._rows[i][:, before] @ self._rows[j][:, before].T
            if i == j:
                try:
                    tile[:] = scipy.linalg.cholesky(tile, lower=True, check_finite=False)
                except scipy.linalg.LinAlgError:
                    raise NotPositiveDefinite from None
                if not np.isfinite(tile[-1]).all():
                    raise NotPositiveDefinite
            else:
                tile[:] = self._solved(j, tile)
            done(j + 1)

    def multiply(self, vectors: Vectors) -> Vectors:
        """A times vectors."""
        sums = np.zeros_like(vectors)
        for i, row in enumerate(self._rows):
            here, before = self._columns(i), self._columns(0, i)
            sums[:, here] += vectors[:, : row.shape[1]] @ row.T
            if i:
                sums[:, before] += vectors[:, here] @ row[:, before]
        return sums

    def solve_lower(
        self, vectors: Vectors, done: Callable[[int], object] = lambda _: None
    ) -> Vectors:
        """L⁻¹ times vectors, which are overwritten."""
        for j, row in enumerate(self._rows):
            part, before = vectors[:, self._columns(j)], self._columns(0, j)
            if j:
                part -= vectors[:, before] @ row[:, before].T
            part[:] = self._solved(j, part)
            done(j + 1)
        return vectors

    def solve_upper(self, vectors: Vectors) -> Vectors:
        """L⁻ᵀ times vectors, which are overwritten."""
        for j in reversed(range(self.count)):
            part, before = vectors[:, self._columns(j)], self._columns(0, j)
            part[:] = self._solved(j, part, transposed=False)
            if j:
                vectors[:, before] -= part @ self._rows[j][:, before]
        return vectors

    def diagonal(self) -> NDArray[np.float64]:
        """Of L."""
        return np.concatenate(
            [np.diagonal(self.get(i, i)).astype(np.float64) for i in range(self.count)]
        )

    def _solved(self, j: int, rows: NDArray[Any], *, transposed: bool = True) -> NDArray[Any]:
        """Rows times L_jj⁻ᵀ, or times L_jj⁻¹."""
        solved = scipy.linalg.solve_triangular(
            self.get(j, j), rows.T, lower=True, trans=0 if transposed else 1, check_finite=False
        )
        return np.asarray(solved).T
