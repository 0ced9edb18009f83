"""The infinite-width NTK that networks are compared with while they are trained."""

from functools import partial

import numpy as np
import scipy.linalg

from ntk_mnist.compilation import Programs, compile_in_memory
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.dynamics import Dynamics
from ntk_mnist.kernels.gram import gram
from ntk_mnist.kernels.precision import entry_error
from ntk_mnist.kernels.solution import Matrix
from ntk_mnist.settings import Architecture

__all__ = ["limit_of_descent"]


def limit_of_descent(
    architecture: Architecture,
    dataset: Dataset,
    step_size: float,
    programs: Programs = compile_in_memory,
) -> Matrix:
    """The NTK of the training images, under which descent with this step size converges.

    Args:
        architecture: its infinite-width limit is taken.
        dataset: n training images, and the test images.
        step_size: of gradient descent, a gradient-flow time.
        programs: provides the compiled program of a tile.

    Returns:
        Shape (n, n).

    Raises:
        SolveFailed: descent with this step size diverges at infinite width, or the kernel is not
            known.
    """
    entry_error(architecture, dataset, programs)
    inputs = partial(dataset.inputs, dtype=np.float64)
    ntk = gram(architecture, dataset.train_images, None, ("ntk",), inputs, programs)["ntk"]
    largest = scipy.linalg.eigvalsh(ntk, subset_by_index=[len(ntk) - 1] * 2)[0]
    Dynamics(step_size).check_stable(float(largest), len(ntk) * dataset.description.outputs)
    return ntk
