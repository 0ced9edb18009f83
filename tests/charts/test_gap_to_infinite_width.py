"""Networks minus their limits."""

import math

import pytest
from charts.made_up_tables import TWO, WIDTHS, kernels, networks, tables
from charts.specifications import drawn, found, scaled, specification

from ntk_mnist.charts.gap_to_infinite_width import draw
from ntk_mnist.charts.observations import ChartError

pytestmark = pytest.mark.slow


def test_the_axis_is_log_2_with_the_widths_as_ticks() -> None:
    axes = scaled(specification(draw(tables(architectures=TWO))), "x")
    assert axes
    for x in axes:
        assert x["scale"]["type"] == "log"
        assert x["scale"]["base"] == 2
        assert x["axis"]["values"] == WIDTHS


def test_the_gap_is_network_minus_kernel_at_infinity() -> None:
    points = drawn(specification(draw(tables()))).dropna(subset="value")
    cell = points[(points["width"] == 256) & (points["size"] == 3000)]
    assert list(cell["value"]) == pytest.approx([0.55 - 0.71, 0.55 - 0.83])


def test_a_network_is_compared_with_the_kernel_of_its_own_architecture() -> None:
    points = drawn(specification(draw(tables(architectures=TWO)))).dropna(subset="value")
    for i, architecture in enumerate(TWO):
        cell = points.query(
            f"width == 256 and size == 3000 and activation == '{architecture.activation}'"
            f" and depth == {architecture.depth} and W_std == {architecture.W_std}"
        )
        # Accuracies grow by 0.001 an architecture in networks, by 0.003 in kernels.
        expected = [0.55 - 0.71 - 0.002 * i, 0.55 - 0.83 - 0.002 * i]
        assert list(cell["value"]) == pytest.approx(expected)


def test_seeds_become_a_mean_and_a_band_of_gaps() -> None:
    points = drawn(specification(draw(tables(seeds=3, architectures=TWO)))).dropna(subset="value")
    assert list(points["low"]) == pytest.approx(list(points["value"] - 0.02))
    assert list(points["high"]) == pytest.approx(list(points["value"] + 0.02))


def test_all_panels_have_one_scale_that_includes_no_gap() -> None:
    scales = [y["scale"] for y in found(specification(draw(tables(architectures=TWO))), "y")
              if "scale" in y]  # fmt: skip
    low, high = scales[0]["domain"]
    assert all(scale == scales[0] for scale in scales)
    assert low <= 0.521 - 0.833
    assert high == 0


def test_the_line_of_no_gap_lies_below_the_data_even_where_every_gap_is_zero() -> None:
    both = tables()
    for table in both.values():
        table["test_accuracy"] = 0.5
    spec = specification(draw(both))
    ys = [y for y in found(spec, "y") if "scale" in y]
    assert all(y["scale"]["domain"][0] < 0 < y["scale"]["domain"][1] for y in ys)
    assert all("black" in str(y["axis"]["gridColor"]) for y in ys)
    rules = [mark for mark in found(spec, "mark") if mark["type"] == "rule"]
    # To labels alone.
    assert all("x2Offset" in mark for mark in rules)


def test_a_network_without_a_limit_is_an_error() -> None:
    rows = kernels(TWO)
    lacking = rows[~((rows["time"] == math.inf) & (rows["kernel"] == "ntk") & (rows["depth"] == 3))]
    with pytest.raises(ChartError, match="no ntk at infinite time for activation relu, depth 3"):
        draw({"network": networks(architectures=TWO), "kernel": lacking})
