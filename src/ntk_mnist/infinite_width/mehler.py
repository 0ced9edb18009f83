"""The dual of an activation without a closed form, by its Hermite series.

Let h_k be the Hermite polynomials, orthonormal under a standard normal z. For jointly normal u and
v of variances a and b and correlation c (Mehler 1866; Daniely et al. 2016, arXiv:1602.05897,
section 3),

    E[φ(u) φ(v)] = Σ_k α_k(a) α_k(b) c^k,    α_k(a) = E[φ(√a z) h_k(z)],

and the same holds for φ′ with its coefficients α′_k. Integration by parts gives
α_k = √(a/k) α′_{k−1} for k ≥ 1. So one Gauss–Hermite rule for φ′ gives both, and a small variance
costs no digits.

*No cancellation.* Let p_k = α_k(a) α_k(b), and P_j = Σ_{k ≥ j} p_k. Then

    Σ_k p_k (1 − c^k) = (1 − c) Σ_{j ≥ 0} P_{j+1} c^j,
    E[(φ(u) − φ(v))²] / 2 = Σ_k (α_k(a) − α_k(b))² / 2 + Σ_k p_k (1 − c^k),

which one sweep from the last term to the first adds up. The gap follows from that distance.

*Error.* The terms that are left out are at most the *tail* Σ_{k > K} α′_k² / E[φ′²] in relation to
E[φ′²]; for E[φ²] it is less. The pairs of a call share their number of terms, which follows from
the tail. The terms grow in proportion to the variance: a pole of φ at a distance y of the real axis
makes α_k fall as exp(−y √(k/a)). So there are several rules, each with twice the nodes and terms of
the one before. A larger one takes over, for a whole call, where a variance leaves too large a tail
of the smaller one: for tanh from 2.7 on, and from 5.5 on. Where the tail of the largest rule is too
large too, for tanh from 11 on, the result is NaN.

The Gauss–Hermite rule follows from the Jacobi matrix of the h_k (Golub & Welsch 1969): its
eigenvectors are √w_i h_k(x_i) for nodes x_i and weights w_i, which neither over- nor underflow.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ntk_mnist.infinite_width.pairs import Dual, DualPairs, Pairs, from_distance, ratio

__all__ = ["mehler_dual"]


class _Rule(NamedTuple):
    """A Gauss–Hermite rule. Its highest coefficients are wrong by about what it leaves out.

    Attributes:
        nodes: how many.
        terms: of a series of φ′, less than the nodes.
    """

    nodes: int
    terms: int


#: From small to large; each is used where those before it do not suffice.
_RULES = (_Rule(256, 192), _Rule(512, 384), _Rule(1024, 768))
#: Terms of a step of the loop.
_CHUNK = 8
#: A tail that is left out on purpose, in roundings, and the largest tail that is accepted.
_NEGLIGIBLE, _LARGEST = 64, 1e-9
#: The error of a dual, in tails. The rule adds as much as the series leaves out.
_TAILS = 4


class _Series(NamedTuple):
    """The series of φ for variances of any shape (…).

    Attributes:
        mean: α₀, shape (…).
        slopes: α′_k / √(k + 1), shape (terms, …).
        values: α_{k+1}, of the same shape.
        second: E[φ²], shape (…).
        shares: α′_k² / E[φ′²], shape (terms, …).
        tail: what all of them leave of 1, shape (…).
    """

    mean: jax.Array
    slopes: jax.Array
    values: jax.Array
    second: jax.Array
    shares: jax.Array
    tail: jax.Array


def mehler_dual(function: Callable[[jax.Array], jax.Array], *, symmetric: bool = False) -> Dual:
    """The dual of any smooth activation.

    Args:
        function: φ, elementwise; JAX derives φ′. It has to be analytic near the real axis: at a
            kink, the series converges too slowly, and every variance is refused.
        symmetric: whether φ(z) − φ(0) is odd. That is faster, and exact where φ is odd and a
            correlation is near −1.

    Returns:
        Its ``variance`` is NaN where the series has not converged, ``error`` infinite.
    """
    step = 2 if symmetric else 1

    def moments(a: jax.Array, rules: Sequence[_Rule] = _RULES) -> tuple[jax.Array, jax.Array]:
        """E[φ²] and the tail of each variance, by the first rule that suffices for it."""
        first, *larger = rules
        s = _series(function, a, first, symmetric=symmetric)
        known = _converged(s.tail)
        if not larger:
            return jnp.where(known, s.second, jnp.nan), s.tail

        def refined() -> tuple[jax.Array, jax.Array]:
            second, tail = moments(a, larger)
            return jnp.where(known, s.second, second), jnp.where(known, s.tail, tail)

        return jax.lax.cond(known.all(), lambda: (s.second, s.tail), refined)

    def error(a: jax.Array) -> jax.Array:
        _, tail = moments(a)
        claim = _TAILS * tail + _NEGLIGIBLE * jnp.finfo(tail.dtype).eps
        return jnp.where(_converged(tail), claim, jnp.inf)

    def sums_of(
        a: jax.Array, b: jax.Array, y: jax.Array, rules: Sequence[_Rule] = _RULES
    ) -> tuple[_Moments, _Moments, _Sums]:
        """By the first rule that suffices for all variances."""
        first, *larger = rules
        s, t = (_series(function, value, first, symmetric=symmetric) for value in (a, b))

        def summed() -> tuple[_Moments, _Moments, _Sums]:
            return _Moments(s.mean, s.second), _Moments(t.mean, t.second), _sweep(s, t, y, step)

        if not larger:
            return summed()
        known = _converged(s.tail).all() & _converged(t.tail).all()
        return jax.lax.cond(known, summed, lambda: sums_of(a, b, y, larger))

    def pairs(p: Pairs) -> DualPairs:
        opposite = (p.correlation < 0) & symmetric & (function(jnp.zeros(())) == 0)
        p = p._replace(correlation=jnp.where(opposite, 1 - p.gap, p.correlation))
        c, below = p.correlation, p.below_one
        s, t, sums = sums_of(p.variance1, p.variance2, c**step)
        # Of c^k with odd k alone, (1 − c^k) / (1 − c) = 1 + c (1 + c) (1 + c² + … + c^(k−3)).
        bend = sums.total + (c * (1 + c) if symmetric else c) * sums.bend
        less = p.scale * below * bend
        correlation, gap = from_distance(
            p.equal,
            s.mean * t.mean + (p.scale * sums.total - less),
            ((s.mean - t.mean) ** 2 + sums.distance) / 2 + less,
            s.second,
            t.second,
        )
        return DualPairs(jnp.where(opposite, -correlation, correlation), gap, sums.derivative)

    return Dual(lambda a: moments(a)[0], pairs, error)


def _converged(tail: jax.Array) -> jax.Array:
    return tail <= _LARGEST


@cache
def _table(rule: _Rule) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The nodes x > 0, shape (m,), their weights, and w h_k(x), shape (m, terms)."""
    off_diagonal = np.diag(np.sqrt(np.arange(1, rule.nodes)), 1)
    nodes, vectors = np.linalg.eigh(off_diagonal + off_diagonal.T)
    of_nodes = vectors[:, nodes > 0] * np.sign(vectors[0, nodes > 0])
    return nodes[nodes > 0], of_nodes[0] ** 2, (of_nodes[0] * of_nodes[: rule.terms]).T


