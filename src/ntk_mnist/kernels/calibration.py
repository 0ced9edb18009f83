"""Does the posterior variance predict the error of a prediction? (Lee et al. 2018, figure 3.)

Test images are sorted by their predictive variance, the most certain first, and cut into groups of
equal size. If the process is calibrated, the squared error of a group grows with its variance, and
the more certain images are more often right.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["GROUPS", "Group", "calibrate"]

#: Number of groups; if there are fewer test images, each is a group.
GROUPS = 20


class Group(NamedTuple):
    """Test images of similar predictive variance.

    Attributes:
        fraction: of the test images that are in this group or are more certain.
        variance: mean predictive variance in the group.
        squared_error: mean squared error in the group, over images and outputs.
        accuracy: of the images that are in this group or are more certain.
    """

    fraction: float
    variance: float
    squared_error: float
    accuracy: float


def calibrate(
    variances: NDArray[np.float64],
    predictions: NDArray[np.float64],
    targets: NDArray[np.float64],
) -> list[Group]:
    """Group the m test images, the most certain first.

    Args:
        variances: of each image, shape (m,).
        predictions: shape (m, k).
        targets: one-hot, shape (m, k).
    """
    order = np.argsort(variances, kind="stable")
    squared = ((predictions - targets) ** 2).mean(axis=1)
    right = predictions.argmax(axis=1) == targets.argmax(axis=1)
    groups, end = [], 0
    for members in np.array_split(order, min(GROUPS, len(order))):
        end += len(members)
        groups.append(
            Group(
                fraction=end / len(order),
                variance=float(variances[members].mean()),
                squared_error=float(squared[members].mean()),
                accuracy=float(right[order[:end]].mean()),
            )
        )
    return groups
