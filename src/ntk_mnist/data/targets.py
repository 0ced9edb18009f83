"""What the outputs are trained towards: a one-hot vector of each label, less an offset.

The offset decides how far a regression has to go where it knows nothing, as its mean is zero
there. It does not change which output is the label's: an output plus the offset is compared.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["TARGETS", "Offset"]

#: From labels of the training images, shape (n,), and the number k of classes, the offset that is
#: subtracted from one-hot vectors, shape (k,).
Offset: TypeAlias = Callable[[NDArray[Any], int], NDArray[np.float64]]

#: Targets by their name in the config.
TARGETS: Mapping[str, Offset] = {
    # The notebook's.
    "one_hot": lambda labels, classes: np.zeros(classes),
    # Of ten classes, 0.9 and -0.1 (Lee et al. 2018, arXiv:1711.00165, section 3).
    "zero_sum": lambda labels, classes: np.full(classes, 1 / classes),
    # Less the mean over the training images, which is zero then for each output.
    "zero_mean": lambda labels, classes: np.bincount(labels, minlength=classes) / len(labels),
}
