"""Axes whose ticks are computed here, and labels of lines."""

import json
import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import altair as alt
import pandas as pd
import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from ntk_mnist.charts.layouts import ONE_COLUMN, TWO_COLUMNS, Grid
from ntk_mnist.charts.lettering import width_of, wrapped
from ntk_mnist.charts.line_ends import labelled_ends, moved_apart
from ntk_mnist.charts.panels import (
    linear_axis,
    log2_axis,
    log10_axis,
    log_ticks,
    panel,
    rows_of_panels,
    shown_ticks,
)
from ntk_mnist.charts.style import LABEL_SIZE, styled

#: Lowest and greatest value, from equal ones to almost all floats.
RANGES = [
    (7e-3, 7e-3),
    (2.1e-2, 2.1000001e-2),
    (2.1e-2, 2.13e-2),
    (9.99e-3, 1.001e-2),
    (1.3e-2, 1.9e-2),
    (3.1e-3, 9.5e-3),
    (3e-3, 4.2e-2),
    (2.4e-4, 1.2e-2),
    (1e-4, 1.0),
    (1e-12, 1e8),
    (3e3, 2e4),
    (5e-300, 1e300),
]
#: The narrowest panel of one column, and the widest of two.
LENGTHS = [95.0, 150.0, 180.0, 320.0]


@pytest.mark.parametrize("length", LENGTHS)
@given(low=st.floats(-300, 300), span=st.floats(0, 300) | st.floats(0, 3))
def test_labels_of_a_log_axis_have_room_at_any_range(
    low: float, span: float, length: float
) -> None:
    values = [10**low, 10 ** max(low, min(low + span, 300))]
    axis = log10_axis(values, length)
    first, last = axis["scale"].to_dict()["domain"]
    assert first <= values[0] <= values[1] <= last
    ticks = axis["axis"].to_dict()["values"]
    assert 2 <= len(ticks) <= length / 12
    assert first <= ticks[0]
    assert ticks[-1] <= last
    if ticks == [first, last]:
        # No round number has room beside another: both ends, as far apart as can be.
        return
    per_decade = length / (math.log10(last) - math.log10(first))
    places = [per_decade * (math.log10(tick) - math.log10(first)) for tick in ticks]
    # A digit and an e of the 11-pixel font are 6.12 pixels wide, a point 3.06 and a minus 3.66.
    sizes = [
        6.12 * len(label) - 3.06 * label.count(".") - 2.46 * label.count("-")
        for label in map(label_of, ticks)
    ]
    for (place, size), (after, size_after) in pairwise(zip(places, sizes, strict=True)):
        assert place + size / 2 + 3 < after - size_after / 2


def label_of(tick: float) -> str:
    """As Vega writes it: the mantissa without zeros at its end, and an exponent without zeros."""
    mantissa, exponent = f"{tick:.6e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


@pytest.mark.parametrize("length", LENGTHS)
@given(values=st.sets(st.integers(1, 2**20), min_size=1, max_size=12))
def test_labels_of_an_axis_in_powers_of_two_have_room_whatever_the_values_are(
    values: set[int], length: float
) -> None:
    ticks = sorted(values)
    shown = shown_ticks(ticks, length)
    assert set(shown) <= values
    assert shown
    span = math.log(ticks[-1] / ticks[0]) or 1.0
    for a, b in pairwise(shown):
        apart = length * math.log(b / a) / span
        assert apart > 6.12 * (len(str(a)) + len(str(b))) / 2 + 3


def test_values_that_double_are_labelled_at_regular_steps() -> None:
    doubling = [2**k for k in range(6, 14)]
    assert shown_ticks(doubling, 300) == doubling
    assert shown_ticks(doubling, 150) == doubling[1::2]
    assert shown_ticks([64], 100) == [64]


