"""What the outputs are trained towards: a vector of each label, less an offset.

The vector is one-hot, or the real-valued target itself. Far from the training images a kernel
predicts 0, and the offset decides which output that is. It does not change which output is the
label's: an output plus the offset is compared.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["TARGETS", "Offset"]

#: From the vectors of the training images, shape (n, k), the offset that is subtracted from all,
#: shape (k,).
Offset: TypeAlias = Callable[[NDArray[np.float64]], NDArray[np.float64]]

#: Targets by their name in the config.
TARGETS: Mapping[str, Offset] = {
    # The notebook's; real-valued targets as they are.
    "one_hot": lambda vectors: np.zeros(vectors.shape[1]),
    # Of ten classes, 0.9 and -0.1 (Lee et al. 2018, arXiv:1711.00165, section 3).
    "zero_sum": lambda vectors: np.full(vectors.shape[1], 1 / vectors.shape[1]),
    # Less the mean over the training images, which is zero then for each output.
    "zero_mean": lambda vectors: vectors.mean(axis=0),
}
