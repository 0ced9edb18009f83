"""The correlations of two sets of inputs, precise where two inputs are parallel.

With x̂ = x / |x|, the correlation of two inputs is c = x̂ · ŷ, and its rounding error is about
10⁻¹⁶. Where the inputs are nearly parallel, their angle is lost in that: an error of 10⁻¹⁶ in c is
one of 10⁻⁸ in an angle of 0. There the *gap* 1 − |c| is computed from the squared distance

    1 − |c| = |x̂ ∓ ŷ|² / 2 = (|x̂|² + |ŷ|² ∓ 2 x̂ · ŷ) / 2

by sums that float64 holds exactly: x̂ = h + l, where h is a multiple of 2⁻²⁴ and l one of 2⁻⁴⁷, so
that the products h · h′ and h · l′ are sums of integers below 2⁵³ times a power of two (the
splitting of Ozaki et al. 2012), for up to 16,000 pixels. What is cut off of p pixels turns x̂ by
about 5 · 10⁻¹⁵ √p, which is 10⁻¹³ for 784.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from ntk_mnist.infinite_width.pairs import ratio

__all__ = ["correlations"]

#: Where a gap of a block is smaller, the block is computed by exact sums. The error of an angle is
#: at most about 10⁻¹⁴ elsewhere.
_NEAR = 1e-4
#: Of the columns.
_BLOCKS = 16
#: The grids of h and l. A squared distance that is less, a pixel, is that of the grid: 0.
_HIGH, _LOW, _LEAST = 2.0**24, 2.0**47, 2.6e-29


def correlations(x1: jax.Array, x2: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Correlations of inputs, and their gaps 1 − |c|.

    Args:
        x1: float64, shape (n1, pixels).
        x2: float64, shape (n2, pixels).

    Returns:
        Two arrays of shape (n1, n2). The correlation with an input that is zero is 0.
    """
    x1, x2 = _directions(x1), _directions(x2)
    c = jnp.clip(x1 @ x2.T, -1, 1)
    gap = 1 - abs(c)
    gap = _unless(gap >= _NEAR, gap, lambda: _exact_by_blocks(x1, x2, c, gap))
    return jnp.where(c < 0, gap - 1, 1 - gap), gap


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


def _directions(x: jax.Array) -> jax.Array:
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
