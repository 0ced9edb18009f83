"""The error of an accuracy that comes of the number of test images."""

import math

import numpy as np
import pytest

from ntk_mnist.comparison.binomial import standard_error, wilson_interval


def test_the_standard_error_is_that_of_a_binomial_count() -> None:
    assert standard_error(0.9, 1000) == pytest.approx(math.sqrt(0.9 * 0.1 / 1000), rel=1e-15)
    draws = np.random.default_rng(0).binomial(1000, 0.9, size=20_000) / 1000
    assert standard_error(0.9, 1000) == pytest.approx(draws.std(), rel=0.02)
    assert standard_error(1.0, 1000) == 0


@pytest.mark.parametrize(("correct", "images"), [(0, 10), (10, 10), (7, 10), (950, 1000)])
def test_the_ends_of_wilsons_interval_lie_1_96_of_their_own_errors_away(
    correct: int, images: int
) -> None:
    accuracy = correct / images
    for end in wilson_interval(accuracy, images):
        error = math.sqrt(end * (1 - end) / images)
        assert abs(accuracy - end) == pytest.approx(1.959964 * error, rel=1e-5, abs=1e-12)


def test_wilsons_interval_keeps_within_0_and_1_and_has_a_length_at_both() -> None:
    low, high = wilson_interval(1.0, 1000)
    assert high == 1
    # Its closed form at an accuracy of 1.
    assert low == pytest.approx(1000 / (1000 + 1.959964**2), rel=1e-7)
    assert wilson_interval(0.0, 1000)[1] == pytest.approx(1 - low, rel=1e-7)


def test_wilsons_interval_holds_the_truth_in_95_of_100_draws() -> None:
    counts = np.random.default_rng(1).binomial(1000, 0.97, size=500)
    intervals = [wilson_interval(count / 1000, 1000) for count in counts]
    holding = sum(low <= 0.97 <= high for low, high in intervals)
    assert 459 <= holding <= 491


@pytest.mark.parametrize(("accuracy", "images"), [(1.1, 10), (-0.1, 10), (0.5, 0), (math.nan, 10)])
def test_what_is_no_accuracy_is_refused(accuracy: float, images: int) -> None:
    with pytest.raises(ValueError, match="an accuracy of"):
        standard_error(accuracy, images)
    with pytest.raises(ValueError, match="an accuracy of"):
        wilson_interval(accuracy, images)


def test_an_accuracy_that_no_count_of_images_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no number of 10 images is an accuracy of 0.55"):
        wilson_interval(0.55, 10)
