"""What the calibration says of predictions whose errors are known."""

import numpy as np
import pytest

from ntk_mnist.calibration import GROUPS, calibrate


def test_groups_go_from_the_most_certain_and_add_up() -> None:
    rng = np.random.default_rng(0)
    variances = rng.permutation(np.linspace(0.1, 1, 1000))
    targets = np.eye(3)[rng.integers(3, size=1000)]
    # Half of the less certain half is wrong.
    wrong = (variances > np.median(variances)) & (rng.uniform(size=1000) < 0.5)
    predictions = np.where(wrong[:, None], np.roll(targets, 1, axis=1), targets)
    found = calibrate(variances, predictions, targets)
    assert len(found.fraction) == GROUPS
    assert found.fraction[-1] == 1
    assert found.variance == sorted(found.variance)
    assert found.accuracy[: GROUPS // 2] == [1.0] * (GROUPS // 2)
    assert found.accuracy[-1] == pytest.approx(1 - wrong.mean())
    assert np.mean(found.variance) == pytest.approx(variances.mean())
    assert np.mean(found.squared_error) == pytest.approx(((predictions - targets) ** 2).mean())


def test_fewer_images_than_groups_are_a_group_each() -> None:
    found = calibrate(np.array([0.2, 0.1]), np.eye(2), np.eye(2)[::-1])
    assert found.fraction == [0.5, 1.0]
    assert found.variance == [0.1, 0.2]
    assert found.accuracy == [0.0, 0.0]
