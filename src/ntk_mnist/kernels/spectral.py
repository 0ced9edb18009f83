"""Solve kernels of up to a few thousand training images by one diagonalization each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from math import inf

import numpy as np

from ntk_mnist import settings
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.diagonalization import Spectrum, diagonalize
from ntk_mnist.kernels.dynamics import Dynamics
from ntk_mnist.kernels.gram import diagonal, gram
from ntk_mnist.kernels.precision import entry_error
from ntk_mnist.kernels.solution import Arrays, Matrix, Solution, likelihood
from ntk_mnist.kernels.solver import Attempt, Solver, rounding_errors
from ntk_mnist.kernels.trained_ensemble import trained_variances

__all__ = ["SpectralSolver"]


class SpectralSolver(Solver):
    """Diagonalizes the Gram matrix of each kernel, in float64."""

    def attempts(
        self,
        architecture: settings.Architecture,
        kinds: Sequence[str],
        dataset: Dataset,
        times: Sequence[float],
        step_size: float,
    ) -> Iterator[Attempt]:
        """Compute the Gram matrices of all kinds together; diagonalize each when it is solved."""
        of_entries = entry_error(architecture, dataset, self.services.programs)
        train, test = dataset.train_images, dataset.test_images
        inputs = partial(dataset.inputs, dtype=np.float64)
        k_train_train = gram(architecture, train, None, kinds, inputs, self.services.programs)
        k_test_train = gram(architecture, test, train, kinds, inputs, self.services.programs)
        prior = diagonal(architecture, test, kinds, inputs, self.services.programs)
        labels = dataset.targets(dataset.train_labels)
        for kind in kinds:
            yield _Problem(
                *(kind, k_train_train.pop(kind), k_test_train.pop(kind), prior[kind]),
                *(labels, times, Dynamics(step_size), of_entries),
            ).solve

    def trained_variances(
        self,
        architecture: settings.Architecture,
        dataset: Dataset,
        times: Sequence[float],
        diag_reg: float,
        step_size: float,
    ) -> Matrix:
        """From the Gram matrices of both kernels."""
        what = architecture, dataset, times, diag_reg, Dynamics(step_size)
        return trained_variances(*what, self.services.programs)


@dataclass(frozen=True)
class _Problem:
    """One kernel, to be solved at every time.

    Attributes:
        kind: ``nngp`` or ``ntk``.
        k_train_train: symmetric, shape (n, n), float64.
        k_test_train: kernel between the m test images and the training images, shape (m, n).
        prior: kernel of each test image with itself, shape (m,).
        labels: Y, shape (n, k).
        times: gradient-flow times; ``inf`` is the limit.
        dynamics: gradient flow or descent.
        entry_error: of an entry of each matrix, relative to the largest.
    """

    kind: str
    k_train_train: Matrix
    k_test_train: Matrix
    prior: Matrix
    labels: Matrix
    times: Sequence[float]
    dynamics: Dynamics
    entry_error: float

    @cached_property
    def spectrum(self) -> Spectrum:
        """Of the training Gram matrix, computed once for all values of ``diag_reg``."""
        return diagonalize(self.k_train_train)

    def solve(self, diag_reg: float, checkpoint: Arrays) -> Solution:
        """Solve with this regularization; diagonalization is too short to store parts of it."""
        flow = self.spectrum.flow(self.labels, diag_reg, self.entry_error, self.dynamics)
        regularized, prior = flow.regularized, float(self.prior.max())
        coefficients = [flow.eigenvectors @ flow.coefficients(time) for time in self.times]
        at_infinity = flow.eigenvectors @ flow.coefficients(inf)
        rest = self.labels - self.k_train_train @ at_infinity - flow.ridge * at_infinity
        whitened = flow.eigenvectors / np.sqrt(regularized)
        # In the norm of K. The error of a diagonalization is about the same at every time.
        error = float(np.linalg.norm(whitened.T @ rest, axis=0).max() * np.sqrt(prior))
        explained = (self.k_test_train @ whitened) ** 2
        weights = float(np.sqrt((explained / regularized).sum(axis=1).max()))
        of_entries = rounding_errors(
            *(coefficients, self.times, weights, self.spectrum.mean_diagonal, prior),
            self.entry_error,
        )
        return Solution(
            kind=self.kind,
            train=flow.predict_train(self.times),
            test=flow.predict(self.k_test_train, self.times),
            errors=error + of_entries,
            # Where the variance nearly vanishes, rounding may make it negative.
            variances=np.maximum(self.prior - explained.sum(axis=1), 0),
            diag_reg=flow.diag_reg,
            condition_number=flow.condition_number,
            residual=float(np.linalg.norm(rest) / np.linalg.norm(self.labels)),
            jitter=0.0,
            **likelihood(self.labels, at_infinity, float(np.log(regularized).sum()))._asdict(),
            log_marginal_likelihood_error=0.0,
        )
