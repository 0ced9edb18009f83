"""Distances of functions against width."""

import math
from functools import cache
from typing import Any

import pandas as pd
import pytest
from charts.made_up_tables import (
    STEP_SIZES,
    STEP_TIMES,
    TWO,
    WIDTHS,
    convergence,
    distances,
    like_for_like_tables,
)
from charts.specifications import drawn, found, panel_titles, specification

from ntk_mnist.charts.convergence import draw
from ntk_mnist.charts.observations import ChartError

pytestmark = pytest.mark.slow


@cache
def of_one_architecture() -> dict[str, Any]:
    """The specification of a chart with three seeds."""
    return specification(draw(like_for_like_tables(3)))


@cache
def of_two_architectures() -> dict[str, Any]:
    """The specification of a chart of two architectures, with three seeds."""
    return specification(draw(like_for_like_tables(3, TWO)))


def subtitles(spec: dict[str, object]) -> list[str]:
    """The lines below the title of each panel, without that of the size."""
    titles = [title for title in found(spec, "title") if isinstance(title, dict)]
    panels = [title["subtitle"] for title in titles if title.get("anchor") == "middle"]
    return [line for lines in panels for line in lines[1:]]


def test_each_size_has_a_panel_for_the_whole_distance_and_for_both_of_its_parts() -> None:
    spec = of_two_architectures()
    parts = ["Network to NTK", "Linearization to NTK", "Network to linearization"]
    assert panel_titles(spec) == parts * len(STEP_SIZES) * len(TWO)


def test_a_line_is_the_geometric_mean_over_seeds_of_one_time() -> None:
    points = drawn(of_one_architecture())
    point = points[
        (points["quantity"] == "network_to_limit")
        & (points["width"] == 256)
        & (points["size"] == 128)
        & (points["time_label"] == "2e1")
    ]
    # Seeds multiply the distance by 1, 2 and 4.
    expected = 1.2 * 256**-0.5 * 2 * 1.28
    assert point["value"].item() == pytest.approx(expected)
    # Student's quantile of two degrees of freedom; the logarithms deviate by log 2.
    factor = 2 ** (4.302653 / math.sqrt(3))
    assert point["low"].item() == pytest.approx(expected / factor)
    assert point["high"].item() == pytest.approx(expected * factor)
    assert point["seeds"].item() == 3


def test_lines_are_times_in_the_order_and_the_colours_of_gradient_flow_times() -> None:
    spec = of_one_architecture()
    scales = [c["scale"] for c in found(spec, "color") if isinstance(c, dict) and "scale" in c]
    assert scales
    assert all(scale["domain"] == ["2", "2e1", "2e2"] for scale in scales)


def test_both_axes_are_logarithmic_and_the_same_in_all_panels() -> None:
    spec = of_two_architectures()
    for channel in ("x", "y"):
        scales = [c["scale"] for c in found(spec, channel) if "scale" in c]
        assert len(scales) >= 3 * len(STEP_SIZES) * len(TWO)
        assert all(scale == scales[0] for scale in scales)
        assert scales[0]["type"] == "log"


def test_every_panel_has_reference_slopes_behind_its_lines() -> None:
    spec = of_one_architecture()
    panels = [layers for layers in found(spec, "layer") if len(layers) > 1]
    assert len(panels) == 3 * len(STEP_SIZES)
    for layers in panels:
        grey = [layer for layer in layers if layer["encoding"].get("detail")]
        assert [layer["encoding"]["detail"]["field"] for layer in grey] == ["reference"]
        assert layers.index(grey[0]) < len(layers) - 1
        rows = pd.DataFrame(spec["datasets"][grey[0]["data"]["name"]])
        ends = rows.pivot(index="reference", columns="width", values="value")
        slopes = (ends[1024] / ends[64]).map(math.log) / math.log(1024 / 64)
        assert slopes.to_dict() == pytest.approx({"−1/2": -0.5, "−1": -1.0})


