"""Accuracy and squared error over gradient-flow time."""

import math
from functools import cache
from typing import Any

import pandas as pd
import pytest
from charts.made_up_tables import (
    KINDS,
    STEP_SIZES,
    STEP_TIMES,
    TIMES,
    TWO,
    WIDTHS,
    like_for_like_tables,
    networks,
)
from charts.specifications import drawn, found, panel_titles, scaled, specification

from ntk_mnist.charts.dynamics import draw
from ntk_mnist.charts.observations import ChartError


@cache
def of_one_architecture() -> dict[str, Any]:
    """The specification of a chart with three seeds."""
    return specification(draw(like_for_like_tables(3)))


@cache
def of_two_architectures() -> dict[str, Any]:
    """The specification of a chart of two architectures, with three seeds."""
    return specification(draw(like_for_like_tables(3, TWO)))


@pytest.mark.slow
def test_each_size_has_a_panel_of_accuracy_and_one_of_squared_error() -> None:
    spec = of_two_architectures()
    assert panel_titles(spec) == ["Test accuracy", "Test squared error"] * len(STEP_SIZES) * len(
        TWO
    )


def test_a_line_is_the_mean_of_a_width_with_the_range_of_its_seeds() -> None:
    points = drawn(of_one_architecture())
    # Width 256 and size 3000 are the sixth cell.
    cell = points[(points["width_label"] == "256") & (points["size"] == 3000)]
    accuracy = cell.nlargest(len(STEP_TIMES), "value").sort_values("time")
    assert accuracy["time"].tolist() == STEP_TIMES
    assert accuracy["value"].tolist() == pytest.approx([0.57, 0.62, 0.67])
    assert (accuracy["high"] - accuracy["value"]).tolist() == pytest.approx([0.02] * 3)
    error = cell.nsmallest(len(STEP_TIMES), "value").sort_values("time")
    assert error["value"].tolist() == pytest.approx([1.1 / (10 + time) for time in STEP_TIMES])
    assert error["high"].tolist() == pytest.approx([1.2 / (10 + time) for time in STEP_TIMES])


def test_both_kernels_are_dashed_lines_over_their_finite_times() -> None:
    spec = of_one_architecture()
    points = drawn(spec)
    for kind in KINDS:
        own = points[points["width_label"] == f"∞ ({kind.upper()})"]
        # Two panels of each size.
        assert len(own) == 2 * len(STEP_SIZES) * (len(TIMES) - 1)
        assert math.inf not in set(own["time"])
    scale = next(d["scale"] for d in found(spec, "strokeDash") if "scale" in d)
    assert scale["domain"] == [*map(str, WIDTHS), "∞ (NNGP)", "∞ (NTK)"]
    assert [dash != [1, 0] for dash in scale["range"]] == [False] * len(WIDTHS) + [True] * 2


@pytest.mark.slow
def test_time_is_on_a_log_axis_that_all_panels_share() -> None:
    scales = [x["scale"] for x in scaled(of_two_architectures(), "x")]
    assert scales[0]["type"] == "log"
    assert scales[0]["domain"][0] < 2
    assert scales[0]["domain"][1] > 1e7
    assert all(scale == scales[0] for scale in scales)


@pytest.mark.slow
def test_a_measure_has_one_scale_in_all_panels_that_holds_its_bands() -> None:
    spec = of_two_architectures()
    scales = [y["scale"] for y in found(spec, "y") if "scale" in y]
    accuracy = [scale for scale in scales if scale.get("type") != "log"]
    errors = [scale for scale in scales if scale.get("type") == "log"]
    for own in (accuracy, errors):
        assert len(own) >= len(STEP_SIZES) * len(TWO)
        assert all(scale == own[0] for scale in own)
    low, high = errors[0]["domain"]
    assert low < 1 / (20 + 1e7)
    assert high > 1.2 / 12


@pytest.mark.slow
def test_the_start_has_no_place_on_the_log_axis() -> None:
    tables = like_for_like_tables()
    start = tables["network"].query("time == 2.0").assign(time=0.0)
    tables["network"] = pd.concat([start, tables["network"]], ignore_index=True)
    assert drawn(specification(draw(tables)))["time"].min() == 2
    with pytest.raises(ChartError, match="no time that is positive and finite"):
        draw(tables | {"network": start})


def test_networks_trained_on_another_loss_than_the_kernels_are_refused() -> None:
    tables = like_for_like_tables()
    # The networks of the notebook's experiment.
    tables["network"] = networks().assign(time=1.0, parameterization="ntk")
    with pytest.raises(ChartError, match="not like for like: the NTK has loss squared_error"):
        draw(tables)
    tables["network"]["loss"] = "cross_entropy"
    with pytest.raises(ChartError, match="the networks cross_entropy"):
        draw(tables)


def test_the_subtitle_states_the_descent_and_the_seeds() -> None:
    assert of_one_architecture()["title"]["subtitle"][1:] == [
        "Networks: NTK parameterization, squared error, full-batch gradient descent, step size 2",
        "Mean and range over 3 seeds",
    ]


@pytest.mark.slow
def test_a_kernel_without_networks_of_its_size_does_not_stretch_the_axes() -> None:
    tables = like_for_like_tables()
    kernel = tables["kernel"]
    alone = kernel[kernel["size"] == STEP_SIZES[0]].assign(size=20_000, test_mse=1e-9)
    with_it = specification(draw(tables | {"kernel": pd.concat([kernel, alone])}))
    without = specification(draw(tables))
    assert found(with_it, "scale") == found(without, "scale")
    assert len(drawn(with_it)) == len(drawn(without))
