"""From predictions of both sides to the rows of the tables of comparisons."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ntk_mnist.comparison.tables import AtTime, convergence, distances, ensemble

Predictions = NDArray[np.float32]


def predictions(seed: int) -> Predictions:
    """Of five images with three outputs."""
    return np.random.default_rng(seed).normal(size=(5, 3)).astype(np.float32)


LIMIT, NETWORK, LINEARIZED = (predictions(seed) for seed in range(3))
TARGETS = np.eye(3)[[0, 1, 2, 0, 1]]


def rms(one: Any, other: Any) -> float:
    return float(np.sqrt(np.mean((np.float64(one) - np.float64(other)) ** 2)))


def test_a_network_its_linearization_and_the_limit_are_compared_pairwise() -> None:
    rows = list(distances(7, 20.0, AtTime(NETWORK, LINEARIZED, 0.3, 0.1), LIMIT))
    assert {(row.seed, row.time) for row in rows} == {(7, 20.0)}
    assert {row.quantity: row.rms for row in rows} == pytest.approx(
        {
            "network_to_limit": rms(NETWORK, LIMIT),
            "linearization_to_limit": rms(LINEARIZED, LIMIT),
            "network_to_linearization": rms(NETWORK, LINEARIZED),
            "ntk_to_limit": 0.3,
            "ntk_change": 0.1,
        }
    )
    largest = {row.quantity: row.max for row in rows}
    assert largest["network_to_limit"] == pytest.approx(np.abs(NETWORK - LIMIT).max())
    # Of kernels there is the norm alone.
    assert largest["ntk_to_limit"] is largest["ntk_change"] is None


def test_a_network_without_a_linearization_is_compared_with_the_limit_alone() -> None:
    rows = distances(0, 1.0, AtTime(NETWORK, None, 0.3, 0.1), LIMIT)
    assert [row.quantity for row in rows] == ["network_to_limit", "ntk_to_limit", "ntk_change"]


def test_an_ensemble_states_its_mean_its_spread_and_the_limits() -> None:
    networks = [predictions(seed) for seed in range(10, 14)]
    row = ensemble(3.0, networks, LIMIT, 0.25, TARGETS)
    stacked = np.stack(networks).astype(np.float64)
    assert (row.time, row.seeds, row.limit_variance) == (3.0, 4, 0.25)
    assert row.rms == pytest.approx(rms(stacked.mean(axis=0), LIMIT))
    assert row.variance == pytest.approx(stacked.var(axis=0, ddof=1).mean())
    assert row.standard_error == pytest.approx(math.sqrt(stacked.var(axis=0, ddof=1).mean() / 4))
    labels = TARGETS.argmax(axis=1)
    accuracies = np.mean(stacked.argmax(axis=2) == labels, axis=1)
    assert row.network_accuracy == pytest.approx(accuracies.mean())
    assert row.network_accuracy_error == pytest.approx(accuracies.std(ddof=1) / 2)
    assert row.ensemble_accuracy == np.mean(stacked.mean(axis=0).argmax(axis=1) == labels)
    limit = float(np.mean(LIMIT.argmax(axis=1) == labels))
    assert row.limit_accuracy == limit
    assert row.limit_accuracy_error == pytest.approx(math.sqrt(limit * (1 - limit) / 5))
    assert row.accuracy_gap == pytest.approx(accuracies.mean() - limit)


def test_what_one_seed_or_one_image_does_not_tell_is_null() -> None:
    alone = ensemble(3.0, [NETWORK], LIMIT, 0.0, TARGETS)
    assert alone.variance is alone.standard_error is alone.network_accuracy_error is None
    assert alone.accuracy_gap_error is not None
    one_image = ensemble(3.0, [NETWORK[:1]] * 2, LIMIT[:1], 0.0, TARGETS[:1])
    assert one_image.accuracy_gap_error is None


def test_a_slope_states_the_networks_that_it_is_of() -> None:
    networks = [(width, 3 * width**-0.5) for width in (64, 256, 1024) for _ in range(2)]
    (row,) = convergence(2.0, "network_to_limit", networks)
    assert row.slope == pytest.approx(-0.5)
    assert (row.networks, row.widths, row.smallest_width, row.largest_width) == (6, 3, 64, 1024)
    (one_width,) = convergence(2.0, "network_to_limit", networks[:2])
    assert one_width.slope is one_width.low is one_width.high is None


def test_a_law_that_bends_has_the_slope_of_the_larger_widths_beside_that_of_all() -> None:
    # Flat up to width 256, then ∝ 1 / width; in any order.
    networks = [(width, min(1.0, 256 / width)) for width in (64, 2048, 128, 256, 512, 1024)]
    of_all, of_larger = convergence(2.0, "network_to_limit", networks)
    assert (of_all.smallest_width, of_all.widths) == (64, 6)
    assert (of_larger.smallest_width, of_larger.widths, of_larger.networks) == (512, 3, 3)
    assert of_larger.slope == pytest.approx(-1)
    assert of_all.slope is not None
    assert -1 < of_all.slope < -0.5
    # Of four widths, two are left, which show no bend.
    (alone,) = convergence(2.0, "network_to_limit", networks[:4])
    assert alone.widths == 4
