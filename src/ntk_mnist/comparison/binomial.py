"""How well m test images determine an accuracy.

Test images are independent draws, so that the number of correct ones is binomial. The errors are
those of another draw of as many test images, of one fixed classifier.
"""

import math

__all__ = ["standard_error", "wilson_interval"]


def standard_error(accuracy: float, images: int) -> float:
    """The standard error √(p (1 − p) / m) of an accuracy p on m images.

    It is 0 at an accuracy of 0 or 1, where :func:`wilson_interval` still has a length.

    Args:
        accuracy: a fraction, from 0 to 1.
        images: how many it was measured on.

    Raises:
        ValueError: out of these bounds.
    """
    _check(accuracy, images)
    return math.sqrt(accuracy * (1 - accuracy) / images)


def wilson_interval(accuracy: float, images: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval of an accuracy (Wilson 1927, JASA 22, 209-212).

    The accuracies q for which the measured one lies within 1.96 standard errors of q:
    |accuracy − q| ≤ 1.96 √(q (1 − q) / m). It keeps to [0, 1], and close to 1, where trained
    networks are, it holds the truth about as often as it says.

    Args:
        accuracy: a fraction, from 0 to 1; the number of correct images divided by ``images``.
        images: how many it was measured on.

    Returns:
        The lower and the upper end.

    Raises:
        ValueError: out of these bounds, or no number of images has this accuracy.
    """
    _check(accuracy, images)
    correct = round(accuracy * images)
    if not math.isclose(correct, accuracy * images, abs_tol=1e-3):
        raise ValueError(f"no number of {images} images is an accuracy of {accuracy}")
    # Its import takes as long as to draw a chart.
    from scipy import stats

    interval = stats.binomtest(correct, images).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def _check(accuracy: float, images: int) -> None:
    if images < 1 or not 0 <= accuracy <= 1:
        raise ValueError(f"an accuracy of {accuracy} on {images} images")
