"""The likelihood of labels against SciPy, and the stored form of a solution."""

from dataclasses import asdict, fields
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from numpy.typing import NDArray

from ntk_mnist.kernels.solution import (
    Likelihood,
    Matrix,
    Solution,
    likelihood,
    restore_solution,
    store_solution,
)


def solution() -> Solution:
    rng = np.random.default_rng(0)
    return Solution(
        kind="nngp",
        train=rng.normal(size=(2, 5, 3)),
        test=rng.normal(size=(2, 4, 3)),
        errors=rng.normal(size=2),
        variances=rng.normal(size=4),
        diag_reg=1e-9,
        condition_number=1 / 3,
        residual=2 / 3,
        jitter=0.0,
        log_marginal_likelihood=-1 / 7,
        amplitude=3 / 7,
        maximized_log_marginal_likelihood=-1 / 9,
        log_marginal_likelihood_error=0.1,
        seconds=12.5,
    )


def labels_and_covariance() -> tuple[Matrix, Matrix]:
    rng = np.random.default_rng(0)
    factor, labels = rng.normal(size=(6, 8)), rng.normal(size=(6, 3))
    return labels, np.asarray(factor @ factor.T, np.float64)


def of(labels: Matrix, k: Matrix) -> Likelihood:
    """Ours of a dense covariance."""
    coefficients = np.asarray(np.linalg.solve(k, labels), np.float64)
    return likelihood(labels, coefficients, float(np.linalg.slogdet(k)[1]))


def log_density(labels: Matrix, k: Matrix) -> float:
    """SciPy's."""
    return float(scipy.stats.multivariate_normal(np.zeros(len(k)), k).logpdf(labels.T).sum())


def test_the_log_marginal_likelihood_is_the_sum_of_normal_log_densities() -> None:
    labels, k = labels_and_covariance()
    ours = of(labels, k).log_marginal_likelihood
    assert ours == pytest.approx(log_density(labels, k), rel=1e-9)


def test_the_amplitude_is_the_factor_of_the_kernel_that_makes_the_labels_likeliest() -> None:
    labels, k = labels_and_covariance()
    best = scipy.optimize.minimize_scalar(
        lambda log_factor: -log_density(labels, np.exp(log_factor) * k),
        bounds=(-20, 20),
        method="bounded",
        options={"xatol": 1e-9},
    )
    ours = of(labels, k)
    # A minimum is flat: half of the digits show in its place.
    assert np.log(ours.amplitude) == pytest.approx(best.x, abs=1e-6)
    assert ours.maximized_log_marginal_likelihood == pytest.approx(-best.fun, rel=1e-12)
    assert ours.maximized_log_marginal_likelihood > ours.log_marginal_likelihood


@pytest.mark.parametrize("factor", [1e-30, 0.2, 1e30])
def test_the_maximized_likelihood_does_not_depend_on_the_scale_of_the_kernel(
    factor: float,
) -> None:
    labels, k = labels_and_covariance()
    one, other = of(labels, k), of(labels, factor * k)
    assert other.amplitude * factor == pytest.approx(one.amplitude, rel=1e-9)
    assert other.maximized_log_marginal_likelihood == pytest.approx(
        one.maximized_log_marginal_likelihood, rel=1e-9
    )
    # Its excess over the likelihood of the kernel as it is.
    excess = labels.size / 2 * (other.amplitude - 1 - np.log(other.amplitude))
    assert other.log_marginal_likelihood + excess == pytest.approx(
        other.maximized_log_marginal_likelihood, rel=1e-9, abs=1e-9 * excess
    )


def test_a_stored_solution_is_restored_as_it_was() -> None:
    stored: dict[str, NDArray[Any]] = {}
    store_solution(solution(), stored)
    restored = restore_solution(stored)
    assert restored is not None
    for name, value in asdict(solution()).items():
        np.testing.assert_array_equal(getattr(restored, name), value)
        assert type(getattr(restored, name)) is type(value)


def test_a_stored_solution_replaces_everything_else() -> None:
    stored: dict[str, NDArray[Any]] = {"jitter=0,tile=0,0": np.ones((2, 2))}
    store_solution(solution(), stored)
    assert "jitter=0,tile=0,0" not in stored
    assert len(stored) == len(fields(Solution))


def test_a_solution_that_was_stored_in_part_is_not_restored() -> None:
    stored: dict[str, NDArray[Any]] = {}
    assert restore_solution(stored) is None
    store_solution(solution(), stored)
    for name in list(stored):
        assert restore_solution({other: stored[other] for other in stored if other != name}) is None
