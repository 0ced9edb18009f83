"""The result of one kernel at one training-set size, whichever solver computed it."""

from collections.abc import MutableMapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Arrays",
    "Matrix",
    "Solution",
    "log_marginal_likelihood",
    "restore_solution",
    "store_solution",
]

Matrix: TypeAlias = NDArray[np.float64]
#: Arrays by name: what a long solve stores to continue from after it was killed.
Arrays: TypeAlias = MutableMapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Solution:
    """Predictions at all times, and what the Gaussian process with that covariance says.

    Attributes:
        kind: ``nngp`` or ``ntk``.
        train: mean predictions at the training images, shape (times, n, k).
        test: mean predictions at the test images, shape (times, m, k).
        errors: estimated largest error of ``test`` at each time, shape (times,).
        variances: of the posterior Gaussian process at the test images, without noise, that is
            Θ(z, z) − Θ(z, X) K⁻¹ Θ(X, z), shape (m,).
        diag_reg: the regularization in use, in units of the mean diagonal.
        condition_number: of the regularized Gram matrix K.
        residual: ‖K a − Y‖ / ‖Y‖ at t = ∞, in float64.
        jitter: what the float32 factorization needed on its diagonal, in units of its mean.
        log_marginal_likelihood: log p(Y) over all outputs, nats.
        log_marginal_likelihood_error: estimate of its error, nats.
        seconds: wall time of the solve and the predictions.
    """

    kind: str
    train: Matrix
    test: Matrix
    errors: Matrix
    variances: Matrix
    diag_reg: float
    condition_number: float
    residual: float
    jitter: float
    log_marginal_likelihood: float
    log_marginal_likelihood_error: float
    seconds: float = 0.0


def log_marginal_likelihood(labels: Matrix, coefficients: Matrix, log_determinant: float) -> float:
    """Of labels under the Gaussian process of covariance K and mean zero, nats.

    −½ tr(Yᵀ K⁻¹ Y) − (k/2) log det K − (nk/2) log 2π: Rasmussen & Williams 2006, eq. 2.30, summed
    over the k outputs.

    Args:
        labels: Y, shape (n, k).
        coefficients: K⁻¹ Y, shape (n, k).
        log_determinant: log det K.
    """
    _, outputs = labels.shape
    fit = float((labels * coefficients).sum())
    return -0.5 * (fit + outputs * log_determinant + labels.size * float(np.log(2 * np.pi)))


def store_solution(solution: Solution, checkpoint: Arrays) -> None:
    """Replace everything in ``checkpoint`` by a finished solution.

    The solution is complete before anything else is removed, so a cell that is killed in between
    loses nothing. Everything else is removed, so that the disk holds the tiles of one kernel at
    most.
    """
    finished = {_stored_name(name): value for name, value in asdict(solution).items()}
    for name, value in finished.items():
        checkpoint[name] = np.asarray(value)
    for name in set(checkpoint) - set(finished):
        del checkpoint[name]


def restore_solution(checkpoint: Arrays) -> Solution | None:
    """The solution that :func:`store_solution` stored; None if there is no complete one."""
    names = [field.name for field in fields(Solution)]
    if not all(_stored_name(name) in checkpoint for name in names):
        return None
    arrays = {name: checkpoint[_stored_name(name)] for name in names}
    values: dict[str, Any] = {name: a if a.ndim else a.item() for name, a in arrays.items()}
    return Solution(**values)


def _stored_name(field: str) -> str:
    return f"solution={field}"
