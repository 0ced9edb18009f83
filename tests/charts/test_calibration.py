"""Squared error and accuracy against predictive variance."""

from typing import Any

import pandas as pd
import pytest
from charts.made_up_tables import KINDS, SIZES, TWO, calibration
from charts.specifications import drawn, found, specification

from ntk_mnist.charts.calibration import draw

pytestmark = pytest.mark.slow


def test_every_group_of_each_kernel_and_size_is_drawn() -> None:
    points = groups(calibration())
    # All panels of a kernel draw the same two groups of each size.
    assert len(points) == len(KINDS) * len(SIZES) * 2
    assert set(points["accuracy"]) == {0.95, 0.9}
    assert set(points["squared_error"]) == {0.025, 0.05}


def test_a_group_without_variance_has_no_place_on_the_log_axis() -> None:
    table = calibration()
    exact = (table["size"] == 128) & (table["fraction"] == 0.5)
    assert exact.sum() == len(KINDS)
    table.loc[exact, "variance"] = 0.0
    points = groups(table)
    assert len(points) == 2 * len(table) - len(KINDS)
    # The accuracy below is still drawn.
    assert (points["variance"] == 0).sum() == len(KINDS)


def test_panels_of_one_kernel_have_the_same_axes_for_all_architectures() -> None:
    spec = specification(draw({"calibration": calibration(TWO)}))
    errors = ("variance", "scaled_variance", "squared_error")
    scales = [channel["scale"] for field in errors for channel in channels(spec, field)]
    # Of both kernels, whose variances and errors are made up alike.
    assert len(scales) >= 4 * len(TWO) * len(KINDS)
    assert all(scale == scales[0] for scale in scales)
    accuracy = [channel["scale"] for channel in channels(spec, "accuracy")]
    assert len(accuracy) >= len(TWO) * len(KINDS)
    assert all(scale == accuracy[0] for scale in accuracy)


def test_a_decade_is_as_long_upwards_as_across() -> None:
    spec = specification(draw({"calibration": calibration()}))
    table = calibration()
    for field in ("variance", "scaled_variance", "squared_error"):
        for channel in channels(spec, field):
            low, high = channel["scale"]["domain"]
            assert low < table[field].min() <= table[field].max() < high
    assert set(found(spec, "width")) - {0} == set(found(spec, "height"))


def test_a_dashed_line_shows_where_variance_and_squared_error_are_equal() -> None:
    spec = specification(draw({"calibration": calibration()}))
    (domain,) = {tuple(c["scale"]["domain"]) for c in channels(spec, "squared_error")}
    for field in ("variance", "scaled_variance"):
        ends = [{field: end, "squared_error": end} for end in domain]
        (name,) = [name for name, rows in spec["datasets"].items() if rows == ends]
        drawn_with = [part for part in layers(spec) if part.get("data") == {"name": name}]
        assert len(drawn_with) == len(KINDS)
        assert all(part["mark"]["type"] == "line" for part in drawn_with)


def groups(table: pd.DataFrame) -> pd.DataFrame:
    """The groups of images that are drawn, each once in a dataset; no ends of other lines."""
    return drawn(specification(draw({"calibration": table}))).dropna(subset="kernel")


def channels(spec: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """The horizontal or vertical channels of a column."""
    both = [*found(spec, "x"), *found(spec, "y")]
    return [channel for channel in both if channel["field"] == field]


def layers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """All marks with what they draw."""
    return [part for layer in found(spec, "layer") for part in layer]
