"""What an entry of a kernel matrix is worth.

Two things limit it: a few roundings a layer, and the error of a dual that is a series
(``infinite_width.mehler``). The latter depends on the variances that occur in the layers.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from ntk_mnist import settings
from ntk_mnist.architecture import infinite
from ntk_mnist.compilation import Programs, compile_in_memory
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.gram import layer_errors
from ntk_mnist.kernels.solver import SolveFailed

__all__ = ["entry_error", "entry_rounding"]

_EPS = float(np.finfo(np.float64).eps)


def entry_error(
    architecture: settings.Architecture, dataset: Dataset, programs: Programs = compile_in_memory
) -> float:
    """Error of an entry of a kernel matrix, relative to the mean of its two diagonal entries.

    To first order, the errors of the layers add up.

    Args:
        architecture: its infinite-width limit is taken.
        dataset: the training and test images.
        programs: provides compiled programs.

    Raises:
        SolveFailed: a variance is too large for the series of the activation.
    """
    rounding = entry_rounding(architecture.depth)
    if infinite(architecture).dual.error is None:
        return rounding
    worst = np.zeros(architecture.depth)
    inputs = partial(dataset.inputs, dtype=np.float64)
    for images in (dataset.train_images, dataset.test_images):
        variances, errors = layer_errors(architecture, images, inputs, programs)
        _check(architecture.activation, variances, errors)
        worst = np.maximum(worst, errors.max(axis=1))
    return rounding + float(worst.sum())


def entry_rounding(depth: int) -> float:
    """The error of an entry if all duals are closed forms.

    A few roundings a layer. ``tests/infinite_width`` finds less for most inputs, at most ten times
    as much, and more only where ``W_std`` is 10 or larger.
    """
    return 4 * (depth + 1) * _EPS


def _check(activation: str, variances: NDArray[np.float64], errors: NDArray[np.float64]) -> None:
    refused = ~np.isfinite(errors)
    if refused.any():
        # The variances of the layers after it follow from what is not known.
        layer = int(refused.any(axis=1).argmax())
        raise SolveFailed(
            f"the kernel of {activation} is not known at a variance of "
            f"{variances[layer][refused[layer]].max():.3g}, which hidden layer {layer + 1} has: "
            "choose a smaller architecture.W_std or b_std, or the activation erf, which has a "
            "closed form"
        )
