"""Gram matrices of the infinite-width kernels NNGP and NTK, in float64, tile by tile.

``kernel_fn`` of neural-tangents holds several times the matrix that it returns; over tiles
its memory is bounded and, as every tile has one shape, the program is the same for every
training-set size. Within a tile it goes by strips of rows, which stay in a CPU's cache from the
inner products to the kernels.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import jax
import numpy as np
from numpy.typing import NDArray

from ntk_mnist import arctan2
from ntk_mnist.architecture import Architecture, infinite
from ntk_mnist.programs import Programs, compile_anew

__all__ = ["KINDS", "STRIPS", "diagonal", "gram", "tile_function", "whole_tile", "whole_tiles"]

#: The kernels by their name in the config: neural-tangents' ``get``.
KINDS = ("nngp", "ntk")
#: In a tile, whose rows are a multiple of it.
STRIPS = 16
#: Of two arrays of inputs, (n1, pixels) and (n2, pixels): of each kind, (n1, n2).
TileFunction: TypeAlias = Callable[[jax.Array, jax.Array], dict[str, jax.Array]]

_TILE = 1024


def gram(
    architecture: Architecture,
    x1: NDArray[np.float64],
    x2: NDArray[np.float64] | None,
    kinds: Sequence[str],
    programs: Programs = compile_anew,
) -> Mapping[str, NDArray[np.float64]]:
    """Kernels between the rows of ``x1`` and ``x2``, or of ``x1`` with itself.

    Args:
        architecture: whose infinite-width limit is taken.
        x1: inputs of shape (n1, pixels).
        x2: inputs of shape (n2, pixels); None for the symmetric matrix of ``x1``, of which
            only the lower triangle of tiles is computed.
        kinds: of :data:`KINDS`.
        programs: where the compiled program of a tile comes from.

    Returns:
        For each kind a float64 array of shape (n1, n2).
    """
    rows, columns = x1, x1 if x2 is None else x2
    matrices = {kind: np.empty((len(rows), len(columns))) for kind in kinds}
    with jax.enable_x64(True):
        tile = _program(architecture, x1.shape[1], tuple(kinds), programs)
        for i in range(0, len(rows), _TILE):
            for j in range(0, len(columns) if x2 is not None else i + 1, _TILE):
                r, c = slice(i, i + _TILE), slice(j, j + _TILE)
                values = tile(whole_tile(rows[r], _TILE), whole_tile(columns[c], _TILE))
                for kind, matrix in matrices.items():
                    block = matrix[r, c]
                    block[:] = np.asarray(values[kind])[: block.shape[0], : block.shape[1]]
                    if x2 is None and i == j:
                        # The two triangles of a tile differ by rounding.
                        block[:] = np.tril(block) + np.tril(block, -1).T
                    elif x2 is None:
                        matrix[c, r] = block.T
    return matrices


def diagonal(
    architecture: Architecture,
    x: NDArray[np.float64],
    kinds: Sequence[str],
    programs: Programs = compile_anew,
) -> Mapping[str, NDArray[np.float64]]:
    """Kernels of each row of ``x`` with itself; the arguments are those of :func:`gram`.

    Returns:
        For each kind a float64 array of shape (n,).
    """
    with jax.enable_x64(True):
        tile = _program(architecture, x.shape[1], tuple(kinds), programs)
        tiles = [tile(whole, whole) for whole in whole_tiles(x, _TILE)]
        return {
            kind: np.concatenate([np.diagonal(values[kind]) for values in tiles])[: len(x)]
            for kind in kinds
        }


def tile_function(architecture: Architecture, kinds: Sequence[str]) -> TileFunction:
    """The kernels of a tile, to be called under ``jax.jit`` in float64.

    Args:
        architecture: whose infinite-width limit is taken.
        kinds: of :data:`KINDS`.
    """
    arctan2.use_on_cpus()
    kernel_fn = infinite(architecture)

    def tile(x1: jax.Array, x2: jax.Array) -> dict[str, jax.Array]:
        strips = x1.reshape(STRIPS, -1, x1.shape[1])
        values = jax.lax.map(lambda rows: kernel_fn(rows, x2, tuple(kinds))._asdict(), strips)
        return {kind: value.reshape(len(x1), len(x2)) for kind, value in values.items()}

    return tile


def whole_tile(x: NDArray[Any], rows: int) -> NDArray[Any]:
    """``x`` with its first row repeated up to so many; what that adds is to be cut off."""
    return np.concatenate([x, np.broadcast_to(x[0], (rows - len(x), x.shape[1]))])


def whole_tiles(x: NDArray[Any], rows: int) -> list[NDArray[Any]]:
    """``x`` in tiles of so many rows, the last one made whole."""
    return [whole_tile(x[start : start + rows], rows) for start in range(0, len(x), rows)]


def _program(
    architecture: Architecture, pixels: int, kinds: tuple[str, ...], programs: Programs
) -> Callable[..., Any]:
    """The compiled function of two whole tiles of inputs."""
    shape = jax.ShapeDtypeStruct((_TILE, pixels), np.float64)
    return programs(
        ("kernel", architecture, kinds, shape.shape),
        lambda: jax.jit(tile_function(architecture, kinds)).lower(shape, shape),
    )
