"""Does the posterior variance tell how wrong a prediction is? (Lee et al. 2018, figure 3.)

Test images are put in order of their predictive variance, the most certain first, and cut into
groups of one size. Of a calibrated process the groups' squared errors grow with their variances,
and the more certain images are the more often right.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["GROUPS", "Calibration", "calibrate"]

#: As many groups, or fewer where there are fewer test images.
GROUPS = 20


class Calibration(NamedTuple):
    """A value for each group, the most certain first.

    Attributes:
        fraction: of the test images, those of this group and of the more certain ones.
        variance: mean predictive variance in the group.
        squared_error: mean squared error in the group, over images and outputs.
        accuracy: of that fraction.
    """

    fraction: list[float]
    variance: list[float]
    squared_error: list[float]
    accuracy: list[float]


def calibrate(
    variances: NDArray[np.float64],
    predictions: NDArray[np.float64],
    targets: NDArray[np.float64],
) -> Calibration:
    """Group the m test images.

    Args:
        variances: of each image, shape (m,).
        predictions: shape (m, k).
        targets: one-hot, shape (m, k).
    """
    order = np.argsort(variances, kind="stable")
    squared = ((predictions - targets) ** 2).mean(axis=1)
    right = predictions.argmax(axis=1) == targets.argmax(axis=1)
    groups = np.array_split(order, min(GROUPS, len(order)))
    ends = np.cumsum([len(group) for group in groups])
    return Calibration(
        fraction=[float(end / len(order)) for end in ends],
        variance=[float(variances[group].mean()) for group in groups],
        squared_error=[float(squared[group].mean()) for group in groups],
        accuracy=[float(right[order[:end]].mean()) for end in ends],
    )