def test_a_panel_tells_the_range_of_its_slopes_and_a_point_the_slope_of_its_line() -> None:
    tables = like_for_like_tables()
    steeper = (
        (tables["convergence"]["time"] == 200.0)
        & (tables["convergence"]["quantity"] == "network_to_limit")
        & (tables["convergence"]["smallest_width"] == 64)
    )
    tables["convergence"].loc[steeper, ["slope", "low", "high"]] = [-0.56, -0.61, -0.51]
    spec = specification(draw(tables))
    of_size = [
        *("slopes −0.56 … −0.50 (± 0.05)", "from width 256: −0.52 (± 0.03)"),
        *("slope −0.45 (± 0.03)", "from width 256: −0.47 (± 0.03)"),
        *("slope −1.00 (± 0.03)", "from width 256: −1.02 (± 0.03)"),
    ]
    assert subtitles(spec) == of_size * len(STEP_SIZES)
    points = drawn(spec)
    late = points[(points["time"] == 200.0) & (points["quantity"] == "network_to_limit")]
    assert set(late["slope"]) == {-0.56}
    assert set(late["slope_low"]) == {-0.61}
    shown = {
        tooltip["field"]
        for tooltips in found(spec, "tooltip")
        # That of a label is one, and not a list.
        if isinstance(tooltips, list)
        for tooltip in tooltips
    }
    assert {"slope", "slope_low", "slope_high", "low", "high", "value"} <= shown


def test_a_slope_is_that_of_the_line_s_own_architecture() -> None:
    tables = like_for_like_tables(architectures=TWO)
    tables["convergence"].loc[tables["convergence"]["depth"] == 3, "slope"] = -0.7
    points = drawn(specification(draw(tables))).dropna(subset="activation")
    assert set(points.loc[points["depth"] == 3, "slope"]) == {-0.7}
    assert set(points.loc[points["depth"] == 2, "slope"]) == {-0.5, -0.45, -1.0}


def test_a_line_without_a_slope_is_drawn_too() -> None:
    tables = like_for_like_tables()
    tables["convergence"]["slope"] = math.nan
    spec = specification(draw(tables))
    assert set(subtitles(spec)) == {"no slope"}
    assert len(drawn(spec).dropna(subset="value")) > len(WIDTHS) * len(STEP_TIMES)


def test_the_subtitle_states_what_is_compared_and_how() -> None:
    assert of_one_architecture()["title"]["subtitle"] == [
        "MNIST, relu, 2 hidden layers, W_std 1, b_std 0, 1,000 test images",
        "Networks: NTK parameterization, squared error, full-batch gradient descent, step size 2",
        "Root mean square over test images and outputs; "
        "geometric mean and its 95 % interval over 3 seeds",
        "Slopes by least squares over networks: lowest … highest over times "
        "(± half of the longest 95 % interval)",
    ]


def test_a_distance_of_0_has_no_place_on_the_log_axis() -> None:
    tables = like_for_like_tables(seeds=2)
    start = distances(seeds=2).query("time == 2.0").assign(time=0.0, rms=0.0)
    tables["distance"] = pd.concat([tables["distance"], start])
    assert 0.0 not in set(drawn(specification(draw(tables)))["time"])
    with pytest.raises(ChartError, match="no positive distance of functions"):
        draw({"distance": start, "convergence": convergence()})


def test_networks_of_another_loss_cannot_be_mixed_in() -> None:
    tables = like_for_like_tables()
    other = distances().assign(seed=1, loss="cross_entropy")
    tables["distance"] = pd.concat([tables["distance"], other])
    with pytest.raises(ChartError, match="different loss cannot share a chart"):
        draw(tables)


@pytest.mark.parametrize(
    ("column", "other"), [("loss", "cross_entropy"), ("parameterization", "standard")]
)
def test_networks_that_do_not_tend_to_the_ntk_are_refused(column: str, other: str) -> None:
    tables = like_for_like_tables()
    for table in tables.values():
        table[column] = other
    with pytest.raises(
        ChartError, match=f"not like for like: .* {column} .*, the networks {other}"
    ):
        draw(tables)


def test_an_architecture_without_a_size_leaves_its_panels_empty() -> None:
    tables = like_for_like_tables(architectures=TWO)
    lacking = (tables["distance"]["activation"] == "erf") & (
        tables["distance"]["size"] == STEP_SIZES[0]
    )
    tables["distance"] = tables["distance"][~lacking]
    figure = draw(tables)
    assert len(panel_titles(figure.to_dict())) == 3 * len(STEP_SIZES) * len(TWO)
    # The first panel is one of them, and Vega still draws the legend's selection.
    figure.to_json(format="vega")
