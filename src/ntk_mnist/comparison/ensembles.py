"""What several networks that differ in their seed alone predict together.

All functions take the predictions of s seeds on m images with k outputs as one array of shape
(s, m, k), and compute in float64.
"""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ntk_mnist.comparison.distances import Distance, distance

__all__ = [
    "Estimate",
    "accuracy_gap",
    "distance_to_limit",
    "ensemble_accuracy",
    "ensemble_mean",
    "member_accuracy",
    "spread",
    "standard_error",
]

Predictions: TypeAlias = NDArray[np.floating[Any]]
Matrix: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean over independent draws.

    Attributes:
        mean: over the draws.
        standard_error: of the mean; NaN for one draw.
        draws: how many.
    """

    mean: float
    standard_error: float
    draws: int


def ensemble_mean(predictions: Predictions) -> Matrix:
    """The mean prediction over seeds, of shape (m, k).

    At infinite width this is the mean of the Gaussian process of trained networks (Lee et al.
    2019, arXiv:1902.06720, corollary 1), which a kernel predicts.

    Args:
        predictions: of shape (s, m, k).

    Raises:
        ValueError: not of that shape, or without a seed.
    """
    return np.mean(_checked(predictions), axis=0, dtype=np.float64)


def spread(predictions: Predictions) -> Matrix:
    """The unbiased variance over seeds of each prediction, of shape (m, k).

    The variance has the divisor s − 1; NaN for one seed. Its mean over images and outputs
    compares with the predictive variance of the infinite-width limit.

    Args:
        predictions: of shape (s, m, k).

    Raises:
        ValueError: not of that shape, or without a seed.
    """
    seeds = len(_checked(predictions))
    if seeds == 1:
        return np.full(predictions.shape[1:], math.nan)
    return np.var(predictions, axis=0, ddof=1, dtype=np.float64)


def standard_error(predictions: Predictions) -> Matrix:
    """The standard error √(variance / s) of each prediction of the ensemble, of shape (m, k).

    NaN for one seed.

    Args:
        predictions: of shape (s, m, k).

    Raises:
        ValueError: not of that shape, or without a seed.
    """
    error: Matrix = np.sqrt(spread(predictions) / len(predictions))
    return error


def distance_to_limit(predictions: Predictions, limit: Predictions) -> Distance:
    """The distance of the ensemble's mean prediction to the limit.

    The mean of s independent networks at the limit itself lies at root mean square
    √(mean variance / s) from it, so that a distance tells of the width only where it is larger:
    compare it with the root mean square of :func:`standard_error`.

    Args:
        predictions: of shape (s, m, k).
        limit: the mean prediction at infinite width, of shape (m, k).

    Raises:
        ValueError: the shapes do not fit, or there is no seed.
    """
    return distance(ensemble_mean(predictions), limit)


def ensemble_accuracy(predictions: Predictions, targets: Predictions) -> float:
    """The fraction of images that the mean prediction over seeds classifies correctly.

    Args:
        predictions: of shape (s, m, k).
        targets: one-hot labels, of shape (m, k).

    Raises:
        ValueError: the shapes do not fit, or there is no seed.
    """
    mean = ensemble_mean(predictions)
    _check_targets(predictions, targets)
    return float(np.mean(mean.argmax(axis=1) == targets.argmax(axis=1)))


def member_accuracy(predictions: Predictions, targets: Predictions) -> Estimate:
    """The mean over seeds of the accuracy of a single network, and its standard error.

    The standard error is that of another draw of seeds on the same images. All seeds share the
    images, so that it says nothing of other images: that error is ``binomial.standard_error``.

    Args:
        predictions: of shape (s, m, k).
        targets: one-hot labels, of shape (m, k).

    Raises:
        ValueError: the shapes do not fit, or there is no seed.
    """
    _checked(predictions)
    _check_targets(predictions, targets)
    return _estimate(np.mean(predictions.argmax(axis=2) == targets.argmax(axis=1), axis=1))


def accuracy_gap(predictions: Predictions, limit: Predictions, targets: Predictions) -> Estimate:
    """The mean accuracy of a single network less that of the limit, and its standard error.

    The standard error is that of another draw of test images, with the same networks. All are
    measured on the same images, so that it is the error of the mean over images of

        (fraction of the seeds that classify the image correctly) − (1 if the limit does, else 0),

    which is smaller than the binomial errors of two accuracies: most images are classified alike.

    Args:
        predictions: of shape (s, m, k).
        limit: the prediction at infinite width, of shape (m, k).
        targets: one-hot labels, of shape (m, k).

    Raises:
        ValueError: the shapes do not fit, or there is no seed.
    """
    _checked(predictions)
    _check_targets(predictions, targets)
    _check_targets(predictions, limit)
    labels = targets.argmax(axis=1)
    by_networks = np.mean(predictions.argmax(axis=2) == labels, axis=0)
    return _estimate(by_networks - (limit.argmax(axis=1) == labels))


def _estimate(values: NDArray[np.float64]) -> Estimate:
    """The mean of independent values."""
    draws = len(values)
    error = float(np.std(values, ddof=1)) / math.sqrt(draws) if draws > 1 else math.nan
    return Estimate(float(np.mean(values)), error, draws)


def _checked(predictions: Predictions) -> Predictions:
    if predictions.ndim != 3 or not predictions.size:
        raise ValueError(f"not predictions of seeds, images and outputs: {predictions.shape}")
    return predictions


def _check_targets(predictions: Predictions, targets: Predictions) -> None:
    if predictions.shape[1:] != targets.shape:
        raise ValueError(f"predictions of shape {predictions.shape}, targets of {targets.shape}")
