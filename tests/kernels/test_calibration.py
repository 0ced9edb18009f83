"""Calibration of predictions whose errors are known."""

import numpy as np
import pytest

from ntk_mnist.kernels.calibration import GROUPS, LARGEST_GROUP, calibrate


def test_groups_start_with_the_most_certain_and_contain_every_image_once() -> None:
    rng = np.random.default_rng(0)
    variances = rng.permutation(np.linspace(0.1, 1, 1000))
    targets = np.eye(3)[rng.integers(3, size=1000)]
    # Half of the less certain half is wrong.
    wrong = (variances > np.median(variances)) & (rng.uniform(size=1000) < 0.5)
    predictions = np.where(wrong[:, None], np.roll(targets, 1, axis=1), targets)
    groups = calibrate(variances, ((predictions - targets) ** 2).mean(axis=1), ~wrong)
    assert len(groups) == GROUPS
    assert groups[-1].fraction == 1
    assert [group.variance for group in groups] == sorted(group.variance for group in groups)
    assert [group.accuracy for group in groups[: GROUPS // 2]] == [1.0] * (GROUPS // 2)
    assert groups[-1].accuracy == pytest.approx(1 - wrong.mean())
    assert np.mean([group.variance for group in groups]) == pytest.approx(variances.mean())
    squared_error = np.mean([group.squared_error for group in groups])
    assert squared_error == pytest.approx(((predictions - targets) ** 2).mean())


def test_each_image_is_a_group_if_there_are_fewer_images_than_groups() -> None:
    groups = calibrate(np.array([0.2, 0.1]), np.ones(2), np.zeros(2, bool))
    assert [group.fraction for group in groups] == [0.5, 1.0]
    assert [group.variance for group in groups] == [0.1, 0.2]
    assert [group.accuracy for group in groups] == [0.0, 0.0]


def test_a_group_of_ten_thousand_test_images_has_as_many_images_as_in_the_paper() -> None:
    groups = calibrate(np.linspace(0, 1, 10_000), np.ones(10_000), np.ones(10_000, bool))
    assert len(groups) == 10_000 // LARGEST_GROUP == 100
