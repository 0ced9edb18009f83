"""Published closed forms of NNGP and NTK in 120 digits, where cancellation does no harm."""

from typing import Any

import mpmath as mp
import numpy as np
from numpy.typing import NDArray

mp.mp.dps = 120

ACTIVATIONS = ("relu", "erf", "gelu", "sin", "abs")


def dual(activation: str, a: Any, b: Any, q: Any) -> tuple[Any, Any]:
    """E[φ(u) φ(v)] and E[φ′(u) φ′(v)] for variances a and b and covariance q."""
    if activation in ("relu", "abs"):
        scale = mp.sqrt(a * b)
        c = max(min(q / scale, mp.mpf(1)), mp.mpf(-1)) if scale else mp.mpf(0)
        angle = mp.acos(c)
        if activation == "abs":
            return scale * 2 / mp.pi * (mp.sin(angle) + c * mp.asin(c)), 2 / mp.pi * mp.asin(c)
        rest = mp.pi - angle
        return scale / (2 * mp.pi) * (mp.sin(angle) + rest * c), rest / (2 * mp.pi)
    if activation == "erf":
        both = (1 + 2 * a) * (1 + 2 * b)
        value = 2 / mp.pi * mp.asin(2 * q / mp.sqrt(both))
        return value, 4 / mp.pi / mp.sqrt(both - 4 * q * q)
    if activation == "sin":
        return mp.exp(-(a + b) / 2) * mp.sinh(q), mp.exp(-(a + b) / 2) * mp.cosh(q)
    both, rests = (1 + a) * (1 + b), 1 / (1 + a) + 1 / (1 + b)
    root = mp.sqrt(both - q * q)
    half = mp.mpf(1) / 4 + mp.asin(q / mp.sqrt(both)) / (2 * mp.pi)
    value = q * half + (a * b - q * q + q * q * rests) / (2 * mp.pi * root)
    return value, half + q * rests / (2 * mp.pi * root) + q / (2 * mp.pi * root**3)


def kernels(
    activation: str, depth: int, w: float, b: float, x: NDArray[Any], y: NDArray[Any]
) -> tuple[Any, Any]:
    """NNGP and NTK between two inputs, whose float64 values are taken as exact."""
    weights, biases = mp.mpf(w) ** 2, mp.mpf(b) ** 2
    first, second = ([mp.mpf(float(value)) for value in values] for values in (x, y))
    pairs = ((first, first), (second, second), (first, second))
    xx, yy, xy = (sum(u * v for u, v in zip(*pair, strict=True)) / len(x) for pair in pairs)
    ntk = mp.mpf(0)
    for layer in range(depth + 1):
        xx, yy, xy = (weights * value + biases for value in (xx, yy, xy))
        ntk = weights * ntk + xy
        if layer < depth:
            (value, derivative), own, other = (
                dual(activation, xx, yy, xy),
                dual(activation, xx, xx, xx)[0],
                dual(activation, yy, yy, yy)[0],
            )
            ntk *= derivative
            xx, yy, xy = own, other, value
    return xy, ntk


def gram(activation: str, depth: int, w: float, b: float, x: NDArray[Any]) -> dict[str, Any]:
    """Both Gram matrices of some inputs, as nested lists of mpmath numbers."""
    both = {kind: [[mp.mpf(0)] * len(x) for _ in x] for kind in ("nngp", "ntk")}
    for i in range(len(x)):
        for j in range(i + 1):
            values = kernels(activation, depth, w, b, x[i], x[j])
            for kind, value in zip(both, values, strict=True):
                both[kind][i][j] = both[kind][j][i] = value
    return both


def worst_entry(ours: NDArray[np.float64], exact: Any) -> float:
    """The largest error of an entry, relative to the root of its two diagonal entries."""
    errors = [mp.mpf(0)]
    for i in range(len(exact)):
        for j in range(len(exact)):
            if scale := mp.sqrt(exact[i][i] * exact[j][j]):
                errors.append(abs(mp.mpf(float(ours[i, j])) - exact[i][j]) / scale)
            else:
                assert ours[i, j] == 0
    return float(max(errors))
