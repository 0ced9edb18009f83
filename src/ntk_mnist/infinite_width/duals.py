"""The dual of an activation: what a layer of infinite width does to a kernel.

Let (u, v) be jointly normal with mean zero, variances a₁ and a₂ and correlation c. The dual of an
activation φ is the kernel E[φ(u) φ(v)], and that of its derivative, E[φ′(u) φ′(v)], enters the NTK
(Cho & Saul 2009; Daniely et al. 2016, arXiv:1602.05897).

*No cancellation.* The published closed forms contain √(a₁a₂ − q²) for q = √(a₁a₂) c, in which all
digits cancel where the two inputs are parallel: the NTK of ReLU is then off by 10⁻⁸. So a pair is
given by its correlation and by its *gap* 1 − |c| (``pairs.Pairs``), and a dual returns the gap of
its values too:

    a₁a₂ − q² = a₁a₂ s,    s = gap (2 − gap).

With the gap known to some relative error, no term below loses digits, for variances from the
smallest to the largest numbers of float64. All functions are elementwise, in float64; variances
broadcast against pairs.

The closed forms: ReLU and abs, Cho & Saul 2009, eqs. 3 to 6; erf, Williams 1997, eq. 11; gelu,
Tsuchida et al. 2021 (arXiv:2002.08517); sin, from E[cos] of a normal variable, Pearce et al. 2020.
They are brought to a form without cancellation here, and the tests compare each with quadrature and
with closed forms in many digits. An activation without a closed form has a series (``mehler``).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ntk_mnist.infinite_width.angles import angle_over_chord, bend_over_chord
from ntk_mnist.infinite_width.arctan2 import arctan2
from ntk_mnist.infinite_width.mehler import mehler_dual
from ntk_mnist.infinite_width.pairs import Dual, DualPairs, Pairs, from_distance, nearer, ratio

__all__ = ["DUALS"]


def _angle(p: Pairs) -> tuple[jax.Array, jax.Array]:
    """The angle between u and the nearer of v and −v, in [0, π/2]; and sin − angle · cos of it.

    As polynomials (``angles``): a layer of ReLU is then one root, multiplications and sums.
    """
    return p.chord * angle_over_chord(p.gap), p.chord * p.gap * bend_over_chord(p.gap)


def _relu(p: Pairs) -> DualPairs:
    angle, bend = _angle(p)
    bend = bend / jnp.pi
    acute = p.correlation >= 0
    gap = jnp.where(acute, p.gap - bend, 1 - bend)
    derivative = jnp.where(acute, jnp.pi - angle, angle) / (2 * jnp.pi)
    return DualPairs(jnp.where(acute, 1 - gap, bend), gap, derivative)


def _abs(p: Pairs) -> DualPairs:
    angle, bend = _angle(p)
    gap = p.gap - bend * (2 / jnp.pi)
    sign = jnp.where(p.correlation < 0, -1.0, 1.0)
    return DualPairs(1 - gap, gap, sign * (1 - angle * (2 / jnp.pi)))


class _Smoothed(NamedTuple):
    """The angle α between u + ξ and v + η, for independent ξ and η of variance 1.

    The duals of erf and gelu are functions of it. cos α₁ = a₁ / (1 + a₁) is that of two variables
    of variance a₁ and correlation 1, and likewise α₂.

    Attributes:
        rest1, rest2: 1 / (1 + a).
        own1, own2: cos α₁ = a₁ / (1 + a₁), and cos α₂.
        sine1, sine2: sin α₁ and sin α₂.
        cosine, sine: of α.
        more1, more2: sin² α − sin² α₁, and that of α₂.
        less1, less2: α − α₁ and α − α₂.
    """

    rest1: jax.Array
    rest2: jax.Array
    own1: jax.Array
    own2: jax.Array
    sine1: jax.Array
    sine2: jax.Array
    cosine: jax.Array
    sine: jax.Array
    more1: jax.Array
    more2: jax.Array
    less1: jax.Array
    less2: jax.Array

    @property
    def swapped(self) -> "_Smoothed":
        """That of (v, u)."""
        pairs = zip(self[0::2], self[1::2], strict=True)
        return _Smoothed(*(value for pair in pairs for value in reversed(pair)))._replace(
            cosine=self.cosine, sine=self.sine
        )


def _smoothed(p: Pairs) -> _Smoothed:
    rest1, rest2 = 1 / (1 + p.variance1), 1 / (1 + p.variance2)
    own1, own2 = p.variance1 * rest1, p.variance2 * rest2
    sine1, sine2 = jnp.sqrt(rest1 * (1 + own1)), jnp.sqrt(rest2 * (1 + own2))
    both = own1 * own2 * p.sine_squared
    cosine = jnp.sqrt(own1) * jnp.sqrt(own2) * p.correlation
    sine = jnp.sqrt(rest1 * rest2 + own1 * rest2 + rest1 * own2 + both)
    # cos² α₁ − cos² α = cos α₁ (cos α₁ − cos α₂) + both.
    difference = (p.variance1 - p.variance2) * rest1 * rest2
    more1, more2 = own1 * difference + both, both - own2 * difference

    def less(own: Any, other: Any, own_sine: jax.Array, difference: jax.Array) -> jax.Array:
        # sin (α − α₁) = (cos² α₁ − cos² α) / (sin α cos α₁ + cos α sin α₁), whose numerator and
        # denominator are divided by √(cos α₁ cos α₂): their products could underflow.
        quotient = ratio(jnp.sqrt(own), jnp.sqrt(other))
        more = quotient * (difference + other * p.sine_squared)
        sine_less = ratio(more, sine * quotient + abs(p.correlation) * own_sine)
        sine_less = jnp.where(cosine < 0, sine * own - cosine * own_sine, sine_less)
        size = arctan2(abs(sine_less), cosine * own + sine * own_sine)
        return jnp.where(sine_less < 0, -size, size)

    return _Smoothed(
        *(rest1, rest2, own1, own2, sine1, sine2, cosine, sine, more1, more2),
        *(less(own1, own2, sine1, difference), less(own2, own1, sine2, -difference)),
    )


def _erf_variance(a: jax.Array) -> jax.Array:
    return arctan2(2 * a, jnp.sqrt(1 + 4 * a)) * (2 / jnp.pi)


def _erf(p: Pairs) -> DualPairs:
    # E[φ(u) φ(v)] = (2/π) (π/2 − α), of twice the variances. erf is odd.
    p, opposite = p.of_equal_sign, p.correlation < 0
    s = _smoothed(p._replace(variance1=2 * p.variance1, variance2=2 * p.variance2))
    correlation, gap = from_distance(
        p.equal,
        arctan2(s.cosine, s.sine) * (2 / jnp.pi),
        (s.less1 + s.less2) / jnp.pi,
        _erf_variance(p.variance1),
        _erf_variance(p.variance2),
    )
    derivative = (4 / jnp.pi) * jnp.sqrt(s.rest1 * s.rest2) / s.sine
    return DualPairs(jnp.where(opposite, -correlation, correlation), gap, derivative)


def _gelu_variance(a: jax.Array) -> jax.Array:
    rest = 1 / (1 + a)
    own = a * rest
    sine = jnp.sqrt(rest * (1 + own))
    return a * (jnp.pi - arctan2(sine, own) + 2 * own * rest / sine) / (2 * jnp.pi)


def _gelu(p: Pairs) -> DualPairs:
    # 2π E[φ(u) φ(v)] = q (π − α) + t for q = E[u v], and the same for the variances.
    s = _smoothed(p)
    angle, q = arctan2(s.sine, s.cosine), p.scale * p.correlation
    root1, root2 = jnp.sqrt(p.variance1 * s.own1), jnp.sqrt(p.variance2 * s.own2)
    product, rests = root1 * root2, s.rest1 + s.rest2
    t = product * (p.sine_squared + (1 - p.sine_squared) * rests) / s.sine
    both = _less_gelu(p, s, angle, q) + _less_gelu(p.swapped, s.swapped, angle, q)
    correlation, gap = from_distance(
        p.equal,
        (q * (jnp.pi - angle) + t) / (2 * jnp.pi),
        both / (4 * jnp.pi),
        _gelu_variance(p.variance1),
        _gelu_variance(p.variance2),
    )
    derivative = s.cosine / s.sine * (rests + s.rest1 * s.rest2 / s.sine**2)
    return DualPairs(correlation, gap, (jnp.pi - angle + derivative) / (2 * jnp.pi))


def _less_gelu(p: Pairs, s: _Smoothed, angle: jax.Array, q: jax.Array) -> jax.Array:
    """2π (E[φ(u)²] − E[φ(u) φ(v)]), without a difference of large numbers."""
    root, other = jnp.sqrt(p.variance1), jnp.sqrt(p.variance2)
    less_q = root * ((root - other) + other * p.below_one)
    # t₁ − t, by the differences of its three factors.
    root, other = jnp.sqrt(p.variance1 * s.own1), jnp.sqrt(p.variance2 * s.own2)
    rests = s.rest1 + s.rest2
    of_sines = root * other * rests * s.more1 / (s.sine * s.sine1 * (s.sine + s.sine1))
    less_rest = (p.variance2 - p.variance1) * s.rest1 * s.rest2
    of_roots = root * (2 * s.rest1 * (root - other) + less_rest * other) / s.sine1
    of_gap = root * other * p.sine_squared * (1 - rests) / s.sine
    of_angle = less_q * (jnp.pi - angle + s.less1) + q * s.less1
    return of_angle + of_sines + of_roots - of_gap


def _sin_variance(a: jax.Array) -> jax.Array:
    return -jnp.expm1(-2 * a) / 2


def _sin(p: Pairs) -> DualPairs:
    # E[sin u sin v] = exp(−h) (1 − exp(−2|q|)) / 2 with |q| = √(a₁a₂) |c|; the same, for |c|, of
    # the cosines, with a sum. sin is odd. h = (a₁ + a₂) / 2 − |q|.
    root1, root2 = jnp.sqrt(p.variance1), jnp.sqrt(p.variance2)
    q = p.scale * (1 - p.gap)
    h = (root1 - root2) ** 2 / 2 + p.scale * p.gap

    def logarithm(a: jax.Array, less: jax.Array) -> jax.Array:
        """Of (1 − exp(−2|q|)) / (1 − exp(−2a)), with ``less`` for a − |q|."""
        change = jnp.exp(-2 * jnp.minimum(a, q)) * -jnp.expm1(-2 * abs(less))
        change = ratio(jnp.where(less < 0, change, -change), -jnp.expm1(-2 * a))
        # Rounding may make it less than −1 where q is 0.
        return jnp.log1p(jnp.maximum(change, -1))

    expm1, expm2 = -jnp.expm1(-2 * p.variance1), -jnp.expm1(-2 * p.variance2)
    scale = jnp.sqrt(expm1) * jnp.sqrt(expm2)
    direct = jnp.exp(-h) * ratio(-jnp.expm1(-2 * q), scale)
    log1 = logarithm(p.variance1, root1 * ((root1 - root2) + root2 * p.gap))
    log2 = logarithm(p.variance2, root2 * ((root2 - root1) + root1 * p.gap))
    below = jnp.clip(-jnp.expm1((log1 + log2) / 2 - h), 0, 1)
    similar = (jnp.sqrt(expm1) - jnp.sqrt(expm2)) ** 2 < scale
    correlation, gap = nearer(direct, below, similar)
    correlation = jnp.where(p.correlation < 0, -correlation, correlation)
    return DualPairs(correlation, gap, jnp.exp(-h) * (1 + jnp.exp(-2 * q)) / 2)


#: The dual of each activation of ``architecture.ACTIVATIONS``. A registry of its own, so that what
#: changes here solves kernels again and trains no network.
DUALS: Mapping[str, Dual] = {
    "relu": Dual(lambda a: a / 2, _relu),
    "erf": Dual(_erf_variance, _erf),
    "gelu": Dual(_gelu_variance, _gelu),
    "sin": Dual(_sin_variance, _sin),
    "abs": Dual(lambda a: a, _abs),
    "tanh": mehler_dual(jnp.tanh, symmetric=True),
    "sigmoid": mehler_dual(jax.nn.sigmoid, symmetric=True),
    "softplus": mehler_dual(jax.nn.softplus),
    "silu": mehler_dual(jax.nn.silu),
}