def texts(spec: dict[str, Any]) -> Iterator[tuple[str, float, float, float]]:
    """The texts that Vega draws with the left, right and top of their boxes on the page."""

    def items(item: Any, left: float, top: float) -> Iterator[tuple[str, float, float, float]]:
        if item.get("marktype") == "text":
            for one in item["items"]:
                text, angle = one.get("text"), one.get("angle", 0)
                if not text or isinstance(text, list) or angle:
                    continue
                width = width_of(str(text), one.get("fontSize", 11))
                align = {"center": 0.5, "right": 1.0}.get(one.get("align", "left"), 0.0)
                start = left + one["x"] + one.get("dx", 0) - align * width
                yield str(text), start, start + width, top + one["y"] + one.get("dy", 0)
            return
        for one in item.get("items", []):
            if "marktype" in one or "items" in one:
                yield from items(one, left + one.get("x", 0), top + one.get("y", 0))

    scene = vl_convert.vegalite_to_scenegraph(spec)
    yield from items(scene["scenegraph"], 0.0, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("length", [95, 180])
@pytest.mark.parametrize(("low", "high"), RANGES)
def test_vega_draws_every_label_of_a_log_axis_and_none_over_another(
    low: float, high: float, length: int
) -> None:
    data = pd.DataFrame({"a": [low, high]})
    axis = log10_axis(data["a"], length)
    grid = Grid(1, length, 100, 0, 0)
    shown = panel(alt.layer(alt.Chart(data).mark_point().encode(alt.X("a:Q", **axis))), "", grid)
    svg = vl_convert.vegalite_to_svg(shown.configure_axis(labelFontSize=11).to_dict())
    labels = re.findall(r'<text text-anchor="middle" transform="translate\(([\d.]+),[\d.]+\)"[^>]*>'
                        r"([\d.]+e[-\d]+)</text>", svg)  # fmt: skip
    assert [label for _, label in labels] == [label_of(tick) for tick in axis["axis"].values]
    for (place, label), (after, next_label) in pairwise(labels):
        assert 3.06 * (len(label) + len(next_label)) + 3 < float(after) - float(place)


@pytest.mark.parametrize("length", [95, 250])
def test_vega_labels_the_ticks_that_have_room_and_no_other(length: int) -> None:
    widths = [5, 10, 50, 100, 500, 1000, 5000]
    x = log2_axis("a", "Width", widths, length)
    shown = alt.Chart(pd.DataFrame({"a": widths})).mark_point().encode(x)
    svg = vl_convert.vegalite_to_svg(
        shown.properties(width=length).configure_axis(labelFontSize=11).to_dict()
    )
    labels = re.findall(r'text-anchor="middle"[^>]*>(\d+)</text>', svg)
    assert list(map(int, labels)) == shown_ticks(widths, length - 20)
    described: Any = x.to_dict()
    assert described["axis"]["values"] == widths


def test_a_wide_log_axis_has_ticks_at_powers_of_ten_and_a_narrow_one_between_them() -> None:
    assert log_ticks(1e-4, 1.0, 180) == [1e-4, 1e-3, 1e-2, 1e-1, 1.0]
    assert log_ticks(1e-12, 1e8, 180) == [1e-10, 1e-5, 1.0, 1e5]
    assert log_ticks(0.013, 0.019, 180) == [0.014, 0.016, 0.018]


def test_a_log_axis_without_a_positive_value_is_drawn_too() -> None:
    low, high = log10_axis([0.0], 180)["scale"].to_dict()["domain"]
    assert low < 1 < high


def test_an_axis_in_powers_of_two_has_a_tick_at_each_value_once() -> None:
    x: Any = log2_axis("width", "Width", [256, 64, 256, 3000], 300).to_dict()
    assert x["axis"]["values"] == [64, 256, 3000]
    assert x["scale"]["domain"] == [64, 3000]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.sampled_from(LENGTHS))
def test_a_linear_axis_goes_from_a_tick_below_all_values_to_one_above(
    values: list[float], length: float
) -> None:
    axis = linear_axis(values, length)
    ticks = axis["axis"].to_dict()["values"]
    low, high = axis["scale"].to_dict()["domain"]
    assert [low, high] == [ticks[0], ticks[-1]]
    assert low <= min(values) <= max(values) <= high
    assert 2 <= len(ticks) <= 7
    # Of labels that are 11 pixels high.
    assert length / (len(ticks) - 1) > 14


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=9).map(sorted), st.floats(0.01, 0.2)
)  # fmt: skip
def test_labels_are_apart_in_their_order_within_the_panel(
    places: list[float], apart: float
) -> None:
    moved = moved_apart(places, apart)
    room = min(apart, 1 / (len(places) - 1)) if len(places) > 1 else apart
    assert all(0 <= place <= 1 + 1e-9 for place in moved)
    assert all(b - a >= room - 1e-9 for a, b in pairwise(moved))
    if all(b - a >= room for a, b in pairwise(places)):
        assert moved == pytest.approx(places)


