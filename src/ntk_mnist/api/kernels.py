"""The infinite-width side on arrays of one's own: kernels, and mean predictions at any time."""

import warnings
from collections.abc import Sequence
from functools import partial
from math import inf, isinf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntk_mnist import UserError
from ntk_mnist.api.arrays import dataset_of, inputs_alone
from ntk_mnist.api.checks import checked, checked_architecture, checked_times, checked_training
from ntk_mnist.kernels.gram import gram
from ntk_mnist.kernels.precision import entry_error
from ntk_mnist.kernels.solver import Services
from ntk_mnist.kernels.solvers import SOLVERS
from ntk_mnist.plan.cost import LARGEST_DIAGONALIZED, kernel_solver
from ntk_mnist.settings import Architecture

__all__ = ["kernel", "predict"]


def kernel(
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    architecture: Architecture = Architecture(),  # noqa: B008  (frozen)
    kind: str = "ntk",
) -> NDArray[np.float64]:
    """The NNGP or the NTK between inputs, in the limit of infinite width.

    In NTK parameterization, per output, and with the first layer's sum divided by the number of
    pixels (Jacot et al. 2018, arXiv:1806.07572, Theorem 1; Lee et al. 2018, arXiv:1711.00165,
    eq. 5): the kernel that ``neural_tangents.stax`` computes, in float64.

    Args:
        x1: inputs of shape (m, …), flattened: features as they are, or images of dtype uint8,
            divided by 255.
        x2: inputs of shape (n, …); ``x1`` if None.
        architecture: activation, depth, ``W_std`` and ``b_std`` of the network.
        kind: ``"ntk"`` or ``"nngp"``.

    Returns:
        The kernel of each pair, shape (m, n).

    Raises:
        UserError: an array or a setting is not as above, or the kernel is not finite or, at these
            variances, not known. One line says what to do.
    """
    architecture = checked_architecture(architecture)
    checked(solve={"kinds": [kind]})
    dataset = inputs_alone(x1, x1 if x2 is None else x2)
    entry_error(architecture, dataset)
    other = None if x2 is None else dataset.train_images
    inputs = partial(dataset.inputs, dtype=np.float64)
    matrix = gram(architecture, dataset.test_images, other, (kind,), inputs)[kind]
    if not np.isfinite(matrix).all():
        raise UserError(
            f"the {kind} has entries that are NaN or infinite: W_std or b_std is too large for "
            "this depth"
        )
    return matrix


def predict(
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike,
    architecture: Architecture = Architecture(),  # noqa: B008  (frozen)
    kind: str = "ntk",
    *,
    times: Sequence[float] = (inf,),
    step_size: float = 0.0,
    diag_reg: float = 0.0,
) -> NDArray[np.float64]:
    """Mean predictions of infinitely wide networks at any time of their training.

    The loss is |f(X) − Y|² / (2nk), with one-hot Y for classes. At time t of gradient flow, the
    prediction is Θ(x, X) (1 − exp(−tΘ/nk)) Θ⁻¹ Y (Jacot et al. 2018, arXiv:1806.07572; Lee et al.
    2019, arXiv:1902.06720, eq. 15), with the NTK for Θ; at t = ∞ it is kernel regression. With the
    NNGP, it is the posterior mean of the Gaussian process at t = ∞. Up to 4,096 inputs are
    diagonalized, and more are solved iteratively; both in float64.

    Args:
        x_train: inputs of shape (n, …), flattened: features as they are, or images of dtype uint8,
            divided by 255.
        y_train: classes 0 … k − 1, integers of shape (n,); or real-valued targets, floats of shape
            (n,) or (n, k).
        x_test: inputs of shape (m, …).
        architecture: activation, depth, ``W_std`` and ``b_std`` of the network.
        kind: ``"ntk"`` or ``"nngp"``.
        times: gradient-flow times, in units of 1 / learning rate; infinity is the limit.
        step_size: of gradient descent, a gradient-flow time: each finite time is then a whole
            number of steps, as :func:`train` takes them. 0 for gradient flow.
        diag_reg: added to the diagonal of the training kernel, in units of its mean.

    Returns:
        The outputs at each time and test input, shape (times, m, k).

    Raises:
        UserError: an array or a setting is not as above; the kernel is not finite, vanishes, or
            stays singular however it is regularized; or descent diverges. One line says what to do.

    Warns:
        UserWarning: the kernel is singular to working precision, and ``diag_reg`` was raised.
    """
    architecture = checked_architecture(architecture)
    finite = [time for time in checked_times(times) if not isinf(time)]
    if step_size:
        checked_training(finite, step_size)
    checked(solve={"kinds": [kind], "times": finite, "diag_reg": diag_reg})
    dataset = dataset_of(x_train, y_train, x_test)
    size = len(dataset.train_labels)
    if step_size and size > LARGEST_DIAGONALIZED:
        raise UserError(
            f"x_train has {size:,} rows, and gradient descent is followed for at most "
            f"{LARGEST_DIAGONALIZED:,}; leave out step_size, for gradient flow"
        )
    solver = SOLVERS[kernel_solver(size)](Services())
    what = architecture, (kind,), dataset, tuple(map(float, times)), float(diag_reg)
    (solution,) = solver.solutions(*what, float(step_size))
    if solution.diag_reg > diag_reg:
        warnings.warn(
            f"the {kind} is singular to working precision: diag_reg was raised to "
            f"{solution.diag_reg:g}",
            stacklevel=2,
        )
    return solution.test
