"""The tiled factorization in the memory of an accelerator, by XLA.

On the diagonal L_jj⁻¹ is stored instead of L_jj, so that all the work, including the solves, is in
matrix products, which run fastest there.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ntk_mnist.kernels.exact.factorization import Factorization, NotPositiveDefinite, Vectors

__all__ = ["DeviceTiles"]


class DeviceTiles(Factorization):
    """Tiles on JAX's device.

    Args:
        count: of tiles in a row.
        tile: rows of a tile.
    """

    def __init__(self, count: int, tile: int) -> None:
        super().__init__(count, tile)
        self._tiles: list[dict[int, jax.Array]] = [{} for _ in range(count)]

    def put(self, i: int, j: int, tile: Any) -> None:
        """Store tile (i, j), j ≤ i."""
        self._tiles[i][j] = jnp.array(tile, jnp.float32)

    def get(self, i: int, j: int) -> NDArray[np.float32]:
        """Tile (i, j); of L, the inverse on the diagonal."""
        return np.asarray(self._tiles[i][j])

    def factorize_column(self, j: int, done: Callable[[int], object]) -> None:
        """Overwrite column ``j`` of A by that of L."""
        tiles = self._tiles
        for i in range(j, self.count):
            for k in range(j):
                tiles[i][j] = _minus_product_transposed(tiles[i][j], tiles[i][k], tiles[j][k])
            if i == j:
                tiles[j][j] = _inverse_factor(tiles[j][j])
                if not np.isfinite(np.asarray(tiles[j][j][-1])).all():
                    raise NotPositiveDefinite
            else:
                tiles[i][j] = _product_transposed(tiles[i][j], tiles[j][j])
            # Wait for each product before the next is started: each started one holds memory.
            tiles[i][j].block_until_ready()
            done(j + 1)

    def multiply(self, vectors: Vectors) -> Vectors:
        """A times vectors."""
        parts = self._split(vectors)
        sums = [jnp.zeros_like(part) for part in parts]
        for i in range(self.count):
            for j in range(i):
                tile = self._tiles[i][j]
                sums[i] = _plus_product_transposed(sums[i], parts[j], tile)
                sums[j] = _plus_product(sums[j], parts[i], tile)
            sums[i] = _plus_product_transposed(sums[i], parts[i], self._tiles[i][i])
            sums[i].block_until_ready()
        return _joined(sums)

    def solve_lower(
        self, vectors: Vectors, done: Callable[[int], object] = lambda _: None
    ) -> Vectors:
        """L⁻¹ times vectors."""
        parts = self._split(vectors)
        for j in range(self.count):
            for k in range(j):
                parts[j] = _minus_product_transposed(parts[j], parts[k], self._tiles[j][k])
            parts[j] = _product_transposed(parts[j], self._tiles[j][j]).block_until_ready()
            done(j + 1)
        return _joined(parts)

    def solve_upper(self, vectors: Vectors) -> Vectors:
        """L⁻ᵀ times vectors."""
        parts = self._split(vectors)
        for j in reversed(range(self.count)):
            for i in range(j + 1, self.count):
                parts[j] = _minus_product(parts[j], parts[i], self._tiles[i][j])
            parts[j] = _product(parts[j], self._tiles[j][j]).block_until_ready()
        return _joined(parts)

    def diagonal(self) -> NDArray[np.float64]:
        """Of L."""
        inverse = [np.asarray(jnp.diagonal(self._tiles[i][i])) for i in range(self.count)]
        return np.asarray(1 / np.concatenate(inverse).astype(np.float64))

    def _split(self, vectors: Vectors) -> list[jax.Array]:
        return [jnp.array(vectors[:, self._columns(i)]) for i in range(self.count)]


def _joined(parts: list[jax.Array]) -> Vectors:
    return np.concatenate([np.asarray(part) for part in parts], axis=1)


@jax.jit
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
_minus_product_transposed = jax.jit(lambda c, v, a: c - v @ a.T, donate_argnums=0)
