"""Scores of predictions, by hand."""

import numpy as np
import pytest

from ntk_mnist.kernels.scores import accuracy, mean_squared_error


def test_scores_are_the_fraction_of_right_rows_and_the_mean_of_squares() -> None:
    targets = np.eye(3)[[0, 1, 2, 2]]
    predictions = np.eye(3)[[0, 1, 1, 2]] * 0.5
    assert accuracy(predictions, targets) == 0.75
    assert mean_squared_error(predictions, targets) == pytest.approx((3 * 0.25 + 1.25) / 12)
