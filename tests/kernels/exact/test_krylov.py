"""Projected gradient flow against the exact one, by SciPy's matrix exponential."""

import numpy as np
import scipy.linalg

from ntk_mnist.kernels.exact.krylov import extended, orthonormal, project, with_directions
from ntk_mnist.kernels.solution import Matrix


def problem(count: int = 300) -> tuple[Matrix, Matrix]:
    """A matrix whose eigenvalues fall like a kernel's, and labels."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(count, count))).Q
    k = (basis * np.arange(1, count + 1) ** -2.0) @ basis.T * 100
    return (k + k.T) / 2, rng.normal(size=(count, 3))


def flow(k: Matrix, y: Matrix, time: float) -> Matrix:
    remaining = np.eye(len(k)) - scipy.linalg.expm(-time / y.size * k)
    return np.asarray(scipy.linalg.solve(k, remaining @ y, assume_a="pos"))


def test_an_extended_space_contains_gradient_flow_at_all_times_and_bounds_its_error() -> None:
    k, y = problem()
    factor = scipy.linalg.cho_factor(k)
    basis = extended(orthonormal(y), y, lambda v: k @ v, 12)
    basis = extended(basis, y, lambda v: scipy.linalg.cho_solve(factor, v), 6)
    np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-12)
    space = project(basis, k @ basis, y)
    for time in (1.0, 1e2, 1e4, 1e6):
        off = basis @ space.coefficients(time) - flow(k, y, time)
        in_norm = np.sqrt((off * (k @ off)).sum(axis=0).max())
        assert in_norm < 1e-2 * np.linalg.norm(y)
        # A bound, except for the moments between those at which the residual is computed.
        assert in_norm <= 1.2 * space.error(time) + 1e-9
    exact = scipy.linalg.cho_solve(factor, y)
    np.testing.assert_allclose(basis @ space.coefficients(np.inf), exact, rtol=1e-6, atol=1e-6)


def test_the_residual_is_the_defect_of_the_differential_equation() -> None:
    k, y = problem(60)
    basis = extended(orthonormal(y), y, lambda v: k @ v, 3)
    space = project(basis, k @ basis, y)
    time, step = 50.0, 1e-3
    slope = (space.coefficients(time + step) - space.coefficients(time - step)) / (2 * step)
    expected = y - k @ (basis @ space.coefficients(time)) - basis @ slope * y.size
    np.testing.assert_allclose(space.residual(basis, k @ basis, time), expected, atol=1e-5)


def test_directions_that_are_in_the_span_add_nothing() -> None:
    basis = orthonormal(np.random.default_rng(0).normal(size=(50, 4)))
    assert with_directions(basis, basis @ np.ones((4, 2))).shape == (50, 4)
    assert with_directions(basis, np.zeros((50, 1))).shape == (50, 4)
