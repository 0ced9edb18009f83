"""Predictions against neural-tangents, SciPy's matrix exponential and LAPACK, in float64."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import jax
import mpmath as mp
import numpy as np
import pytest
import scipy.linalg
from infinite_width import closed_forms
from kernels.problems import TIMES, with_copies

from ntk_mnist.architecture import infinite
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.infinite_width.recursion import KINDS
from ntk_mnist.kernels.diagonalization import diagonalize
from ntk_mnist.kernels.exact.solve import ExactSolver
from ntk_mnist.kernels.gram import gram
from ntk_mnist.kernels.solution import Matrix
from ntk_mnist.kernels.solver import Singular, SolveFailed, Solver
from ntk_mnist.kernels.spectral import SpectralSolver
from ntk_mnist.neural_tangents_compat import predict
from ntk_mnist.settings import Architecture


def arrays(digits: Dataset) -> tuple[Matrix, Matrix, Matrix]:
    return digits.train_images / 16, digits.targets(digits.train_labels), digits.test_images / 16


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("diag_reg", [0.0, 1e-3])
@pytest.mark.parametrize("b_std", [0.0, 0.3])
def test_every_prediction_agrees_with_neural_tangents(
    digits: Dataset, kind: str, diag_reg: float, b_std: float
) -> None:
    x, y, z = arrays(digits)
    architecture = Architecture(activation="relu", depth=2, W_std=1.0, b_std=b_std)
    [ours] = SpectralSolver().solutions(architecture, [kind], digits, TIMES, diag_reg)
    with jax.enable_x64(True):
        predict_fn = predict.gradient_descent_mse_ensemble(
            infinite(architecture), x, y, diag_reg=diag_reg
        )
        for t, on_test, on_train in zip(TIMES, ours.test, ours.train, strict=True):
            time = None if np.isinf(t) else t
            np.testing.assert_allclose(on_test, predict_fn(time, z, get=kind), atol=1e-6)
            np.testing.assert_allclose(on_train, predict_fn(time, x, get=kind), atol=1e-6)
    assert ours.diag_reg == diag_reg
    assert ours.kind == kind


def test_predictions_solve_the_flow_by_matrix_exponential_and_lapack() -> None:
    rng = np.random.default_rng(0)
    factor, y, k_zx = rng.normal(size=(20, 30)), rng.normal(size=(20, 3)), rng.normal(size=(7, 20))
    k_xx = factor @ factor.T
    flow = diagonalize(k_xx).flow(y, 0.0)
    for t, ours in zip([0.3, 5.0, 200.0], flow.predict(k_zx, [0.3, 5.0, 200.0]), strict=True):
        remaining = np.eye(20) - scipy.linalg.expm(-t * k_xx / y.size)
        expected = k_zx @ scipy.linalg.solve(k_xx, remaining @ y, assume_a="pos")
        np.testing.assert_allclose(ours, expected, atol=1e-10)
    at_infinity = k_zx @ scipy.linalg.solve(k_xx, y, assume_a="pos")
    np.testing.assert_allclose(flow.predict(k_zx, [np.inf])[0], at_infinity, atol=1e-10)
    np.testing.assert_allclose(flow.condition_number, np.linalg.cond(k_xx), rtol=1e-9)


def proportional(digits: Dataset, count: int, *, conflicting: bool) -> Dataset:
    """Images, and a third of each, whose labels may differ."""
    images = digits.train_images[:count] // 3
    labels = digits.train_labels[:count]
    others = (labels + np.arange(count) % 2) % 10 if conflicting else labels
    return replace(
        digits,
        train_images=np.concatenate([3 * images, images]),
        train_labels=np.concatenate([labels, others]).astype(np.uint8),
    )


@pytest.mark.parametrize(
    ("count", "conflicting"), [(1, False), (20, False), (70, True), (96, True)]
)
def test_proportional_images_get_the_prediction_of_the_pseudoinverse(
    digits: Dataset, count: int, conflicting: bool
) -> None:
    """ReLU without a bias gives proportional images proportional rows: the matrix is singular."""
    problem = proportional(digits, count, conflicting=conflicting)
    architecture = Architecture(activation="relu", depth=1)
    [ours] = SpectralSolver().solutions(architecture, ["ntk"], problem, [np.inf], 1e-9)
    train, test = (
        images.astype(np.int64) for images in (problem.train_images, problem.test_images)
    )

    def ntk(p: Any, q: Any) -> Matrix:
        """By integers, which are exact: sin² = (|p|² |q|² − (p · q)²) / (|p|² |q|²)."""
        inner, norms = p @ q.T, np.outer((p**2).sum(axis=1), (q**2).sum(axis=1))
        angle = np.arctan2(np.sqrt(norms - inner**2), inner)
        value = np.sqrt(norms) * (np.sin(angle) + (np.pi - angle) * np.cos(angle))
        return (value + (np.pi - angle) * inner) / (2 * np.pi * 64 * 16**2)

    inverse = np.linalg.pinv(ntk(train, train), rcond=1e-13, hermitian=True)
    expected = ntk(test, train) @ inverse @ problem.targets(problem.train_labels)
    np.testing.assert_allclose(ours.test[0], expected, atol=1e-4)
    assert (ours.test[0].argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.995


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "depth", "w"), [("sin", 7, 0.1), ("sin", 14, 0.3), ("relu", 2, 1.0)]
)
def test_the_claimed_error_is_not_less_than_the_true_one(
    digits: Dataset, activation: str, depth: int, w: float
) -> None:
    problem = replace(
        digits, train_images=digits.train_images[:16], train_labels=digits.train_labels[:16]
    )
    problem = replace(problem, test_images=digits.test_images[:20])
    architecture = Architecture(activation=activation, depth=depth, W_std=w)
    [ours] = SpectralSolver().solutions(architecture, ["nngp"], problem, [np.inf], 0.0)
    assert ours.diag_reg == 0
    x, _, z = arrays(problem)
    k = mp.matrix(closed_forms.gram(activation, depth, w, 0.0, x)["nngp"])
    y = mp.matrix(problem.targets(problem.train_labels).tolist())
    coefficients = mp.lu_solve(k, y[:, 0])
    for point, prediction in zip(z, ours.test[0], strict=True):
        row = [closed_forms.kernels(activation, depth, w, 0.0, point, own)[0] for own in x]
        exact = mp.fsum(a * b for a, b in zip(row, coefficients, strict=True))
        wrong = abs(exact - mp.mpf(float(prediction[0])))
        assert wrong <= max(ours.errors[0], 1e-15)
        # Without the claim being of no use.
        assert ours.errors[0] < 1e-6


@pytest.mark.parametrize("diag_reg", [1e15, 1e30, 1e300])
def test_a_large_regularization_leaves_what_the_kernel_says(
    digits: Dataset, diag_reg: float
) -> None:
    x, y, z = arrays(digits)
    [ours] = SpectralSolver().solutions(Architecture(), ["nngp"], digits, [np.inf], diag_reg)
    k_xx = gram(Architecture(), x, None, ["nngp"], lambda x: x)["nngp"]
    k_zx = gram(Architecture(), z, x, ["nngp"], lambda x: x)["nngp"]
    ridge = diag_reg * np.mean(np.diag(k_xx))
    np.testing.assert_allclose(ours.train[0], k_xx @ y / ridge, rtol=1e-10)
    np.testing.assert_allclose(ours.test[0], k_zx @ y / ridge, rtol=1e-10)


def test_a_regularization_that_float64_cannot_hold_is_refused(digits: Dataset) -> None:
    architecture = Architecture(W_std=1e10)
    with pytest.raises(SolveFailed, match="diag_reg 1e\\+300 is too large"):
        list(SpectralSolver().solutions(architecture, ["nngp"], digits, [np.inf], 1e300))


@pytest.mark.slow
@pytest.mark.parametrize("w", [1e-20, 1e20])
@pytest.mark.parametrize("solver", [SpectralSolver(), ExactSolver(largest_tile=64)])
def test_the_limit_of_a_relu_network_without_bias_does_not_depend_on_its_weights(
    digits: Dataset, solver: Solver, w: float
) -> None:
    # Finite times in the units of each kernel.
    scale = w**8
    [one] = solver.solutions(Architecture(depth=3), ["nngp"], digits, [100.0, np.inf], 1e-6)
    [other] = solver.solutions(
        Architecture(depth=3, W_std=w), ["nngp"], digits, [100.0 / scale, np.inf], 1e-6
    )
    np.testing.assert_allclose(other.test, one.test, atol=1e-6)
    np.testing.assert_allclose(other.train, one.train, atol=1e-6)
    np.testing.assert_allclose(other.variances / scale, one.variances, rtol=1e-3, atol=1e-8)
    assert other.diag_reg == one.diag_reg == 1e-6
    x, y, _ = arrays(digits)
    k = gram(Architecture(depth=3), x, None, ["nngp"], lambda x: x)["nngp"]
    k += 1e-6 * np.mean(np.diag(k)) * np.eye(len(k))
    fit = float((y * np.linalg.solve(k, y)).sum()) / scale
    determinant = 10 * (np.linalg.slogdet(k)[1] + len(k) * np.log(scale))
    expected = -0.5 * (fit + determinant + y.size * np.log(2 * np.pi))
    assert other.log_marginal_likelihood == pytest.approx(expected, rel=1e-4)
    assert other.amplitude * scale == pytest.approx(one.amplitude, rel=1e-6)
    of_both = [s.maximized_log_marginal_likelihood for s in (one, other)]
    error = max(s.log_marginal_likelihood_error for s in (one, other))
    assert of_both[1] == pytest.approx(of_both[0], abs=max(2 * error, 1e-6 * abs(of_both[0])))
    assert other.errors.max() < 1e-4


@pytest.mark.parametrize("w", [1e-60, 1e60])
def test_a_kernel_beyond_float64_is_refused_with_the_reason(digits: Dataset, w: float) -> None:
    with pytest.raises(SolveFailed, match="W_std or b_std is too"):
        list(SpectralSolver().solutions(Architecture(W_std=w), ["ntk"], digits, [np.inf], 0.0))


def test_a_singular_matrix_is_regularized_by_the_smallest_power_of_ten_that_suffices(
    digits: Dataset,
) -> None:
    architecture = Architecture()
    twice = with_copies(digits, 40, relabel=False)
    [ours] = SpectralSolver().solutions(architecture, ["nngp"], twice, TIMES, 0.0)
    count = len(twice.train_images)
    assert 0 < ours.diag_reg <= 1e-10
    assert ours.diag_reg == 10.0 ** round(np.log10(ours.diag_reg))
    assert np.isfinite(ours.test).all()
    assert ours.condition_number < 1 / (count * np.finfo(float).eps)
    # A tenth of it leaves the matrix singular.
    k_xx = gram(architecture, twice.train_images / 16, None, ("nngp",), lambda x: x)["nngp"]
    values = np.linalg.eigvalsh(k_xx) + ours.diag_reg / 10 * np.mean(np.diag(k_xx))
    assert values[0] <= count * np.finfo(float).eps * values[-1]
    with pytest.raises(Singular):
        diagonalize(k_xx).flow(twice.targets(twice.train_labels), ours.diag_reg / 10)
    # Images that occur twice, with one label, change nothing: compare with the regular system.
    [once] = SpectralSolver().solutions(architecture, ["nngp"], digits, [np.inf], 0.0)
    np.testing.assert_allclose(ours.test[-1], once.test[0], atol=1e-4)


def test_a_singular_matrix_is_diagonalized_once(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    eigh: Any = scipy.linalg.eigh

    def counting(a: Matrix, **options: Any) -> Any:
        calls.append(len(a))
        return eigh(a, **options)

    monkeypatch.setattr(scipy.linalg, "eigh", counting)
    twice = with_copies(digits, 1, relabel=False)
    [ours] = SpectralSolver().solutions(Architecture(), ["nngp"], twice, TIMES, 0.0)
    assert ours.diag_reg > 0
    assert calls == [193]


def test_a_kernel_with_nan_is_refused() -> None:
    with pytest.raises(SolveFailed, match="NaN"):
        diagonalize(np.array([[1.0, np.nan], [np.nan, 1.0]]))


def test_a_kernel_that_vanishes_is_refused() -> None:
    with pytest.raises(SolveFailed, match="vanishes"):
        diagonalize(np.zeros((2, 2)))


@pytest.mark.slow
def test_importing_the_spectral_solver_imports_nothing_of_the_exact_one() -> None:
    program = (
        "import sys; import ntk_mnist.kernels.spectral;"
        "sys.exit(any(m.startswith('ntk_mnist.kernels.exact') for m in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": "src"})
