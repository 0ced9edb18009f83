"""Numbers and counts as a chart writes them.

A label is made of plain decimals. The ``repr`` of a value from a data frame would be
``np.float64(1.0)``.
"""

import math
from collections.abc import Mapping
from decimal import Decimal

__all__ = ["FUNCTION_DISTANCES", "counted", "decimal", "limit_label", "time_label"]

#: The distances of functions by their names in the table ``distance``.
FUNCTION_DISTANCES: Mapping[str, str] = {
    "network_to_limit": "Network to NTK",
    "linearization_to_limit": "Linearization to NTK",
    "network_to_linearization": "Network to linearization",
}


def decimal(value: float, digits: int = 17, plain_below: int = 6) -> str:
    """A finite number in as few characters as it needs: ``0.5``, ``1e-5`` or ``2.5e3``.

    Superscripts are not in every font.

    Args:
        value: the number.
        digits: significant ones, at most.
        plain_below: the power of ten from which on it has an exponent.
    """
    if not value:
        return "0"
    shortest = repr(float(value)) if digits >= 17 else f"{float(value):.{digits}g}"
    number = Decimal(shortest).normalize()
    sign, significant, exponent = number.as_tuple()
    power = len(significant) + int(exponent) - 1
    if -4 <= power < plain_below:
        return f"{number:f}"
    first, *others = map(str, significant)
    return f"{'-' * sign}{first}{'.' if others else ''}{''.join(others)}e{power}"


def counted(number: int, noun: str) -> str:
    """A number of things: ``1 epoch``, ``1,000 test images``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def time_label(time: float) -> str:
    """A gradient-flow time: ``1e3``, ``2.5e3``, ``0.5`` or ``∞``."""
    return "∞" if math.isinf(time) else decimal(time, plain_below=1)


def limit_label(kind: str) -> str:
    """The width of a kernel: ``∞ (NTK)``."""
    return f"∞ ({kind.upper()})"
