"""The result of one kernel at one training-set size, whichever solver computed it."""

from collections.abc import MutableMapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Arrays",
    "Likelihood",
    "Matrix",
    "Solution",
    "likelihood",
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
        amplitude: σ², which maximizes the likelihood of σ² K.
        maximized_log_marginal_likelihood: log p(Y) under σ² K, nats.
        log_marginal_likelihood_error: estimate of the error of either, nats.
        seconds: wall time of the matrices, the solve and the predictions. The first kernel of a
            cell takes that of what all kernels share.
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
    amplitude: float
    maximized_log_marginal_likelihood: float
    log_marginal_likelihood_error: float
    seconds: float = 0.0


class Likelihood(NamedTuple):
    """Of labels under a Gaussian process whose covariance is known, or known up to a factor.

    Attributes:
        log_marginal_likelihood: under the covariance K, nats.
        amplitude: σ², the factor whose covariance σ² K makes the labels likeliest.
        maximized_log_marginal_likelihood: under the covariance σ² K, nats.
    """

    log_marginal_likelihood: float
    amplitude: float
    maximized_log_marginal_likelihood: float


def likelihood(labels: Matrix, coefficients: Matrix, log_determinant: float) -> Likelihood:
    """Of labels under the Gaussian process of mean zero and covariance K, or K times a factor.

    For k outputs of n points, the log density of Y under the covariance s K is

        L(s) = −tr(Yᵀ K⁻¹ Y) / 2s − (k/2) log det K − (nk/2) log 2πs

    (Rasmussen & Williams 2006, eq. 2.30, summed over the outputs, with det sK = sⁿ det K). Its
    derivative (their eq. 5.9) vanishes at the amplitude alone, where L is largest:

        σ² = tr(Yᵀ K⁻¹ Y) / nk,    L(σ²) = −(nk/2) (1 + log 2πσ²) − (k/2) log det K.

    So L(σ²) is the same for every multiple of K, and exceeds L(1) by (nk/2) (σ² − 1 − log σ²).
    Predictive means are the same under every s; predictive variances are s times those under K.

    Args:
        labels: Y, shape (n, k), not all 0.
        coefficients: K⁻¹ Y, shape (n, k).
        log_determinant: log det K.
    """
    _, outputs = labels.shape
    amplitude = float((labels * coefficients).sum()) / labels.size
    volume = outputs * log_determinant + labels.size * float(np.log(2 * np.pi))
    return Likelihood(
        log_marginal_likelihood=-0.5 * (labels.size * amplitude + volume),
        amplitude=amplitude,
        # Not by the difference to the other: a kernel of extreme scale would leave no digits.
        maximized_log_marginal_likelihood=-0.5
        * (labels.size * (1 + float(np.log(amplitude))) + volume),
    )


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
