"""Gram matrices of the infinite-width kernels NNGP and NTK, in float64, tile by tile.

The kernels of whole sets of images need several times the memory of the matrix. Over tiles, the
memory is bounded, and because every tile has the same shape, the compiled program
is the same for every training-set size. Within a tile, the inner products are one product of
matrices, and the layers are computed by strips of rows, whose values stay in a CPU's cache.

Images are bytes. A tile of them becomes float64 inputs immediately before its kernels are computed.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import gcd
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ntk_mnist import settings
from ntk_mnist.architecture import infinite
from ntk_mnist.compilation import Programs, compile_in_memory, pinned
from ntk_mnist.infinite_width.correlations import inner_products
from ntk_mnist.infinite_width.recursion import InfiniteNetwork, Points

__all__ = [
    "STRIP",
    "InputsOf",
    "TileFunction",
    "diagonal",
    "gram",
    "layer_errors",
    "tile_function",
    "whole_tile",
    "whole_tiles",
]

#: The most rows of a strip; those of a tile should be a multiple of it.
STRIP = 64
#: From images of shape (m, pixels), a NumPy or a JAX array, float64 inputs of the same shape.
InputsOf: TypeAlias = Callable[[Any], Any]
#: From the points of n1 and of n2 inputs, a matrix (n1, n2) of each kind.
TileFunction: TypeAlias = Callable[..., dict[str, jax.Array]]

_TILE = 1024


def gram(
    architecture: settings.Architecture,
    x1: NDArray[Any],
    x2: NDArray[Any] | None,
    kinds: Sequence[str],
    inputs: InputsOf,
    programs: Programs = compile_in_memory,
) -> dict[str, NDArray[np.float64]]:
    """Kernels between the images ``x1`` and ``x2``, or of ``x1`` with itself.

    Args:
        architecture: its infinite-width limit is taken.
        x1: images of shape (n1, pixels).
        x2: images of shape (n2, pixels). None for the symmetric matrix of ``x1``: then only the
            lower triangle of tiles is computed.
        kinds: of ``recursion.KINDS``.
        inputs: makes the float64 inputs of a tile of images, a NumPy array.
        programs: provides the compiled program of a tile.

    Returns:
        For each kind a float64 array of shape (n1, n2).
    """
    rows, columns = x1, x1 if x2 is None else x2
    matrices = {kind: np.empty((len(rows), len(columns))) for kind in kinds}
    with pinned(x64=True):
        tile = _program(architecture, x1.shape[1], tuple(kinds), programs)
        for i in range(0, len(rows), _TILE):
            r = slice(i, i + _TILE)
            row_inputs = inputs(whole_tile(rows[r], _TILE))
            for j in range(0, len(columns) if x2 is not None else i + 1, _TILE):
                c = slice(j, j + _TILE)
                values = tile(
                    row_inputs, inputs(whole_tile(columns[c], _TILE)), np.int64(len(rows[r]))
                )
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
    architecture: settings.Architecture,
    x: NDArray[Any],
    kinds: Sequence[str],
    inputs: InputsOf,
    programs: Programs = compile_in_memory,
) -> dict[str, NDArray[np.float64]]:
    """Kernels of each image of ``x`` with itself; the arguments are those of :func:`gram`.

    Returns:
        For each kind a float64 array of shape (n,).
    """
    kinds = tuple(kinds)
    network = infinite(architecture)
    key = ("diagonal", architecture, kinds)
    parts = _by_tiles(key, lambda x: network.of_each(x, kinds), x, inputs, programs)
    return {kind: np.concatenate([part[kind] for part in parts])[: len(x)] for kind in kinds}


def layer_errors(
    architecture: settings.Architecture,
    x: NDArray[Any],
    inputs: InputsOf,
    programs: Programs = compile_in_memory,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``recursion.InfiniteNetwork.layer_errors`` of all images of ``x``, shape (depth, n) each.

    The arguments are those of :func:`gram`.
    """
    network = infinite(architecture)
    parts = _by_tiles(("layer errors", architecture), network.layer_errors, x, inputs, programs)
    variances, errors = (
        np.concatenate(part, axis=1)[:, : len(x)] for part in zip(*parts, strict=True)
    )
    return variances, errors


def _by_tiles(
    key: tuple[Any, ...],
    function: Callable[[jax.Array], Any],
    x: NDArray[Any],
    inputs: InputsOf,
    programs: Programs,
) -> list[Any]:
    """A function of the inputs of each whole tile of ``x``.

    Args:
        key: what tells the program of the function from others, beside its shape.
        function: of inputs of shape (_TILE, pixels), to be compiled in float64.
        x: images of shape (n, pixels).
        inputs: makes the float64 inputs of a tile of images.
        programs: provides the compiled program.
    """
    with pinned(x64=True):
        shape = jax.ShapeDtypeStruct((_TILE, x.shape[1]), np.float64)
        program = programs((*key, shape.shape), lambda: jax.jit(function).lower(shape))
        return [program(inputs(images)) for images in whole_tiles(x, _TILE)]


def tile_function(network: InfiniteNetwork, kinds: Sequence[str]) -> TileFunction:
    """The kernels of a tile, to be called under ``jax.jit`` in float64.

    Args:
        network: whose kernels are computed.
        kinds: of ``recursion.KINDS``.

    Returns:
        A function of ``network.points`` of two arrays of inputs and, optionally, of the number of
        rows that are needed. Rows beyond it may be zero.
    """

    def tile(of1: Points, of2: Points, rows: jax.Array | None = None) -> dict[str, jax.Array]:
        inner = inner_products(of1.directions, of2.directions)
        height = gcd(len(inner), STRIP)
        needed = len(inner) // height if rows is None else -(-rows // height)

        def strip(i: jax.Array, matrices: dict[str, jax.Array]) -> dict[str, jax.Array]:
            start = i * height
            products = jax.lax.dynamic_slice_in_dim(inner, start, height)
            values = network.between(of1.rows(start, height), of2, kinds, products)
            put = partial(jax.lax.dynamic_update_slice_in_dim, start_index=start, axis=0)
            return {kind: put(matrices[kind], values[kind]) for kind in kinds}

        empty = {kind: jnp.zeros(inner.shape, of1.variances.dtype) for kind in kinds}
        return jax.lax.fori_loop(0, needed, strip, empty)

    return tile


def whole_tile(x: NDArray[Any], rows: int) -> NDArray[Any]:
    """``x`` with its first row repeated until it has ``rows`` rows.

    The caller cuts off the values that belong to the repeated rows.
    """
    return np.concatenate([x, np.broadcast_to(x[0], (rows - len(x), x.shape[1]))])


def whole_tiles(x: NDArray[Any], rows: int) -> list[NDArray[Any]]:
    """``x`` in tiles of ``rows`` rows; the last one is filled by :func:`whole_tile`."""
    return [whole_tile(x[start : start + rows], rows) for start in range(0, len(x), rows)]


def _program(
    architecture: settings.Architecture, pixels: int, kinds: tuple[str, ...], programs: Programs
) -> Callable[..., Any]:
    """The compiled function of two whole tiles of inputs."""
    shape = jax.ShapeDtypeStruct((_TILE, pixels), np.float64)
    network = infinite(architecture)
    tile = tile_function(network, kinds)

    def of_inputs(x1: jax.Array, x2: jax.Array, rows: jax.Array) -> dict[str, jax.Array]:
        return tile(network.points(x1), network.points(x2), rows)

    return programs(
        ("kernel", architecture, kinds, shape.shape),
        lambda: jax.jit(of_inputs).lower(shape, shape, np.int64(1)),
    )
