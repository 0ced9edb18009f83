"""A kernel cell: the kernels of one architecture at one training-set size, as rows of tables."""

from collections.abc import Sequence
from math import inf

from ntk_mnist import settings
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.calibration import calibrate
from ntk_mnist.kernels.scores import accuracy, mean_squared_error
from ntk_mnist.kernels.solver import Services
from ntk_mnist.kernels.solvers import SOLVERS
from ntk_mnist.measures import CalibrationMeasures, KernelMeasures

__all__ = ["solve_cell"]


def solve_cell(
    architecture: settings.Architecture,
    kinds: Sequence[str],
    times: Sequence[float],
    diag_reg: float,
    solver_name: str,
    dataset: Dataset,
    services: Services | None = None,
) -> tuple[list[KernelMeasures], list[CalibrationMeasures]]:
    """Solve each kernel at every time, and measure its predictions.

    Args:
        architecture: its infinite-width limit is taken.
        kinds: of ``recursion.KINDS``.
        times: finite gradient-flow times; ∞ is added.
        diag_reg: added to the diagonal of each Gram matrix, in units of its mean.
        solver_name: of ``solvers.SOLVERS``.
        dataset: training and test images and their labels.
        services: what the solver may use of its surroundings.

    Returns:
        A row a kind and time, and a row a kind and group of test images of the calibration at
        t = ∞.

    Raises:
        SolveFailed: a Gram matrix has entries that are NaN or infinite, vanishes, or stays
            singular however it is regularized.
    """
    times = (*times, inf)
    train_targets = dataset.targets(dataset.train_labels)
    test_targets = dataset.targets(dataset.test_labels)
    solver = SOLVERS[solver_name](services or Services())
    measures, calibration = [], []
    for solution in solver.solutions(architecture, kinds, dataset, times, diag_reg):
        for time, on_train, on_test, error in zip(
            times, solution.train, solution.test, solution.errors, strict=True
        ):
            measures.append(
                KernelMeasures(
                    kernel=solution.kind,
                    time=time,
                    train_accuracy=accuracy(on_train, train_targets),
                    test_accuracy=accuracy(on_test, test_targets),
                    train_mse=mean_squared_error(on_train, train_targets),
                    test_mse=mean_squared_error(on_test, test_targets),
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
        calibration += [
            CalibrationMeasures(
                kernel=solution.kind,
                scaled_variance=solution.amplitude * group.variance,
                **group._asdict(),
            )
            for group in calibrate(solution.variances, solution.test[-1], test_targets)
        ]
    return measures, calibration
