"""How far two functions lie apart on the same images."""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Distance", "distance"]

Predictions: TypeAlias = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Distance:
    """A distance of two functions, in units of their outputs (a one-hot label is 1).

    Attributes:
        rms: root mean square over images and outputs.
        max: largest absolute difference of any output on any image.
    """

    rms: float
    max: float


def distance(predictions: Predictions, others: Predictions) -> Distance:
    """The distance of two functions f and g on m images with k outputs each.

        rms = √( Σ_ij (f_j(x_i) − g_j(x_i))² / (m k) ),    max = max_ij |f_j(x_i) − g_j(x_i)|

    The root mean square is the distance for which Lee et al. 2019 (arXiv:1902.06720, theorem 2.1)
    state that a network of width n and its linearization differ by O(n^−1/2).

    Both are computed in float64, as the difference of two close predictions loses digits. Neither
    overflows where the difference itself is finite. A prediction that is not finite makes both
    NaN or infinite.

    Args:
        predictions: of shape (m, k).
        others: of shape (m, k), of the same images and outputs.

    Raises:
        ValueError: the shapes differ, or there is nothing to compare.
    """
    if predictions.shape != others.shape:
        raise ValueError(f"predictions of shapes {predictions.shape} and {others.shape}")
    if not predictions.size:
        raise ValueError("there are no predictions")
    with np.errstate(invalid="ignore"):  # ∞ − ∞
        difference = np.abs(np.subtract(predictions, others, dtype=np.float64))
    largest = float(difference.max())
    if not largest or not math.isfinite(largest):
        return Distance(largest, largest)
    # Squares of differences in units of the largest one neither overflow nor vanish.
    return Distance(largest * math.sqrt(float(np.mean((difference / largest) ** 2))), largest)
