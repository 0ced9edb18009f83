"""Cholesky factorization of a matrix too large for LAPACK, in float32, in place, tile by tile.

Of a symmetric positive definite A only the square tiles on and below the diagonal are stored.
Column j of the tiles is overwritten by that of the lower triangular L with A = L Lᵀ:

    C_ij = A_ij − Σ_{k<j} L_ik L_jkᵀ,    L_jj = chol(C_jj),    L_ij = C_ij L_jj⁻ᵀ.

This is the left-looking order (Golub & Van Loan, Matrix Computations, 4.2.8): a finished column
never changes again.

Vectors are rows of an array (k, n): libraries multiply a tile from the left without transposing it,
and faster. What stores the tiles, and multiplies them, is up to the device (``host_tiles``,
``device_tiles``).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Factorization", "NotPositiveDefinite", "Vectors"]

#: Of shape (k, n), float32.
Vectors: TypeAlias = NDArray[np.float32]


class NotPositiveDefinite(Exception):
    """The matrix has no Cholesky factor in the precision in use."""


class Factorization(ABC):
    """A, of which column after column becomes that of L.

    Args:
        count: of tiles in a row.
        tile: rows of a tile.
    """

    def __init__(self, count: int, tile: int) -> None:
        self.count, self.tile = count, tile

    @abstractmethod
    def put(self, i: int, j: int, tile: Any) -> None:
        """Store tile (i, j), j ≤ i, an array of JAX or NumPy."""

    @abstractmethod
    def get(self, i: int, j: int) -> NDArray[np.float32]:
        """Tile (i, j) of L, or of A, as :meth:`put` takes it."""

    @abstractmethod
    def factorize_column(self, j: int, done: Callable[[int], object]) -> None:
        """Overwrite column ``j`` of A by that of L; the columns before it are already those of L.

        Args:
            j: index of the column of tiles.
            done: called with the number of tile products finished since its last call.

        Raises:
            NotPositiveDefinite: a pivot is not positive.
        """

    @abstractmethod
    def multiply(self, vectors: Vectors) -> Vectors:
        """A times vectors."""

    @abstractmethod
    def solve_lower(
        self, vectors: Vectors, done: Callable[[int], object] = lambda _: None
    ) -> Vectors:
        """L⁻¹ times vectors, which are overwritten.

        Args:
            vectors: shape (k, n).
            done: called with the number of tile products finished since its last call.
        """

    @abstractmethod
    def solve_upper(self, vectors: Vectors) -> Vectors:
        """L⁻ᵀ times vectors, which are overwritten."""

    @abstractmethod
    def diagonal(self) -> NDArray[np.float64]:
        """Of L, shape (n,)."""

    def log_determinant(self) -> float:
        """log det A from L, summed in float64."""
        return float(2 * np.log(self.diagonal()).sum())

    def _columns(self, start: int, end: int | None = None) -> slice:
        """Of vectors, those of tiles from ``start`` on, one or until ``end``."""
        return slice(start * self.tile, (start + 1 if end is None else end) * self.tile)
