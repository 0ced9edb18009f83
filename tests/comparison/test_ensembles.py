"""Predictions of several seeds together."""

import math

import numpy as np
import pytest

from ntk_mnist.comparison.distances import distance
from ntk_mnist.comparison.ensembles import (
    accuracy_gap,
    distance_to_limit,
    ensemble_accuracy,
    ensemble_mean,
    member_accuracy,
    spread,
    standard_error,
)

#: Two seeds on three images with two outputs.
TWO = np.array([[[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [[0.7, 0.3], [0.9, 0.1], [0.3, 0.7]]])
#: The first seed classifies all three correctly, the second the first alone.
TARGETS = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])


def test_the_ensemble_predicts_the_mean_over_seeds() -> None:
    expected = [[0.8, 0.2], [0.55, 0.45], [0.45, 0.55]]
    np.testing.assert_allclose(ensemble_mean(TWO), expected, rtol=1e-15)


def test_the_accuracy_of_the_mean_is_not_the_mean_of_accuracies() -> None:
    assert ensemble_accuracy(TWO, TARGETS) == pytest.approx(1 / 3)
    members = member_accuracy(TWO, TARGETS)
    assert members.mean == pytest.approx(2 / 3)
    # Accuracies 1 and 1/3: a standard deviation of √2 / 3.
    assert members.standard_error == pytest.approx(1 / 3)
    assert members.draws == 2


def test_the_gap_of_accuracies_is_paired_by_image() -> None:
    # Both seeds are right on the first image, one of them on the others; the limit on the first two.
    limit = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    gap = accuracy_gap(TWO, limit, TARGETS)
    assert gap.mean == pytest.approx(0)
    # Differences 0, −1/2 and 1/2.
    assert gap.standard_error == pytest.approx(0.5 / math.sqrt(3))
    agreeing = accuracy_gap(np.stack([limit, limit]), limit, TARGETS)
    assert (agreeing.mean, agreeing.standard_error, agreeing.draws) == (0, 0, 3)


def test_the_error_of_a_gap_is_that_of_another_draw_of_images() -> None:
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(400):
        targets = np.eye(2)[rng.integers(2, size=200)]
        # One score a prediction, whose sign decides; shared noise makes most of the errors common.
        shared = rng.normal(size=(200, 1))
        noise = [0.3 * rng.normal(size=(200, 1)) for _ in range(3)]
        one, other, limit = (targets + np.hstack([shared + n, -shared - n]) for n in noise)
        draws.append(accuracy_gap(np.stack([one, other]), limit, targets))
    spread_of_means = np.std([gap.mean for gap in draws])
    assert np.mean([gap.standard_error for gap in draws]) == pytest.approx(spread_of_means, rel=0.1)


def test_the_spread_is_the_unbiased_variance_over_seeds() -> None:
    expected = [[0.02, 0.02], [0.245, 0.245], [0.045, 0.045]]
    np.testing.assert_allclose(spread(TWO), expected, rtol=1e-14)
    np.testing.assert_allclose(standard_error(TWO), np.sqrt(np.array(expected) / 2), rtol=1e-14)


def test_one_seed_has_a_mean_but_neither_spread_nor_error() -> None:
    one = TWO[:1]
    np.testing.assert_array_equal(ensemble_mean(one), one[0])
    assert np.isnan(spread(one)).all()
    assert np.isnan(standard_error(one)).all()
    assert member_accuracy(one, TARGETS).mean == 1
    assert math.isnan(member_accuracy(one, TARGETS).standard_error)


def test_the_distance_to_the_limit_is_that_of_the_mean() -> None:
    limit = np.zeros((3, 2))
    assert distance_to_limit(TWO, limit) == distance(TWO.mean(axis=0), limit)
    # Seeds on both sides of the limit cancel.
    assert distance_to_limit(np.array([np.ones((3, 2)), -np.ones((3, 2))]), limit).rms == 0


def test_networks_at_the_limit_lie_at_the_standard_error_of_their_mean() -> None:
    rng = np.random.default_rng(0)
    limit, deviation = rng.normal(size=(400, 10)), rng.uniform(0.1, 0.5, size=(400, 10))
    networks = limit + deviation * rng.normal(size=(16, 400, 10))
    expected = math.sqrt(np.mean(deviation**2) / 16)
    assert distance_to_limit(networks, limit).rms == pytest.approx(expected, rel=0.05)
    assert math.sqrt(np.mean(standard_error(networks) ** 2)) == pytest.approx(expected, rel=0.05)
    assert math.sqrt(np.mean(spread(networks))) == pytest.approx(4 * expected, rel=0.05)


def test_single_precision_is_summed_in_double() -> None:
    networks = np.full((1000, 1, 1), 0.1, np.float32)
    assert ensemble_mean(networks)[0, 0] == pytest.approx(float(np.float32(0.1)), rel=1e-14)
    assert ensemble_mean(networks).dtype == spread(networks).dtype == np.float64


def test_predictions_without_an_axis_of_seeds_are_refused() -> None:
    for predictions in (TWO[0], TWO[:0]):
        for function in (ensemble_mean, spread, standard_error):
            with pytest.raises(ValueError, match="not predictions of seeds, images and outputs"):
                function(predictions)
    with pytest.raises(ValueError, match=r"targets of \(2, 2\)"):
        ensemble_accuracy(TWO, TARGETS[:2])
    with pytest.raises(ValueError, match=r"targets of \(1, 2\)"):
        member_accuracy(TWO, TARGETS[:1])
