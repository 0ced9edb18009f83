"""Predictions against neural-tangents, SciPy's matrix exponential and LAPACK, in float64."""

import subprocess
import sys
from typing import Any

import jax
import numpy as np
import pytest
import scipy.linalg
from kernels.problems import TIMES, with_copies

from ntk_mnist.architecture import infinite
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.infinite_width.recursion import KINDS
from ntk_mnist.kernels.gram import gram
from ntk_mnist.kernels.solution import Matrix
from ntk_mnist.kernels.solver import Singular, SolveFailed
from ntk_mnist.kernels.spectral import SpectralSolver, diagonalize
from ntk_mnist.neural_tangents_compat import predict
from ntk_mnist.settings import Architecture


def arrays(digits: Dataset) -> tuple[Matrix, Matrix, Matrix]:
    return digits.train_images / 16, digits.targets(digits.train_labels), digits.test_images / 16


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


def test_a_singular_matrix_is_regularized_by_the_smallest_power_of_ten_that_suffices(
    digits: Dataset,
) -> None:
    architecture = Architecture()
    twice = with_copies(digits, 40, relabel=False)
    # NNGP only: the NTK's diagonal is noisy enough to hide that two rows are one.
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


def test_importing_the_spectral_solver_imports_nothing_of_the_exact_one() -> None:
    program = (
        "import sys; import ntk_mnist.kernels.spectral;"
        "sys.exit(any(m.startswith('ntk_mnist.kernels.exact') for m in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": "src"})
