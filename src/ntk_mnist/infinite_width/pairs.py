"""Pairs of normal variables, and what an activation makes of them.

The state of a kernel between two layers (``recursion``), and the parts that all duals share
(``duals``, ``mehler``).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

__all__ = ["Dual", "DualPairs", "Pairs", "from_distance", "nearer", "ratio"]


#: Where a correlation is nearer to 1 and the variances are similar, its gap is computed by itself.
_NEAR = 0.05


class Pairs(NamedTuple):
    """Pairs of normal variables u and v with mean zero.

    Attributes:
        variance1: a₁ = E[u²].
        variance2: a₂ = E[v²].
        correlation: c = E[u v] / √(a₁a₂), from −1 to 1.
        gap: 1 − |c|, to a small relative error.
        known_chord: ``chord``, if it is known.
    """

    variance1: jax.Array
    variance2: jax.Array
    correlation: jax.Array
    gap: jax.Array
    known_chord: jax.Array | None = None

    @property
    def chord(self) -> jax.Array:
        """√(2 gap), the distance of u and v, or −v, scaled to a variance of 1."""
        return jnp.sqrt(2 * self.gap) if self.known_chord is None else self.known_chord

    @property
    def equal(self) -> jax.Array:
        """Whether u = v."""
        return (self.gap == 0) & (self.correlation > 0) & (self.variance1 == self.variance2)

    @property
    def of_equal_sign(self) -> "Pairs":
        """The pairs (u, v) or (u, −v), whichever has a correlation of at least 0."""
        return self._replace(correlation=1 - self.gap)

    @property
    def swapped(self) -> "Pairs":
        """The pairs (v, u)."""
        return self._replace(variance1=self.variance2, variance2=self.variance1)

    @property
    def scale(self) -> jax.Array:
        """√(a₁a₂), exact for equal variances; the product itself could overflow."""
        roots = jnp.sqrt(self.variance1) * jnp.sqrt(self.variance2)
        return jnp.where(self.variance1 == self.variance2, self.variance1, roots)

    @property
    def below_one(self) -> jax.Array:
        """1 − c."""
        return jnp.where(self.correlation < 0, 2 - self.gap, self.gap)

    @property
    def above_minus_one(self) -> jax.Array:
        """1 + c."""
        return jnp.where(self.correlation < 0, self.gap, 2 - self.gap)

    @property
    def sine_squared(self) -> jax.Array:
        """s = 1 − c²."""
        return self.gap * (2 - self.gap)


class DualPairs(NamedTuple):
    """The dual of pairs.

    Attributes:
        correlation: E[φ(u) φ(v)] / √(E[φ(u)²] E[φ(v)²]).
        gap: 1 − |correlation|, to a small relative error.
        derivative: E[φ′(u) φ′(v)].
    """

    correlation: jax.Array
    gap: jax.Array
    derivative: jax.Array


class Dual(NamedTuple):
    """The dual of one activation φ.

    Attributes:
        variance: E[φ(u)²] of the variance of u.
        pairs: the dual of pairs.
        error: of the variance of u, the relative error of what the others return; infinite where
            they return NaN. None of a closed form, whose error is rounding.
    """

    variance: Callable[[jax.Array], jax.Array]
    pairs: Callable[[Pairs], DualPairs]
    error: Callable[[jax.Array], jax.Array] | None = None


def ratio(numerator: jax.Array | float, denominator: jax.Array) -> jax.Array:
    """The quotient; 0 where the denominator is 0, as for an image without a pixel."""
    zero = denominator == 0
    return jnp.where(zero, 0, numerator / jnp.where(zero, 1, denominator))


def from_distance(
    equal: jax.Array, value: jax.Array, half: jax.Array, second1: jax.Array, second2: jax.Array
) -> Any:
    """Correlation and gap of x = φ(u) and y = φ(v).

    Near a correlation of 1, they follow from the mean squared distance,

        E[(x − y)²] / 2 = (√E[x²] − √E[y²])² / 2 + √(E[x²] E[y²]) (1 − correlation).

    Args:
        equal: whether u = v; the distance is then 0, whatever was rounded.
        value: E[x y].
        half: E[(x − y)²] / 2.
        second1: E[x²].
        second2: E[y²].
    """
    root1, root2 = jnp.sqrt(second1), jnp.sqrt(second2)
    scale = root1 * root2
    below = jnp.clip(ratio(half - (root1 - root2) ** 2 / 2, scale), 0, 2)
    below = jnp.where(equal, 0, below)
    return nearer(ratio(value, scale), below, (root1 - root2) ** 2 < scale)


def nearer(correlation: jax.Array, below: jax.Array, similar: jax.Array) -> Any:
    """Correlation and gap, from the correlation itself or, near 1, from 1 − correlation."""
    near = (below < _NEAR) & similar
    correlation = jnp.where(near, 1 - below, jnp.clip(correlation, -1, 1))
    return correlation, jnp.where(near, below, 1 - abs(correlation))
