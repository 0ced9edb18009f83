"""Panels against width, with lines of known slopes."""

import math
from typing import Any

import pandas as pd
import pytest

from ntk_mnist.charts.layouts import TWO_COLUMNS
from ntk_mnist.charts.panels import unlabelled
from ntk_mnist.charts.power_laws import REFERENCE_SLOPES, axes, reference_lines


def points(widths: list[int], values: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"width": widths, "value": values}).assign(
        low=lambda data: data["value"] / 2, high=lambda data: data["value"] * 2
    )


def test_reference_lines_have_the_slopes_of_their_labels() -> None:
    lines = reference_lines(points([64, 64, 2048], [0.1, 0.3, 0.01]))
    assert REFERENCE_SLOPES == {"−1/2": -0.5, "−1": -1.0}
    for label, slope in REFERENCE_SLOPES.items():
        line = lines[lines["reference"] == label]
        assert line["width"].tolist() == [64, 2048]
        start, end = line["value"]
        assert math.log(end / start) / math.log(2048 / 64) == pytest.approx(slope)


def test_reference_lines_start_together_above_every_band() -> None:
    lines = reference_lines(points([64, 64, 2048], [0.1, 0.3, 0.01]))
    starts = set(lines.loc[lines["width"] == 64, "value"])
    assert len(starts) == 1
    assert starts.pop() > 0.6


@pytest.mark.parametrize("data", [points([], []), points([64, 64], [0.1, 0.2])])
def test_one_width_has_no_slope_to_compare(data: pd.DataFrame) -> None:
    assert reference_lines(data).empty


def test_all_columns_share_one_scale_that_holds_bands_and_reference_lines() -> None:
    panels = [points([64, 2048], [0.1, 0.05]), points([64, 2048], [1e-3, 1e-5])]
    _, vertical = axes(panels, [64, 2048], "Distance", TWO_COLUMNS.grid(3))
    first: Any = vertical.to_dict()
    low, high = first["scale"]["domain"]
    assert low < 1e-5 / 2
    assert high > reference_lines(panels[0])["value"].max()
    other: Any = unlabelled(vertical).to_dict()
    assert other["scale"] == first["scale"]
    assert other["axis"]["values"] == first["axis"]["values"]
    assert other["axis"]["labels"] is False
    assert [first["title"], other["title"]] == ["Distance", None]
