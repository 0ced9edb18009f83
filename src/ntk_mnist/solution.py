"""What is asked of one kernel at one training-set size, however it is solved."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Solution", "log_marginal_likelihood"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Solution:
    """Predictions at all times, and what the Gaussian process of that covariance says.

    Attributes:
        train: mean predictions at the training inputs, shape (times, n, k).
        test: mean predictions at the test points, shape (times, m, k).
        errors: estimated error of any of ``test``, shape (times,).
        variances: of the posterior Gaussian process at the test points, without noise, that is
            Θ(z, z) − Θ(z, X) K⁻¹ Θ(X, z), shape (m,).
        diag_reg: the regularization in use, in units of the mean diagonal.
        condition_number: of the regularized Gram matrix K.
        residual: ‖K a − Y‖ / ‖Y‖ at t = ∞, in float64.
        jitter: what the float32 factorization needed on its diagonal, in units of its mean.
        log_marginal_likelihood: log p(Y) over all outputs, nats.
        log_marginal_likelihood_error: estimate of its error.
    """

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


def log_marginal_likelihood(labels: Matrix, coefficients: Matrix, log_determinant: float) -> float:
    """Of labels under the Gaussian process of covariance K, mean zero, nats.

    −½ tr(Yᵀ K⁻¹ Y) − (k/2) log det K − (nk/2) log 2π: Rasmussen & Williams 2006, eq. 2.30, summed
    over the k outputs.

    Args:
        labels: Y, shape (n, k).
        coefficients: K⁻¹ Y.
        log_determinant: of K.
    """
    _, outputs = labels.shape
    fit = float((labels * coefficients).sum())
    return -0.5 * (fit + outputs * log_determinant + labels.size * float(np.log(2 * np.pi)))
