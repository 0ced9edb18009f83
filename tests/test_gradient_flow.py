"""Predictions against neural-tangents, SciPy's matrix exponential and LAPACK, in float64."""

import jax
import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

from ntk_mnist.architecture import Architecture, infinite
from ntk_mnist.datasets import Dataset
from ntk_mnist.gradient_flow import SolveFailed, accuracy, diagonalize, mean_squared_error
from ntk_mnist.kernel import gram
from ntk_mnist.neural_tangents_compat import predict

TIMES = [10.0**k for k in range(1, 8)] + [np.inf]
Matrix = NDArray[np.float64]


def inputs(digits: Dataset) -> tuple[Matrix, Matrix, Matrix]:
    return digits.train_images / 16, np.eye(10)[digits.train_labels], digits.test_images / 16


@pytest.mark.parametrize("kind", ["nngp", "ntk"])
@pytest.mark.parametrize("diag_reg", [0.0, 1e-3])
@pytest.mark.parametrize("b_std", [0.0, 0.3])
def test_every_prediction_agrees_with_neural_tangents(
    digits: Dataset, kind: str, diag_reg: float, b_std: float
) -> None:
    x, y, z = inputs(digits)
    architecture = Architecture(depth=2, activation="relu", W_std=1.0, b_std=b_std)
    flow = diagonalize(gram(architecture, x, None, (kind,))[kind], y, diag_reg)
    ours = flow.predict(gram(architecture, z, x, (kind,))[kind], TIMES)
    ours_train = flow.predict_train(TIMES)
    with jax.enable_x64(True):
        predict_fn = predict.gradient_descent_mse_ensemble(
            infinite(architecture), x, y, diag_reg=diag_reg
        )
        for t, on_test, on_train in zip(TIMES, ours, ours_train, strict=True):
            time = None if np.isinf(t) else t
            np.testing.assert_allclose(on_test, predict_fn(time, z, get=kind), atol=1e-6)
            np.testing.assert_allclose(on_train, predict_fn(time, x, get=kind), atol=1e-6)
    assert flow.diag_reg == diag_reg


def test_predictions_solve_the_flow_by_matrix_exponential_and_lapack() -> None:
    rng = np.random.default_rng(0)
    factor, y, k_zx = rng.normal(size=(20, 30)), rng.normal(size=(20, 3)), rng.normal(size=(7, 20))
    k_xx = factor @ factor.T
    flow = diagonalize(k_xx, y, 0.0)
    for t, ours in zip([0.3, 5.0, 200.0], flow.predict(k_zx, [0.3, 5.0, 200.0]), strict=True):
        remaining = np.eye(20) - scipy.linalg.expm(-t * k_xx / y.size)
        expected = k_zx @ scipy.linalg.solve(k_xx, remaining @ y, assume_a="pos")
        np.testing.assert_allclose(ours, expected, atol=1e-10)
    at_infinity = k_zx @ scipy.linalg.solve(k_xx, y, assume_a="pos")
    np.testing.assert_allclose(flow.predict(k_zx, [np.inf])[0], at_infinity, atol=1e-10)
    np.testing.assert_allclose(flow.condition_number, np.linalg.cond(k_xx), rtol=1e-9)


def test_a_singular_matrix_is_regularized_and_says_so(digits: Dataset) -> None:
    x, y, z = inputs(digits)
    x, y = np.concatenate([x, x[:40]]), np.concatenate([y, y[:40]])
    architecture = Architecture(depth=2, activation="relu", W_std=1.0, b_std=0.0)
    # NNGP only: the NTK's diagonal is noisy enough to hide that two rows are one.
    flow = diagonalize(gram(architecture, x, None, ("nngp",))["nngp"], y, 0.0)
    assert 0 < flow.diag_reg <= 1e-10
    assert flow.diag_reg == 10.0 ** round(np.log10(flow.diag_reg))
    predictions = flow.predict(gram(architecture, z, x, ("nngp",))["nngp"], TIMES)
    assert np.isfinite(predictions).all()
    # The smallest power of ten that does: a tenth of it leaves the matrix singular.
    assert flow.condition_number < 1 / (len(x) * np.finfo(float).eps)
    k_xx = gram(architecture, x, None, ("nngp",))["nngp"]
    values = np.linalg.eigvalsh(k_xx) + flow.diag_reg / 10 * np.mean(np.diag(k_xx))
    assert values[0] <= len(x) * np.finfo(float).eps * values[-1]
    # Images that occur twice, with one label, change nothing: compare with the regular system.
    once = diagonalize(gram(architecture, x[:192], None, ("nngp",))["nngp"], y[:192], 0.0)
    expected = once.predict(gram(architecture, z, x[:192], ("nngp",))["nngp"], [np.inf])[0]
    np.testing.assert_allclose(predictions[-1], expected, atol=1e-4)


def test_a_kernel_with_nan_is_refused() -> None:
    with pytest.raises(SolveFailed, match="NaN"):
        diagonalize(np.array([[1.0, np.nan], [np.nan, 1.0]]), np.eye(2), 0.0)


def test_a_kernel_that_vanishes_is_refused() -> None:
    with pytest.raises(SolveFailed, match="vanishes"):
        diagonalize(np.zeros((2, 2)), np.eye(2), 0.0)


def test_scores_are_fraction_and_mean_of_squares() -> None:
    targets = np.eye(3)[[0, 1, 2, 2]]
    predictions = np.eye(3)[[0, 1, 1, 2]] * 0.5
    assert accuracy(predictions, targets) == 0.75
    assert mean_squared_error(predictions, targets) == pytest.approx((3 * 0.25 + 1.25) / 12)
