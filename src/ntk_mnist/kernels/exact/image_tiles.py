"""Images in tiles of equal numbers of rows, and the kernel of two tiles."""

from functools import partial
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from ntk_mnist import settings
from ntk_mnist.architecture import infinite
from ntk_mnist.compilation import compiler_options
from ntk_mnist.infinite_width.recursion import Points
from ntk_mnist.kernels.gram import InputsOf, tile_function, whole_tile

__all__ = ["ImageTiles", "TileKernel", "on_host", "product"]


class TileKernel:
    """Θ of two tiles of images, times a scale; to be called in float64.

    Programs are compiled for each shape of tiles. That takes half a second; so they are no part of
    other programs, which use their results.

    Args:
        architecture: its infinite-width limit is taken.
        kind: ``nngp`` or ``ntk``.
        inputs: makes the float64 inputs of a tile of images, inside a compiled program.
        scale: a power of two, which rounds nothing.
        proportional: whether images are bytes, and each input is a multiple of its image.
    """

    def __init__(
        self,
        architecture: settings.Architecture,
        kind: str,
        inputs: InputsOf,
        scale: float = 1.0,
        *,
        proportional: bool = False,
    ) -> None:
        network = infinite(architecture)
        tile = tile_function(network, (kind,))
        self.proportional = proportional
        compiled = partial(jax.jit, compiler_options=compiler_options())
        self._points = compiled(lambda x: network.points(inputs(x), x if proportional else None))
        self._kernel = compiled(lambda of1, of2: scale * tile(of1, of2)[kind])

    def points(self, images: NDArray[Any]) -> Points:
        """What each image alone contributes; images have shape (m, pixels)."""
        points: Points = self._points(images)
        return points

    def __call__(self, of1: Points, of2: Points) -> jax.Array:
        """Θ between n1 and n2 images, shape (n1, n2)."""
        kernel: jax.Array = self._kernel(of1, of2)
        return kernel


def on_host() -> bool:
    """Whether JAX computes where NumPy does; BLAS multiplies faster there than XLA."""
    return jax.local_devices()[0].platform == "cpu"


def product(a: Any, b: Any) -> Any:
    """A B, where A or B may be a tile: by BLAS on a host, else by XLA, where the tile is."""
    return np.asarray(a) @ np.asarray(b) if on_host() else _by_xla(a, b)


@jax.jit
def _by_xla(a: jax.Array, b: jax.Array) -> jax.Array:
    return a @ b


class ImageTiles:
    """Images, as the kernels of their tiles need them.

    Args:
        kernel: of two tiles.
        images: shape (n, pixels). Bytes stay bytes: float64 inputs would take eight times the
            memory.
        tile: rows of a tile.

    Attributes:
        tile: as given.
        count: of tiles.
    """

    def __init__(self, kernel: TileKernel, images: NDArray[Any], tile: int) -> None:
        self._kernel, self._images, self.tile = kernel, images, tile
        self.count = -(-len(images) // tile)
        self._kept: dict[int, Points] = {}

    def rows(self, i: int) -> slice:
        """Where the images of a tile are among all of them; the last tile may have fewer."""
        return slice(i * self.tile, min((i + 1) * self.tile, len(self._images)))

    def points(self, i: int) -> Points:
        """Of a tile of images; the last tile repeats its first image until it is whole.

        Those of bytes are small, and kept.
        """
        if i in self._kept:
            return self._kept[i]
        points = self._kernel.points(whole_tile(self._images[self.rows(i)], self.tile))
        if self._kernel.proportional:
            self._kept[i] = points
        return points

    def padded(self, i: int, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """The rows of ``vectors`` that belong to a tile, with zeros until it is whole."""
        rows = vectors[self.rows(i)]
        return np.pad(rows, ((0, self.tile - len(rows)), (0, 0)))
