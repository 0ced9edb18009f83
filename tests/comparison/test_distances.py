"""The distance of two functions on the same images."""

import math

import numpy as np
import pytest

from ntk_mnist.comparison.distances import distance


def test_the_distance_is_the_root_mean_square_and_the_maximum_over_images_and_outputs() -> None:
    found = distance(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 5.0], [-1.0, 4.0]]))
    assert found.rms == pytest.approx(math.sqrt((3**2 + 4**2) / 4), rel=1e-15)
    assert found.max == 4


def test_a_function_lies_at_no_distance_from_itself() -> None:
    same = np.arange(6.0).reshape(3, 2)
    assert (distance(same, same).rms, distance(same, same).max) == (0, 0)


def test_the_distance_is_that_of_numpy_and_has_the_axioms_of_one() -> None:
    f, g, h = np.random.default_rng(0).normal(size=(3, 40, 10))
    assert distance(f, g).rms == pytest.approx(np.linalg.norm(f - g) / 20, rel=1e-14)
    assert distance(f, g).max == np.abs(f - g).max()
    assert distance(f, g) == distance(g, f)
    assert distance(f, h).rms <= distance(f, g).rms + distance(g, h).rms
    assert distance(f, h).max <= distance(f, g).max + distance(g, h).max
    assert distance(f, g).rms <= distance(f, g).max


def test_close_predictions_in_single_precision_are_compared_in_double() -> None:
    ones = np.ones((1000, 10), np.float32)
    close = ones + np.float32(1e-6)
    exact = float(close[0, 0]) - 1
    assert distance(close, ones).rms == pytest.approx(exact, rel=1e-14)
    # One side of each precision.
    assert distance(ones, np.full(ones.shape, 1 + 1e-12)).max == pytest.approx(1e-12, rel=1e-3)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_squares_neither_vanish_nor_overflow(scale: float) -> None:
    found = distance(np.array([[3 * scale, 4 * scale]]), np.zeros((1, 2)))
    assert found.rms == pytest.approx(scale * math.sqrt(12.5), rel=1e-14)


def test_a_prediction_that_is_not_finite_is_seen() -> None:
    zero, nothing = np.zeros((2, 2)), np.array([[0.0, math.nan], [0.0, 0.0]])
    assert math.isnan(distance(nothing, zero).rms)
    assert math.isnan(distance(nothing, zero).max)
    assert distance(np.full((2, 2), math.inf), zero).rms == math.inf
    assert math.isnan(distance(np.full((2, 2), math.inf), np.full((2, 2), math.inf)).rms)


def test_predictions_of_other_images_are_refused_and_not_broadcast() -> None:
    with pytest.raises(ValueError, match=r"\(3, 2\) and \(1, 2\)"):
        distance(np.zeros((3, 2)), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="no predictions"):
        distance(np.zeros((0, 2)), np.zeros((0, 2)))
