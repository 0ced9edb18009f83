"""A kernel cell: the kernels of one architecture at one training-set size, as rows of tables."""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import numpy as np

from ntk_mnist import settings
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.calibration import calibrate
from ntk_mnist.kernels.solver import Services
from ntk_mnist.kernels.solvers import SOLVERS
from ntk_mnist.measures import CalibrationMeasures, KernelMeasures, KernelPredictionMeasures

__all__ = ["Solved", "solve_cell"]


class Solved(NamedTuple):
    """The rows of each output of a kernel cell, by the output's name."""

    kernel: list[KernelMeasures]
    calibration: list[CalibrationMeasures]
    kernel_prediction: list[KernelPredictionMeasures]


def solve_cell(
    architecture: settings.Architecture,
    kinds: Sequence[str],
    times: Sequence[float],
    diag_reg: float,
    solver_name: str,
    dataset: Dataset,
    services: Services | None = None,
    step_size: float = 0.0,
) -> Solved:
    """Solve each kernel at every time, and measure its predictions.

    Args:
        architecture: its infinite-width limit is taken.
        kinds: of ``recursion.KINDS``.
        times: finite gradient-flow times; ∞ is added.
        diag_reg: added to the diagonal of each Gram matrix, in units of its mean.
        solver_name: of ``solvers.SOLVERS``.
        dataset: training and test images and their labels.
        services: what the solver may use of its surroundings.
        step_size: of gradient descent to each finite time; 0 for gradient flow.

    Returns:
        The rows of each output; those of the calibration are of t = ∞.

    Raises:
        SolveFailed: a Gram matrix has entries that are NaN or infinite, vanishes, or stays
            singular however it is regularized; or descent diverges.
    """
    times = (*times, inf)
    predicted, count = dataset.predicted, len(dataset.test_labels)
    train_targets = dataset.targets(dataset.train_labels)
    targets = dataset.targets(predicted.test_labels)
    solver = SOLVERS[solver_name](services or Services())
    solved = Solved([], [], [])
    for solution in solver.solutions(architecture, kinds, predicted, times, diag_reg, step_size):
        trained: Sequence[float | None] = [None] * len(times)
        if step_size and solution.kind == "ntk":
            what = architecture, dataset, times, solution.diag_reg, step_size
            variances = solver.trained_variances(*what)
            trained = trained if variances is None else variances.mean(axis=1).tolist()
        for time, on_train, on_test, error, variance in zip(
            times, solution.train, solution.test, solution.errors, trained, strict=True
        ):
            squared_errors = ((on_test - targets) ** 2).mean(axis=1)
            solved.kernel.append(
                KernelMeasures(
                    kernel=solution.kind,
                    time=time,
                    descent_step_size=step_size,
                    outputs=targets.shape[1],
                    train_accuracy=dataset.accuracy(on_train, dataset.train_labels),
                    test_accuracy=dataset.accuracy(on_test[:count], dataset.test_labels),
                    validation_accuracy=dataset.accuracy(
                        on_test[count:], dataset.validation_labels
                    ),
                    train_mse=float(((on_train - train_targets) ** 2).mean()),
                    test_mse=float(squared_errors[:count].mean()),
                    validation_mse=(
                        float(squared_errors[count:].mean()) if len(on_test) > count else None
                    ),
                    trained_variance=variance,
                    diag_reg=solution.diag_reg,
                    condition_number=solution.condition_number,
                    solver=solver_name,
                    residual=solution.residual,
                    prediction_error=float(error),
                    jitter=solution.jitter,
                    log_marginal_likelihood=solution.log_marginal_likelihood,
                    amplitude=solution.amplitude,
                    maximized_log_marginal_likelihood=solution.maximized_log_marginal_likelihood,
                    log_marginal_likelihood_error=solution.log_marginal_likelihood_error,
                    solve_seconds=solution.seconds,
                )
            )
            solved.kernel_prediction.append(
                KernelPredictionMeasures(
                    kernel=solution.kind,
                    time=time,
                    # As precise as those of a network.
                    prediction=tuple(on_test[:count].astype(np.float32).ravel().tolist()),
                )
            )
        # Of t = ∞, the last.
        right = dataset.right(on_test[:count], dataset.test_labels)
        solved.calibration.extend(
            CalibrationMeasures(
                kernel=solution.kind,
                scaled_variance=solution.amplitude * group.variance,
                **group._asdict(),
            )
            for group in calibrate(solution.variances[:count], squared_errors[:count], right)
        )
    return solved
