"""Where signals go in a deep network of infinite width: order, chaos and the line between them.

A hidden layer maps the variance q of its inputs, and the correlation c of a pair of them
(``recursion``). With z standard normal, and u and v jointly normal of variance q* and correlation
c, the maps are

    q ← σ_w² E[φ(√q z)²] + σ_b²,    with the fixed point q*,
    c ← (σ_w² E[φ(u) φ(v)] + σ_b²) / q*,    with the fixed point c*.

c = 1 is a fixed point too. The slope of the second map there is

    χ₁ = σ_w² E[φ′(√q* z)²].

For χ₁ < 1, the ordered phase, all inputs become alike, and c* = 1. For χ₁ > 1, the chaotic phase,
near inputs move apart, and c* < 1. A difference from c* is multiplied by the slope at c*,
σ_w² E[φ′(u) φ′(v)], in each layer, so it falls as exp(−layers / ξ_c) with the depth scale
ξ_c = −1 / log slope. On the critical line χ₁ = 1 it does not, and inputs stay apart in networks of
any depth. That line has q as its parameter:

    σ_w²(q) = 1 / E[φ′(√q z)²],    σ_b²(q) = q − σ_w²(q) E[φ(√q z)²].

Where q* is 0 or infinite, the map of c has no fixed point of its own: it depends on q, which moves
from layer to layer. For ReLU, χ₁ = σ_w² / 2 whatever q is; without a bias its map of c does not
depend on q, and c approaches 1 as a power of the depth.

Sources: Poole et al. 2016 (arXiv:1606.05340) for the maps, fixed points and χ₁; Schoenholz et al.
2017 (arXiv:1611.01232) for ξ_c. All follows from the activation's own ``Dual``. The fixed points
are found by bisection: E[φ(√q z)²] grows with q for the activations here, and E[φ(u) φ(v)] is a
power series in c with coefficients of at least 0 (``mehler``), hence convex for c ≥ 0.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ntk_mnist.infinite_width.pairs import Dual, Pairs

__all__ = ["Phase", "critical_line", "phase"]

#: Steps of a bisection: from the interval [0, 1] to 10⁻³⁶.
_HALVINGS = 120
#: Steps of the search for a variance that the layer makes smaller. There is none beyond 10⁶⁰.
_DOUBLINGS = 200
#: A slope that is nearer to 1 is 1: a series may be off by as much.
_SLOPE_ERROR = 1e-9
#: Without a bias, a fixed variance that is smaller, in units of the first layer's, is 0.
_VANISHING = 1e-9


class Phase(NamedTuple):
    """What becomes of inputs in deep networks, arrays of one shape.

    Attributes:
        variance: q*; infinite if the variance grows without bound, NaN if the dual does not know
            the variances on the way.
        slope: χ₁; NaN if the dual does not know it at q*.
        correlation: c*; NaN where q* is 0, infinite or NaN.
        depth_scale: ξ_c, layers; infinite on the critical line and where q* is 0 or infinite.
    """

    variance: jax.Array
    slope: jax.Array
    correlation: jax.Array
    depth_scale: jax.Array


def phase(dual: Dual, weights: Any, biases: Any) -> Phase:
    """The fixed points of networks; to be called in float64.

    q* is the fixed point that inputs of mean square 1 approach, if there is one on that side alone.

    Args:
        dual: of the activation.
        weights: σ_w² = ``W_std``², shape (…).
        biases: σ_b² = ``b_std``², of the same shape.

    Returns:
        Arrays of that shape.
    """
    return jax.jit(partial(_phase, dual))(jnp.asarray(weights), jnp.asarray(biases))


def critical_line(dual: Dual, variances: Any) -> tuple[jax.Array, jax.Array]:
    """σ_w² and σ_b² of the networks of given q* with χ₁ = 1; to be called in float64.

    Args:
        dual: of the activation.
        variances: q > 0, shape (n,).

    Returns:
        Two arrays of shape (n,), NaN where the dual does not know the variance. Where σ_b² is
        negative there is no such network. If φ is of degree 1, σ_w² is the same for all q, σ_b² is
        0 up to rounding, and χ₁ = 1 whatever σ_b² is.
    """
    q = jnp.asarray(variances)
    weights = 1 / _slope_of(dual, q)
    return weights, q - weights * dual.variance(q)


def _phase(dual: Dual, weights: jax.Array, biases: jax.Array) -> Phase:
    variance = _fixed_variance(dual, weights, biases)
    slope = weights * _slope_of(dual, variance)
    usual = (variance > 0) & jnp.isfinite(variance)
    q = jnp.where(usual, variance, 1)
    second = dual.variance(q)

    def attracts(gap: jax.Array) -> jax.Array:
        """Whether a layer makes inputs of the correlation 1 − gap more alike."""
        after = dual.pairs(Pairs(q, q, 1 - gap, gap))
        below = Pairs(second, second, after.correlation, after.gap).below_one
        return weights * second / q * below < gap

    chaotic = slope > 1 + _SLOPE_ERROR
    gap = _bisected(attracts, jnp.zeros_like(q), jnp.ones_like(q))
    gap = jnp.where(chaotic, gap, 0)
    there = weights * dual.pairs(Pairs(q, q, 1 - gap, gap)).derivative
    depth_scale = jnp.where(usual, 1 / abs(jnp.log(jnp.where(chaotic, there, slope))), jnp.inf)
    unknown = jnp.isnan(variance)
    return Phase(
        variance,
        slope,
        jnp.where(usual, 1 - gap, jnp.nan),
        jnp.where(unknown, jnp.nan, depth_scale),
    )


def _slope_of(dual: Dual, q: jax.Array) -> jax.Array:
    """E[φ′(√q z)²]; NaN where the dual does not know q."""
    one, zero = jnp.ones_like(q), jnp.zeros_like(q)
    derivative = dual.pairs(Pairs(q, q, one, zero)).derivative
    return jnp.where(jnp.isnan(dual.variance(q)), jnp.nan, derivative)


def _fixed_variance(dual: Dual, weights: jax.Array, biases: jax.Array) -> jax.Array:
    def after(q: jax.Array) -> jax.Array:
        return weights * dual.variance(q) + biases

    # That of the first layer.
    start = weights + biases
    grows = after(start) > start
    high = jax.lax.fori_loop(0, _DOUBLINGS, lambda _, q: jnp.where(after(q) > q, 2 * q, q), start)
    found = _bisected(lambda q: after(q) <= q, jnp.where(grows, start, 0), high)
    # Without a bias, rounding hides how much smaller a layer makes the smallest variances.
    found = jnp.where((biases == 0) & (found < _VANISHING * start), 0, found)
    # Of ReLU with σ_w² = 2 and no bias, every q is one.
    found = jnp.where(after(start) == start, start, found)
    found = jnp.where(after(high) > high, jnp.inf, found)
    return jnp.where(jnp.isnan(after(start) + after(high)), jnp.nan, found)


def _bisected(
    beyond: Callable[[jax.Array], jax.Array], low: jax.Array, high: jax.Array
) -> jax.Array:
    """Where ``beyond`` becomes true between ``low`` and ``high``.

    That is ``low`` if it always is, and about ``high`` if it never is.
    """

    def halve(_: object, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        low, high = ends
        middle = (low + high) / 2
        is_beyond = beyond(middle)
        return jnp.where(is_beyond, low, middle), jnp.where(is_beyond, middle, high)

    found, end = jax.lax.fori_loop(0, _HALVINGS, halve, (low, high))
    return jnp.where(found == low, low, (found + end) / 2)
