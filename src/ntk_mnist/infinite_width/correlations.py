"""The correlations of two sets of inputs, precise where two inputs are parallel.

With x̂ = x / |x|, the correlation of two inputs is c = x̂ · ŷ, and its rounding error is about
10⁻¹⁶. Where the inputs are nearly parallel, their angle is lost in that: an error of 10⁻¹⁶ in c is
one of 10⁻⁸ in an angle of 0. There the *gap* 1 − |c| is computed by itself.

*Bytes.* The inner products of images are integers. With 128 subtracted from each pixel, those of
1,024 pixels are below 2²⁴, so a product of matrices in float32 rounds nothing, in whatever order it
sums; it takes half the time of one in float64. With x · x, y · y and x · y exact,

    1 − c² = (x · x y · y − (x · y)²) / (x · x y · y),

whose numerator is a difference of integers that float64 holds, for up to 1,459 pixels. So it is
known to rounding for all pairs, and 0 for proportional images. Bytes are not negative, nor is c.

*Reals*, and larger images. Near 1, the gap follows from the squared distance

    1 − |c| = |x̂ ∓ ŷ|² / 2 = (|x̂|² + |ŷ|² ∓ 2 x̂ · ŷ) / 2

by sums that float64 holds exactly: x̂ = h + l, where h is a multiple of 2⁻²⁴ and l one of 2⁻⁴⁷, so
that the products h · h′ and h · l′ are sums of integers below 2⁵³ times a power of two (the
splitting of Ozaki et al. 2012), for up to 16,000 pixels. What is cut off of p pixels turns x̂ by
about 5 · 10⁻¹⁵ √p, which is 10⁻¹³ for 784.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from ntk_mnist.infinite_width.pairs import ratio

__all__ = ["Bytes", "Directions", "Reals", "correlations", "directions", "inner_products"]

#: Where a gap of a block is smaller, the block is computed by exact sums. The error of an angle is
#: at most about 10⁻¹⁴ elsewhere.
_NEAR = 1e-4
#: Of the columns.
_BLOCKS = 16
#: The grids of h and l. A squared distance that is less, a pixel, is that of the grid: 0.
_HIGH, _LOW, _LEAST = 2.0**24, 2.0**47, 2.6e-29
#: Pixels whose centred products float32 sums exactly, and whose squared sums float64 holds.
_CENTRE = 128
_EXACT_IN_FLOAT32, _EXACT_IN_FLOAT64 = 1024, 1459


class Bytes(NamedTuple):
    """Directions of m images of bytes.

    Attributes:
        pixels: uint8, shape (m, pixels).
        sums: of the pixels, float64, shape (m,).
        squares: x · x, float64, shape (m,).
    """

    pixels: jax.Array
    sums: jax.Array
    squares: jax.Array


class Reals(NamedTuple):
    """Directions of m inputs.

    Attributes:
        units: x / |x|, float64, shape (m, pixels); 0 for an input that is 0.
    """

    units: jax.Array


Directions: TypeAlias = Bytes | Reals


def directions(x: jax.Array) -> Directions:
    """Directions of inputs, or of images to which the inputs are parallel.

    Args:
        x: float64 or uint8, shape (m, pixels).
    """
    if x.dtype != jnp.uint8:
        return Reals(_units(x))
    pixels = x.astype(jnp.float64)
    return Bytes(x, pixels.sum(axis=1), (pixels**2).sum(axis=1))


def inner_products(of1: Directions, of2: Directions) -> jax.Array:
    """Of centred pixels, float32 or float64, or of x̂ and ŷ, float64; shape (n1, n2)."""
    if isinstance(of1, Reals) or isinstance(of2, Reals):
        return _units_of(of1) @ _units_of(of2).T
    centred1, centred2 = (of.pixels.astype(jnp.float32) - _CENTRE for of in (of1, of2))
    starts = range(0, centred1.shape[1], _EXACT_IN_FLOAT32)
    blocks = [slice(start, start + _EXACT_IN_FLOAT32) for start in starts]
    first, *others = [centred1[:, block] @ centred2[:, block].T for block in blocks]
    return sum((other.astype(jnp.float64) for other in others), first)


def correlations(of1: Directions, of2: Directions, inner: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Correlations of inputs, and their gaps 1 − |c|.

    Args:
        of1: of n1 inputs.
        of2: of n2 inputs.
        inner: their ``inner_products``.

    Returns:
        Two arrays of shape (n1, n2). The correlation with an input that is zero is 0.
    """
    if isinstance(of1, Bytes) and isinstance(of2, Bytes):
        # Here and not with the product, as XLA does not fuse it so fast.
        whole = _CENTRE * (of1.sums[:, None] + of2.sums) - _CENTRE**2 * of1.pixels.shape[1]
        inner = inner.astype(jnp.float64) + whole
        inverse1, inverse2 = (ratio(1, of.squares) for of in (of1, of2))
        c = inner * (jnp.sqrt(inverse1)[:, None] * jnp.sqrt(inverse2))
        if of1.pixels.shape[1] <= _EXACT_IN_FLOAT64:
            rest = of1.squares[:, None] * of2.squares - inner**2
            # Of an image that is zero, the correlation is 0 and the gap 1.
            gap = rest * (inverse1[:, None] * inverse2) / (1 + c)
            gap = jnp.where(inner == 0, 1, gap)
            return 1 - gap, gap
    else:
        c = inner
    c = jnp.clip(c, -1, 1)
    gap = 1 - abs(c)

    def exact() -> jax.Array:
        return _exact_by_blocks(_units_of(of1), _units_of(of2), c, gap)

    gap = _unless(gap >= _NEAR, gap, exact)
    return jnp.where(c < 0, gap - 1, 1 - gap), gap


