"""The exponent of a power law and its interval."""

import math

import numpy as np
import pytest
from scipy import stats

from ntk_mnist.comparison.slopes import slope

WIDTHS = np.repeat([64, 128, 256, 512, 1024, 2048], 10)


@pytest.mark.parametrize("exponent", [-1.0, -0.5, 0.0, 0.25])
def test_an_exact_power_law_has_its_exponent_and_an_interval_of_no_length(exponent: float) -> None:
    found = slope(WIDTHS, 3 * WIDTHS.astype(float) ** exponent)
    assert found.slope == pytest.approx(exponent, abs=1e-12)
    assert found.low == pytest.approx(exponent, abs=1e-6)
    assert found.high == pytest.approx(exponent, abs=1e-6)
    assert (found.networks, found.widths) == (60, 6)


def test_the_slope_and_its_error_are_those_of_polyfit() -> None:
    values = np.random.default_rng(0).lognormal(size=60) / np.sqrt(WIDTHS)
    found = slope(WIDTHS, values)
    # Its covariance has the divisor networks − 2.
    coefficients, covariance = np.polyfit(np.log(WIDTHS), np.log(values), 1, cov=True)
    assert found.slope == pytest.approx(coefficients[0], rel=1e-10)
    half = stats.t.ppf(0.975, 58) * math.sqrt(covariance[0, 0])
    assert found.high - found.slope == pytest.approx(half, rel=1e-10)
    assert found.slope - found.low == pytest.approx(half, rel=1e-10)


def test_the_interval_of_three_points_is_that_of_the_closed_form() -> None:
    # log₂ values 0, 0 and 3 at log₂ widths 0, 1 and 2: the line −1/2 + 3/2 x, residuals
    # 1/2, −1, 1/2, so that se² = (3/2) / 1 / 2; Student's t with one degree is Cauchy's.
    found = slope([1, 2, 4], [1.0, 1.0, 8.0])
    assert found.slope == pytest.approx(1.5, rel=1e-14)
    quantile = math.tan(math.pi * 0.475)
    assert found.high - found.slope == pytest.approx(quantile * math.sqrt(0.75), rel=1e-10)


def test_the_unit_of_the_values_does_not_matter_and_that_of_the_widths_neither() -> None:
    values = np.random.default_rng(1).lognormal(size=60) / WIDTHS
    one, other = slope(WIDTHS, values), slope(WIDTHS * 8, values * 1e-9)
    assert other.slope == pytest.approx(one.slope, rel=1e-10)
    assert other.low == pytest.approx(one.low, rel=1e-10)


@pytest.mark.parametrize("networks", [4, 60])
def test_the_interval_holds_the_true_exponent_in_95_of_100_draws(networks: int) -> None:
    rng = np.random.default_rng(2)
    widths = np.resize(np.unique(WIDTHS), networks)
    intervals = [
        slope(widths, np.exp(-0.5 * np.log(widths) + rng.normal(0, 0.3, networks)))
        for _ in range(500)
    ]
    holding = sum(found.low <= -0.5 <= found.high for found in intervals)
    # 475 ± 3.3 standard deviations of a binomial count.
    assert 459 <= holding <= 491


@pytest.mark.parametrize(
    ("widths", "values"),
    [
        ([64, 64, 64], [0.1, 0.2, 0.3]),
        ([64, 128], [0.2, 0.1]),
        ([64, 128, 256], [0.2, 0.1, 0.0]),
        ([64, 128, 256], [0.2, 0.1, math.nan]),
        ([64, 128, 256], [0.2, 0.1, math.inf]),
        ([], []),
    ],
)
def test_a_slope_without_two_widths_three_networks_and_logarithms_is_undefined(
    widths: list[int], values: list[float]
) -> None:
    found = slope(widths, values)
    assert all(map(math.isnan, (found.slope, found.low, found.high)))
    assert (found.networks, found.widths) == (len(widths), len(set(widths)))


def test_networks_without_their_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"widths of shape \(3,\), values of shape \(2,\)"):
        slope([64, 128, 256], [0.2, 0.1])
