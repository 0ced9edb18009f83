"""The log marginal likelihood against SciPy, and the stored form of a solution."""

from dataclasses import asdict, fields
from typing import Any

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from ntk_mnist.kernels.solution import (
    Solution,
    log_marginal_likelihood,
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
        log_marginal_likelihood_error=0.1,
        seconds=12.5,
    )


def test_the_log_marginal_likelihood_is_the_sum_of_normal_log_densities() -> None:
    rng = np.random.default_rng(0)
    factor, labels = rng.normal(size=(6, 8)), rng.normal(size=(6, 3))
    k = factor @ factor.T
    coefficients = np.asarray(np.linalg.solve(k, labels), np.float64)
    ours = log_marginal_likelihood(labels, coefficients, float(np.linalg.slogdet(k)[1]))
    theirs = scipy.stats.multivariate_normal(np.zeros(6), k).logpdf(labels.T).sum()
    assert ours == pytest.approx(theirs, rel=1e-9)


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
