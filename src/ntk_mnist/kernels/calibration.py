"""Does the posterior variance predict the error of a prediction?

The figure is that of Lee et al. 2018 (arXiv:1711.00165) for depth 3, σ_w² = 2 and σ_b² = 0.2:
number 2 in the submission to ICLR, and 3 in the third version of the preprint.

Test images are sorted by their predictive variance, the most certain first, and cut into groups of
equal size. If the process is calibrated, the squared error of a group grows with its variance, and
the more certain images are more often right.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["GROUPS", "LARGEST_GROUP", "Group", "calibrate"]

#: Number of groups, or more if a group would have more images than in that figure.
GROUPS, LARGEST_GROUP = 20, 100


class Group(NamedTuple):
    """Test images of similar predictive variance.

    Attributes:
        fraction: of the test images that are in this group or are more certain.
        variance: mean predictive variance in the group.
        squared_error: mean squared error in the group, over images and outputs.
        accuracy: of the images that are in this group or are more certain; None without classes.
    """

    fraction: float
    variance: float
    squared_error: float
    accuracy: float | None


def calibrate(
    variances: NDArray[np.float64],
    squared_errors: NDArray[np.float64],
    right: NDArray[np.bool_] | None,
) -> list[Group]:
    """Group the m test images, the most certain first.

    Args:
        variances: of each image, shape (m,).
        squared_errors: of each image, mean over outputs, shape (m,).
        right: whether each image is predicted right, shape (m,); None without classes.
    """
    order = np.argsort(variances, kind="stable")
    count = max(GROUPS, -(-len(order) // LARGEST_GROUP))
    groups, end = [], 0
    for members in np.array_split(order, min(count, len(order))):
        end += len(members)
        groups.append(
            Group(
                fraction=end / len(order),
                variance=float(variances[members].mean()),
                squared_error=float(squared_errors[members].mean()),
                accuracy=None if right is None else float(right[order[:end]].mean()),
            )
        )
    return groups