def _series(
    function: Callable[[jax.Array], jax.Array], a: jax.Array, rule: _Rule, *, symmetric: bool
) -> _Series:
    x, weights, table = _table(rule)
    root = jnp.sqrt(a)

    def at(nodes: NDArray[np.float64]) -> tuple[jax.Array, jax.Array]:
        z = root[..., None] * nodes
        value, slope = jax.jvp(function, (z,), (jnp.ones_like(z),))
        return value, slope

    right, slope = at(x)
    if symmetric:
        mean = jnp.broadcast_to(function(jnp.zeros((), a.dtype)), a.shape)
        second = mean**2 + 2 * ((right - mean[..., None]) ** 2 @ weights)
        energy, orders = 2 * (slope**2 @ weights), np.arange(1, rule.terms, 2)
        coefficients = 2 * (slope @ table[:, ::2])
    else:
        left, slope_left = at(-x)
        mean, second = (right + left) @ weights, (right**2 + left**2) @ weights
        energy, orders = (slope**2 + slope_left**2) @ weights, np.arange(1, rule.terms + 1)
        even, odd = (slope + slope_left) @ table[:, ::2], (slope - slope_left) @ table[:, 1::2]
        coefficients = jnp.stack([even, odd], axis=-1).reshape(*a.shape, rule.terms)
    coefficients = jnp.moveaxis(coefficients, -1, 0)
    shares = ratio(coefficients**2, energy)
    # A constant may have no derivative, and any other function has one somewhere.
    tail = jnp.where(a == 0, 0, abs(1 - shares.sum(axis=0)))
    slopes = coefficients / np.sqrt(orders).reshape(-1, *[1] * a.ndim)
    return _Series(mean, slopes, root * slopes, second, shares, tail)


class _Moments(NamedTuple):
    """E[φ] and E[φ²] of variances."""

    mean: jax.Array
    second: jax.Array


class _Sums(NamedTuple):
    """Sums over the terms of two series, in powers of y.

    With q_i the product of the two ``slopes``, and Q_i = Σ_{j ≥ i} q_j:

    Attributes:
        total: Q₀.
        bend: Σ_i Q_{i+1} y^i.
        derivative: E[φ′(u) φ′(v)].
        distance: the sum of squared differences of the two ``values``.
    """

    total: jax.Array
    bend: jax.Array
    derivative: jax.Array
    distance: jax.Array


def _sweep(s: _Series, t: _Series, y: jax.Array, step: int) -> _Sums:
    """By Horner's rule; ``step`` is 2 if every second coefficient vanishes."""
    chunks = jnp.maximum(_chunks(s), _chunks(t))

    def chunk(n: jax.Array, sums: _Sums) -> _Sums:
        start = (chunks - 1 - n) * _CHUNK
        tables = (s.slopes, t.slopes, s.values, t.values)
        rows = [jax.lax.dynamic_slice_in_dim(table, start, _CHUNK) for table in tables]
        total, bend, derivative, distance = sums
        for i in reversed(range(_CHUNK)):
            slope1, slope2, value1, value2 = (row[i] for row in rows)
            product = slope1 * slope2
            bend = bend * y + total
            total = total + product
            derivative = derivative * y + (step * (start + i) + 1) * product
            distance = distance + (value1 - value2) ** 2
        return _Sums(total, bend, derivative, distance)

    zero = jnp.zeros(y.shape, y.dtype)
    return jax.lax.fori_loop(0, chunks, chunk, _Sums(zero, zero, zero, zero))


def _chunks(s: _Series) -> jax.Array:
    """How many steps of the loop leave out a negligible tail of every variance."""
    shares = jnp.where(_converged(s.tail), s.shares, 0).reshape(len(s.shares), -1).max(axis=1)
    left = jnp.cumsum(shares.reshape(-1, _CHUNK).sum(axis=1)[::-1])[::-1]
    return jnp.maximum((left > _NEGLIGIBLE * jnp.finfo(left.dtype).eps).sum(), 1)