def test_labels_move_no_more_than_they_must() -> None:
    # Two that collide move by the same; a third one stays.
    assert moved_apart([0.5, 0.5, 0.9], 0.1) == pytest.approx([0.45, 0.55, 0.9])
    assert moved_apart([0.0, 0.0], 0.1) == pytest.approx([0.0, 0.1])
    assert moved_apart([1.0, 1.0, 1.0], 0.25) == pytest.approx([0.5, 0.75, 1.0])


@pytest.mark.parametrize("logarithmic", [True, False])
def test_the_label_of_a_line_is_at_its_last_point_if_there_is_room(logarithmic: bool) -> None:
    data = pd.DataFrame({"name": ["a", "a", "b", "b"], "x": [2, 1, 1, 2], "value": [8, 1, 1, 2]})
    found = labelled_ends(
        data, ["a", "b"], "x", {"more": 4.0}, [1, 16], logarithmic=logarithmic, apart=0.01
    ).set_index("name")
    assert found["end"].to_dict() == {"a": 8, "b": 2, "more": 4}
    assert found["place"].to_dict() == pytest.approx({"a": 8, "b": 2, "more": 4})


def test_of_too_many_lines_that_end_together_some_have_labels() -> None:
    names = [str(k) for k in range(30)]
    data = pd.DataFrame({"name": names, "x": 1, "value": [1 + k / 1e4 for k in range(30)]})
    found = labelled_ends(data, names, "x", {}, [0, 2], logarithmic=False, apart=0.06)
    assert 2 < len(found) < 10
    assert {"0", "29"} <= set(found["name"])
    assert (found["place"] - found["end"]).abs().max() <= 3.6 * 0.06 * 2


def test_a_line_without_a_finite_point_has_no_label() -> None:
    data = pd.DataFrame({"name": ["a", "b"], "x": [1, 1], "value": [math.nan, 1.0]})
    found = labelled_ends(data, ["a", "b"], "x", {}, [0, 2], logarithmic=False, apart=0.1)
    assert list(found["name"]) == ["b"]
    empty = labelled_ends(data[:1], ["a"], "x", {}, [0, 2], logarithmic=False, apart=0.1)
    assert empty.empty


@given(st.lists(st.text("abc defgh", min_size=1, max_size=9), min_size=1).map(" ".join))
def test_wrapped_lines_are_no_wider_than_asked_for_and_lose_no_word(text: str) -> None:
    lines = wrapped(text, 80, 11)
    assert " ".join(lines) == text
    assert all(width_of(line, 11) <= 80 or " " not in line for line in lines)


@pytest.mark.parametrize("text", ["Training-set size", "1e-3, 0.25 … 1.00", "∞ (NNGP)", "± W_std²"])
def test_text_is_as_wide_as_vega_draws_it(text: str) -> None:
    marks = alt.Chart(pd.DataFrame({"t": [text]})).mark_text(fontSize=100).encode(text="t:N")
    spec = marks.configure(font="Liberation Sans", padding=0, view=alt.ViewConfig(stroke=None))
    svg = vl_convert.vegalite_to_svg(spec.properties(width=1, height=1).to_dict())
    found = re.search(r'width="(\d+)"', svg)
    assert found
    assert width_of(text, 100) == pytest.approx(float(found[1]), rel=0.04, abs=6)


@pytest.mark.parametrize("layout", [ONE_COLUMN, TWO_COLUMNS])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("small", [True, False])
def test_panels_fill_the_width_of_a_page_and_no_more(layout: Any, count: int, small: bool) -> None:
    grid = layout.grid(count, beside=40.0, small=small)
    used = 62 + grid.across * (grid.width + grid.spacing)
    assert used <= layout.width + 14
    assert grid.width >= 80
    # The lines of a row are about equally long.
    assert grid.across * math.ceil(count / grid.across) - count < grid.across


def test_panels_of_a_line_are_level_whatever_is_above_them() -> None:
    grid = Grid(2, 100, 80, 0, 20)
    point = alt.Chart(pd.DataFrame({"a": [1]})).mark_point().encode(x="a:Q", y="a:Q")
    panels = [
        panel(alt.layer(point), title, grid) for title in ("short", "so long that it takes lines")
    ]
    spec = styled(rows_of_panels([("", panels, grid)], []), TWO_COLUMNS, "t", [], []).to_dict()
    scene = json.dumps(vl_convert.vegalite_to_scenegraph(spec))
    tops = re.findall(r'"name": "concat_\d_group"', scene)
    assert spec["bounds"] == "flush"
    assert len(tops) == 2
    assert spec["config"]["axis"]["labelFontSize"] == LABEL_SIZE
