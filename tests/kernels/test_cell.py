"""The rows of a kernel cell, by hand from its solutions."""

from math import inf

import numpy as np
import pytest

from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.calibration import GROUPS, calibrate
from ntk_mnist.kernels.cell import solve_cell
from ntk_mnist.kernels.solvers import SOLVERS
from ntk_mnist.kernels.spectral import SpectralSolver
from ntk_mnist.settings import Architecture

ARCHITECTURE = Architecture(activation="relu", depth=2, W_std=1.4, b_std=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("solver_name", SOLVERS)
def test_a_cell_has_a_row_for_each_kind_and_time_and_ends_at_infinity(
    digits: Dataset, solver_name: str
) -> None:
    rows, groups, predictions = solve_cell(
        ARCHITECTURE, ("ntk", "nngp"), (1000.0, 10.0), 1e-6, solver_name, digits
    )
    assert [(row.kernel, row.time) for row in rows] == [
        (kind, time) for kind in ("ntk", "nngp") for time in (1000.0, 10.0, inf)
    ]
    assert [group.kernel for group in groups] == ["ntk"] * GROUPS + ["nngp"] * GROUPS
    reference = SpectralSolver().solutions(
        ARCHITECTURE, ("ntk", "nngp"), digits, (1000.0, 10.0, inf), 1e-6
    )
    targets = np.eye(10)[digits.train_labels], np.eye(10)[digits.test_labels]
    for i, solution in enumerate(reference):
        for row, on_train, on_test in zip(
            rows[3 * i :], solution.train, solution.test, strict=False
        ):
            stored = np.reshape(predictions.pop(0).prediction, on_test.shape)
            np.testing.assert_allclose(stored, on_test, atol=1e-6)
            assert row.solver == solver_name
            assert row.diag_reg == 1e-6
            assert row.train_accuracy == np.mean(on_train.argmax(1) == digits.train_labels)
            assert row.test_accuracy == np.mean(on_test.argmax(1) == digits.test_labels)
            assert row.train_mse == pytest.approx(np.mean((on_train - targets[0]) ** 2), abs=1e-9)
            assert row.test_mse == pytest.approx(np.mean((on_test - targets[1]) ** 2), abs=1e-6)
            assert row.condition_number == pytest.approx(solution.condition_number, rel=5e-2)
            assert row.amplitude == pytest.approx(solution.amplitude, rel=1e-3)
            assert row.maximized_log_marginal_likelihood == pytest.approx(
                solution.maximized_log_marginal_likelihood, rel=1e-3
            )
            assert 0 <= row.prediction_error < 1e-3
            assert 0 <= row.residual < 1e-8
            assert row.solve_seconds > 0
        squared_errors = ((solution.test[-1] - targets[1]) ** 2).mean(axis=1)
        right = solution.test[-1].argmax(1) == digits.test_labels
        expected = calibrate(solution.variances, squared_errors, right)
        for group, by_hand in zip(groups[GROUPS * i :], expected, strict=False):
            assert group.fraction == by_hand.fraction
            assert group.variance == pytest.approx(by_hand.variance, rel=1e-3)
            assert group.scaled_variance == pytest.approx(
                solution.amplitude * by_hand.variance, rel=1e-3
            )
            assert group.squared_error == pytest.approx(by_hand.squared_error, abs=1e-5)
            assert group.accuracy == by_hand.accuracy
