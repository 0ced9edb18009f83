"""Polynomials by Horner's rule."""

from collections.abc import Sequence
from typing import Any

__all__ = ["horner"]


def horner(coefficients: Sequence[float], x: Any) -> Any:
    """A polynomial in ``x``, an array of JAX or NumPy.

    Args:
        coefficients: two at least; that of the highest power comes first.
        x: any shape.
    """
    value, *others = coefficients
    for coefficient in others:
        value = value * x + coefficient
    return value
