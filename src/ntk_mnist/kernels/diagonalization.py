"""Predictions of an infinitely wide network under gradient flow, by one diagonalization.

For training inputs X (n of them), labels Y of shape (n, k), a kernel Θ and the loss
L = |f(X) − Y|² / (2nk), gradient flow starts from the mean zero at initialization. At time t and
at a point x it predicts, in the mean over an infinite ensemble,

    f_t(x) = Θ(x, X) Θ(X, X)⁻¹ (1 − exp(−t Θ(X, X) / nk)) Y

(Lee et al. 2019, arXiv:1902.06720, eq. 11). If Θ is the NNGP kernel, this trains the readout
layer alone, and its t = ∞ is Bayesian inference. With Θ(X, X) = V diag(λ) Vᵀ, all times follow
from one diagonalization:

    f_t(x) = Θ(x, X) V diag(φ_t(λ)) Vᵀ Y,    φ_t(λ) = (1 − exp(−tλ / nk)) / λ,  φ_∞ = 1/λ.

Under gradient descent, φ is that of its steps (``kernels.dynamics``).

The normalization and ``diag_reg`` are those of
``neural_tangents.predict.gradient_descent_mse_ensemble`` with learning rate 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from ntk_mnist.kernels.dynamics import GRADIENT_FLOW, Dynamics
from ntk_mnist.kernels.solution import Matrix
from ntk_mnist.kernels.solver import check_diagonal, check_regular

__all__ = ["GradientFlow", "Spectrum", "diagonalize"]


@dataclass(frozen=True)
class GradientFlow:
    """A diagonalized and regularized training Gram matrix, from which every prediction follows.

    Attributes:
        eigenvalues: of the matrix before regularization, shape (n,), ascending. Held beside the
            ridge, because the sum of the two would lose the smaller one.
        eigenvectors: in columns, shape (n, n).
        labels: in the eigenvectors' basis, shape (n, k).
        ridge: what ``diag_reg`` adds to each eigenvalue; all sums are positive.
        diag_reg: the regularization, in units of the mean diagonal.
        dynamics: gradient flow or descent.
    """

    eigenvalues: Matrix
    eigenvectors: Matrix
    labels: Matrix
    ridge: float
    diag_reg: float
    dynamics: Dynamics = GRADIENT_FLOW

    @property
    def condition_number(self) -> float:
        """Ratio of the largest to the smallest eigenvalue, regularized."""
        return float(self.regularized[-1] / self.regularized[0])

    @property
    def regularized(self) -> Matrix:
        """Eigenvalues of the regularized matrix, shape (n,)."""
        return self.eigenvalues + self.ridge

    def coefficients(self, time: float) -> Matrix:
        """Of the kernels with the training inputs, in the eigenvectors' basis, shape (n, k)."""
        rates = self.regularized / self.labels.size
        learned = self.dynamics.learned(rates, time)
        return np.asarray((learned / self.regularized)[:, None] * self.labels)

    def predict(self, k_test_train: Matrix, times: Sequence[float]) -> Matrix:
        """Mean predictions at new points.

        Args:
            k_test_train: kernel between the m points and the training inputs, shape (m, n).
            times: gradient-flow times; ``inf`` is the limit.

        Returns:
            Shape (times, m, k).
        """
        return self._mean(k_test_train @ self.eigenvectors, times)

    def predict_train(self, times: Sequence[float]) -> Matrix:
        """Mean predictions at the training inputs, by the kernel without its regularization.

        Returns:
            Shape (times, n, k).
        """
        return self._mean(self.eigenvectors * self.eigenvalues, times)

    def _mean(self, projected: Matrix, times: Sequence[float]) -> Matrix:
        return np.stack([projected @ self.coefficients(time) for time in times])


@dataclass(frozen=True)
class Spectrum:
    """A diagonalized training Gram matrix, before regularization.

    Attributes:
        eigenvalues: shape (n,), ascending.
        eigenvectors: in columns, shape (n, n).
        mean_diagonal: of the matrix.
    """

    eigenvalues: Matrix
    eigenvectors: Matrix
    mean_diagonal: float

    def flow(
        self,
        labels: Matrix,
        diag_reg: float,
        entry_error: float = 0.0,
        dynamics: Dynamics = GRADIENT_FLOW,
    ) -> GradientFlow:
        """Gradient flow on the regularized matrix.

        Args:
            labels: one-hot or other targets, shape (n, k).
            diag_reg: added to the diagonal, in units of its mean.
            entry_error: of an entry of the matrix, relative to the largest.
            dynamics: gradient flow or descent.

        Raises:
            SolveFailed: the regularization or the step size is too large.
            Singular: the regularized matrix is singular to working precision.
        """
        smallest, largest = float(self.eigenvalues[0]), float(self.eigenvalues[-1])
        check_diagonal(self.mean_diagonal, diag_reg)
        check_regular(len(labels), smallest, largest, self.mean_diagonal, diag_reg, entry_error)
        ridge = diag_reg * self.mean_diagonal
        dynamics.check_stable(largest + ridge, labels.size)
        return GradientFlow(
            eigenvalues=self.eigenvalues,
            eigenvectors=self.eigenvectors,
            labels=self.eigenvectors.T @ labels,
            ridge=ridge,
            diag_reg=diag_reg,
            dynamics=dynamics,
        )


def diagonalize(k_train_train: Matrix) -> Spectrum:
    """Diagonalize a training Gram matrix.

    Args:
        k_train_train: symmetric, shape (n, n), float64.

    Raises:
        SolveFailed: an entry is NaN or infinite, or the matrix vanishes.
    """
    finite = bool(np.isfinite(k_train_train).all())
    mean_diagonal = float(np.mean(np.diagonal(k_train_train))) if finite else float("nan")
    check_diagonal(mean_diagonal)
    eigenvalues, eigenvectors = scipy.linalg.eigh(k_train_train, driver="evd")
    return Spectrum(eigenvalues, eigenvectors, mean_diagonal)
