"""The angle of a correlation as a polynomial of its gap.

For c = 1 − g with 0 ≤ g ≤ 1, and the chord r = √(2g),

    θ = arccos c = r P(g),    sin θ − θ cos θ = r g R(g),

where P and R are analytic but for a branch point at g = 2, so that polynomials converge to them on
[0, 1] by a factor of 3 + √8 = 5.8 a degree. Their series at 0 are

    P(g) = Σ p_k g^k,    p_k = binom(2k, k) / (8^k (2k + 1)),
    R(g) = Σ (q_{k+1} − p_{k+1} + p_k) g^k,    √(1 − g/2) = Σ q_k g^k,

from arccos (1 − g) = 2 arcsin √(g/2) and sin θ = r √(1 − g/2). The coefficients follow from the
series, rearranged into Chebyshev polynomials, of which those below rounding are left out. Neither
function cancels where the angle is small, and neither divides.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import comb, fsum
from typing import Any

from numpy.polynomial import chebyshev

from ntk_mnist.infinite_width.horner import horner

__all__ = ["angle_over_chord", "bend_over_chord"]

#: Terms of the series, of which each is less than half of the one before.
_TERMS = 64
_ROUNDING = 2.0**-56


def _series() -> tuple[list[Fraction], list[Fraction]]:
    """The coefficients of P and R, from the constant on."""
    p = [Fraction(comb(2 * k, k), 8**k * (2 * k + 1)) for k in range(_TERMS + 1)]
    q = [Fraction(1)]
    for k in range(_TERMS):
        q.append(q[-1] * (Fraction(1, 2) - k) / (k + 1) * Fraction(-1, 2))
    return p[:_TERMS], [q[k + 1] - p[k + 1] + p[k] for k in range(_TERMS)]


def _polynomial(series: Sequence[Fraction]) -> Callable[[Any], Any]:
    """The function of g, an array of JAX or NumPy, by Horner's rule in x = 2g − 1.

    Even and odd powers are summed apart: a processor computes the two chains at once.
    """
    degrees, values = range(len(series)), [float(term) for term in series]
    # All terms are positive, so that float64 loses nothing.
    powers = [fsum(values[k] * comb(k, n) / 2**k for k in degrees[n:]) for n in degrees]
    # x^n = 2^(1−n) Σ binom(n, (n − k) / 2) T_k(x), of which T₀ counts by half.
    terms = [
        fsum(powers[n] * comb(n, (n - k) // 2) / 2.0 ** (n - 1) for n in degrees[k::2])
        for k in degrees
    ]
    terms[0] /= 2
    kept = [term for term in terms if abs(term) > _ROUNDING * terms[0]]
    coefficients = [float(c) for c in chebyshev.cheb2poly(kept)]
    even, odd = (coefficients[first::2][::-1] for first in (0, 1))

    def polynomial(gap: Any) -> Any:
        x = 2 * gap - 1
        square = x * x
        return horner(even, square) + x * horner(odd, square)

    return polynomial


_P, _R = _series()
#: P(g) = arccos (1 − g) / √(2g).
angle_over_chord = _polynomial(_P)
#: R(g) = (sin θ − θ cos θ) / (√(2g) g) for θ = arccos (1 − g).
bend_over_chord = _polynomial(_R)