def _units_of(of: Directions) -> jax.Array:
    if isinstance(of, Reals):
        return of.units
    return _units(of.pixels.astype(jnp.float64))


def _unless(far: jax.Array, gap: jax.Array, exact: Callable[[], jax.Array]) -> jax.Array:
    """The gaps of pairs that are far, and exact ones of the others, computed if there are any."""
    return jax.lax.cond(far.all(), lambda: gap, lambda: jnp.where(far, gap, exact()))


def _exact_by_blocks(x1: jax.Array, x2: jax.Array, c: jax.Array, gap: jax.Array) -> jax.Array:
    """Exact gaps of the blocks of columns in which a pair is near.

    In a tile of equal images, that is the diagonal alone.
    """
    blocks = next(n for n in (_BLOCKS, 1) if len(x2) % n == 0)

    def of_block(block: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
        others, c, gap = block
        return _unless(gap >= _NEAR, gap, lambda: _exact_gaps(x1, others, c < 0))

    def split(values: jax.Array) -> jax.Array:
        return values.reshape(len(x1), blocks, -1).swapaxes(0, 1)

    exact = jax.lax.map(of_block, (x2.reshape(blocks, -1, x2.shape[1]), split(c), split(gap)))
    return exact.swapaxes(0, 1).reshape(gap.shape)


def _units(x: jax.Array) -> jax.Array:
    # By the largest value first: its square, or that of the smallest, need not be representable.
    x = ratio(x, jnp.max(abs(x), axis=1, keepdims=True))
    return ratio(x, jnp.linalg.norm(x, axis=1, keepdims=True))


def _exact_gaps(x1: jax.Array, x2: jax.Array, opposite: jax.Array) -> jax.Array:
    (h1, l1), (h2, l2) = _split(x1), _split(x2)
    sign = jnp.where(opposite, -1, 1)

    def squares(a: jax.Array, b: jax.Array) -> jax.Array:
        return (a * b).sum(axis=1)

    high = squares(h1, h1)[:, None] + squares(h2, h2) - sign * 2 * (h1 @ h2.T)
    middle = squares(h1, l1)[:, None] + squares(h2, l2) - sign * (h1 @ l2.T + l1 @ h2.T)
    low = squares(l1, l1)[:, None] + squares(l2, l2) - sign * 2 * (l1 @ l2.T)
    distance = high + 2 * middle + low
    return jnp.where(distance < _LEAST * x1.shape[1], 0, distance) / 2


def _split(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    high = jnp.round(x * _HIGH) / _HIGH
    return high, jnp.round((x - high) * _LOW) / _LOW
