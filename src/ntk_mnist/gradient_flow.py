"""Predictions of an infinitely wide network under gradient flow, by one diagonalization.

For training inputs X (n of them), labels Y of shape (n, k), a kernel Θ and the loss
L = |f(X) − Y|² / (2nk), gradient flow from the mean zero at initialization predicts, in
the mean over an infinite ensemble, at time t and at a point x

    f_t(x) = Θ(x, X) Θ(X, X)⁻¹ (1 − exp(−t Θ(X, X) / nk)) Y

(Lee et al. 2019, arXiv:1902.06720, eq. 11; for Θ the NNGP kernel, training the readout
layer alone, whose t = ∞ is Bayesian inference). With Θ(X, X) = V diag(λ) Vᵀ it is, for all
times together,

    f_t(x) = Θ(x, X) V diag(φ_t(λ)) Vᵀ Y,    φ_t(λ) = (1 − exp(−tλ / nk)) / λ,  φ_∞ = 1/λ.

The normalization and ``diag_reg`` are those of
``neural_tangents.predict.gradient_descent_mse_ensemble`` with learning rate 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ntk_mnist import UserError
from ntk_mnist.solution import Solution, log_marginal_likelihood

__all__ = [
    "GradientFlow",
    "SolveFailed",
    "accuracy",
    "check_diagonal",
    "diagonalize",
    "mean_squared_error",
]

_EPS = float(np.finfo(np.float64).eps)


class SolveFailed(UserError):
    """The kernel is no finite matrix, or one that vanishes."""


@dataclass(frozen=True)
class GradientFlow:
    """A diagonalized training Gram matrix, from which every prediction follows.

    Attributes:
        eigenvalues: of the regularized matrix, shape (n,), ascending, all positive.
        eigenvectors: in columns, shape (n, n).
        labels: shape (n, k), in the eigenvectors' basis.
        ridge: what ``diag_reg`` added to each eigenvalue.
        diag_reg: the regularization in use, in units of the mean diagonal.
    """

    eigenvalues: NDArray[np.float64]
    eigenvectors: NDArray[np.float64]
    labels: NDArray[np.float64]
    ridge: float
    diag_reg: float

    @property
    def condition_number(self) -> float:
        """Ratio of the largest to the smallest eigenvalue, regularized."""
        return float(self.eigenvalues[-1] / self.eigenvalues[0])

    def predict(
        self, k_test_train: NDArray[np.float64], times: Sequence[float]
    ) -> NDArray[np.float64]:
        """Mean predictions at new points.

        Args:
            k_test_train: kernel between the m points and the training inputs, shape (m, n).
            times: gradient-flow times, ``inf`` among them.

        Returns:
            Shape (times, m, k).
        """
        return self._mean(k_test_train @ self.eigenvectors, times)

    def predict_train(self, times: Sequence[float]) -> NDArray[np.float64]:
        """Mean predictions at the training inputs, by the kernel without its regularization.

        Returns:
            Shape (times, n, k).
        """
        return self._mean(self.eigenvectors * (self.eigenvalues - self.ridge), times)

    def _mean(self, projected: NDArray[np.float64], times: Sequence[float]) -> NDArray[np.float64]:
        rates = self.eigenvalues / self.labels.size
        return np.stack(
            [
                projected @ ((-np.expm1(-time * rates) / self.eigenvalues)[:, None] * self.labels)
                for time in times
            ]
        )


def spectral_solve(
    k_train_train: NDArray[np.float64],
    k_test_train: NDArray[np.float64],
    prior: NDArray[np.float64],
    labels: NDArray[np.float64],
    times: Sequence[float],
    diag_reg: float,
) -> Solution:
    """Solve one kernel at every time.

    Args:
        k_train_train: symmetric, shape (n, n), float64.
        k_test_train: kernel between the m test points and the training inputs, shape (m, n).
        prior: kernel of each test point with itself, shape (m,).
        labels: Y, shape (n, k).
        times: gradient-flow times, ``inf`` among them.
        diag_reg: added to the diagonal, in units of its mean.

    Raises:
        SolveFailed: an entry is NaN or infinite, or all of them vanish.
    """
    flow = diagonalize(k_train_train, labels, diag_reg)
    at_infinity = flow.eigenvectors @ (flow.labels / flow.eigenvalues[:, None])
    rest = labels - k_train_train @ at_infinity - flow.ridge * at_infinity
    whitened = flow.eigenvectors / np.sqrt(flow.eigenvalues)
    # In the norm of K; diagonalization errs at every time about as much.
    error = float(np.linalg.norm(whitened.T @ rest, axis=0).max()) * float(np.sqrt(prior.max()))
    return Solution(
        train=flow.predict_train(times),
        test=flow.predict(k_test_train, times),
        errors=np.full(len(times), error),
        # Where next to nothing is left, rounding may go below.
        variances=np.maximum(prior - ((k_test_train @ whitened) ** 2).sum(axis=1), 0),
        diag_reg=flow.diag_reg,
        condition_number=flow.condition_number,
        residual=float(np.linalg.norm(rest) / np.linalg.norm(labels)),
        jitter=0.0,
        log_marginal_likelihood=log_marginal_likelihood(
            labels, at_infinity, float(np.log(flow.eigenvalues).sum())
        ),
        log_marginal_likelihood_error=0.0,
    )


def diagonalize(
    k_train_train: NDArray[np.float64], labels: NDArray[np.float64], diag_reg: float
) -> GradientFlow:
    """Diagonalize the training Gram matrix, regularized as far as asked or needed.

    A matrix whose smallest eigenvalue is not above the rounding error of the largest,
    n ε λ_max, is singular to working precision: then ``diag_reg`` is raised to the smallest
    power of ten that lifts it above, and the result says so in its ``diag_reg``.

    Args:
        k_train_train: symmetric, shape (n, n), float64.
        labels: one-hot or other targets, shape (n, k).
        diag_reg: added to the diagonal, in units of its mean.

    Raises:
        SolveFailed: an entry is NaN or infinite, or all of them vanish.
    """
    if not np.isfinite(k_train_train).all():
        raise SolveFailed("the training Gram matrix has entries that are NaN or infinite")
    eigenvalues, eigenvectors = scipy.linalg.eigh(k_train_train, driver="evd")
    mean_diagonal = float(np.mean(np.diagonal(k_train_train)))
    check_diagonal(mean_diagonal)
    smallest, largest = float(eigenvalues[0]), float(eigenvalues[-1])
    noise = len(eigenvalues) * _EPS * largest
    if smallest + diag_reg * mean_diagonal <= noise:
        needed = (noise - smallest) / mean_diagonal
        diag_reg = float(10.0 ** (np.floor(np.log10(needed)) + 1))
    ridge = diag_reg * mean_diagonal
    return GradientFlow(
        eigenvalues=eigenvalues + ridge,
        eigenvectors=eigenvectors,
        labels=eigenvectors.T @ labels,
        ridge=ridge,
        diag_reg=diag_reg,
    )


def check_diagonal(mean: float) -> None:
    """Whether a Gram matrix of that mean diagonal can be solved with.

    Raises:
        SolveFailed: it vanishes, or is not finite.
    """
    if not np.isfinite(mean):
        raise SolveFailed("the training Gram matrix has entries that are NaN or infinite")
    if not mean > np.finfo(np.float64).tiny / _EPS:
        raise SolveFailed("the training Gram matrix vanishes: W_std or b_std is too small")


def accuracy(predictions: NDArray[np.float64], targets: NDArray[np.float64]) -> float:
    """Fraction of rows whose largest prediction is the largest target; both (m, k)."""
    return float(np.mean(predictions.argmax(axis=1) == targets.argmax(axis=1)))


def mean_squared_error(predictions: NDArray[np.float64], targets: NDArray[np.float64]) -> float:
    """Mean over rows and outputs of the squared difference; both (m, k)."""
    return float(np.mean((predictions - targets) ** 2))
