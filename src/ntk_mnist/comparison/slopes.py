"""How fast a distance shrinks with the width: the exponent of a power law."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

__all__ = ["CONFIDENCE", "Slope", "slope"]

#: Of the interval.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Slope:
    """The exponent s of value ∝ width^s.

    Attributes:
        slope: the exponent.
        low: lower end of its 95 % confidence interval.
        high: upper end.
        networks: number of points of the fit.
        widths: number of different widths among them.
    """

    slope: float
    low: float
    high: float
    networks: int
    widths: int


def slope(widths: ArrayLike, values: ArrayLike) -> Slope:
    """The exponent s of value = c width^s ε, by ordinary least squares.

    log value = log c + s log width + log ε is fitted to all networks: each width and seed is a
    point of its own, so that the scatter over seeds is the error of the fit. The interval is
    s ± t se(s), with the quantile t of Student's distribution with (networks − 2) degrees of
    freedom. It holds if the log ε are independent, normal and of one variance at all widths. Its
    meaning is that of a power law: where the law bends, the exponent is a mean over these widths.

    Undefined, all of it NaN, with

    - fewer than two widths,
    - fewer than three networks, which leave no degree of freedom for the interval,
    - a value that is 0, negative or not finite, which has no logarithm. To leave such a network
      out would bias the slope.

    Args:
        widths: of shape (networks,), positive.
        values: of shape (networks,), in the order of ``widths``; a distance each.

    Raises:
        ValueError: the shapes differ.
    """
    of_width, of_value = np.asarray(widths, np.float64), np.asarray(values, np.float64)
    if of_width.ndim != 1 or of_width.shape != of_value.shape:
        raise ValueError(f"widths of shape {of_width.shape}, values of shape {of_value.shape}")
    networks, distinct = len(of_width), len(np.unique(of_width))
    positive = bool(np.all((of_value > 0) & np.isfinite(of_value)))
    if distinct < 2 or networks < 3 or not positive:
        return Slope(math.nan, math.nan, math.nan, networks, distinct)
    fit = stats.linregress(np.log(of_width), np.log(of_value))
    # SciPy computes the error from the correlation, which equal values do not have.
    error = float(fit.stderr) if np.ptp(of_value) else 0.0
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, networks - 2)) * error
    exponent = float(fit.slope)
    return Slope(exponent, exponent - half, exponent + half, networks, distinct)
