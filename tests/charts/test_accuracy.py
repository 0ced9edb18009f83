"""Test accuracy of like-for-like networks against width."""

from functools import cache
from typing import Any

import pytest
from charts.made_up_tables import STEP_SIZES, TWO, WIDTHS, like_for_like_tables
from charts.specifications import drawn, found, panel_titles, specification
from scipy import stats

from ntk_mnist.charts.accuracy import draw
from ntk_mnist.charts.observations import ChartError


@cache
def spec_of(seeds: int) -> dict[str, Any]:
    """The chart of one architecture."""
    return specification(draw(like_for_like_tables(seeds)))


def test_networks_their_ensemble_and_the_dashed_limit_are_drawn_at_the_last_time() -> None:
    points = drawn(spec_of(3))
    panels = points[points["size"] == STEP_SIZES[0]].dropna(subset=["series"])
    values = panels.groupby("series")["value"].apply(list)
    assert values["mean of networks"] == pytest.approx([0.7 - 2 / width**0.5 for width in WIDTHS])
    assert values["ensemble"] == pytest.approx([0.7 - 1 / width**0.5 for width in WIDTHS])
    assert values["∞ (NTK)"] == [0.7] * len(WIDTHS)
    assert "t = 2e2" in spec_of(3)["title"]["text"]


def test_the_band_is_the_interval_of_a_mean_by_students_t() -> None:
    points = drawn(spec_of(3))
    networks = points[points["series"] == "mean of networks"]
    half = stats.t.ppf(0.975, 2) * 0.01
    assert (networks["high"] - networks["value"]).tolist() == pytest.approx([half] * len(networks))
    one = drawn(spec_of(1))
    alone = one[one["series"] == "mean of networks"]
    assert (alone["high"] == alone["low"]).all()


def test_the_grey_band_is_what_so_many_test_images_tell_of_the_limit() -> None:
    points = drawn(spec_of(3))
    band = points[points["series"].isna()]
    # Wilson's interval of 700 of 1,000, from scipy.
    expected = stats.binomtest(700, 1000).proportion_ci(method="wilson")
    assert band["low"].tolist() == pytest.approx([expected.low] * len(band))
    assert band["high"].tolist() == pytest.approx([expected.high] * len(band))


def test_above_each_panel_is_the_gap_at_the_largest_width_with_its_error() -> None:
    spec = specification(draw(like_for_like_tables(3, TWO)))
    assert panel_titles(spec) == [f"{size:,} training images" for size in STEP_SIZES] * len(TWO)
    above = [t["subtitle"] for t in found(spec, "title") if isinstance(t, dict) and "subtitle" in t]
    assert above[1:] == [["width 1,024 minus NTK: −6.2 ± 0.4 points"]] * len(STEP_SIZES) * len(TWO)


def test_all_panels_have_one_scale_that_holds_all_bands() -> None:
    scales = [y["scale"] for y in found(spec_of(3), "y") if "scale" in y]
    assert all(scale == scales[0] for scale in scales)
    points = drawn(spec_of(3))
    low, high = scales[0]["domain"]
    assert low <= points["low"].min()
    assert high >= points["high"].max()


def test_networks_trained_on_another_loss_than_the_kernels_are_refused() -> None:
    tables = like_for_like_tables()
    tables["ensemble"]["loss"] = "cross_entropy"
    with pytest.raises(ChartError, match="not like for like"):
        draw(tables)
