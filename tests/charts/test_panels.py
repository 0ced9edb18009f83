"""Axes whose ticks are computed here, and the palette."""

import math
import re
from itertools import pairwise
from typing import Any

import altair as alt
import pandas as pd
import pytest
import vl_convert

from ntk_mnist.charts.panels import log2_axis, log10_axis, log_ticks, panel
from ntk_mnist.charts.style import ramp

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


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_labels_of_a_log_axis_have_room_at_any_range(low: float, high: float) -> None:
    axis = log10_axis([high, 0.0, low])
    first, last = axis["scale"].to_dict()["domain"]
    assert first <= low <= high <= last
    ticks = log_ticks(first, last, 180)
    assert axis["axis"].to_dict()["values"] == ticks
    assert 2 <= len(ticks) <= 10
    assert first <= ticks[0]
    assert ticks[-1] <= last
    per_decade = 180 / (math.log10(last) - math.log10(first))
    places = [per_decade * (math.log10(tick) - math.log10(first)) for tick in ticks]
    # A digit of the 11-point font is 6.12 pixels wide.
    sizes = [6.12 * len(label_of(tick)) for tick in ticks]
    for (place, size), (after, size_after) in pairwise(zip(places, sizes, strict=True)):
        assert place + size / 2 + 3 < after - size_after / 2


def label_of(tick: float) -> str:
    """As Vega writes it: the mantissa without zeros at its end, and an exponent without zeros."""
    mantissa, exponent = f"{tick:.6e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


@pytest.mark.slow
@pytest.mark.parametrize(("low", "high"), RANGES)
def test_vega_draws_every_label_of_a_log_axis_and_none_over_another(
    low: float, high: float
) -> None:
    data = pd.DataFrame({"a": [low, high]})
    axis = log10_axis(data["a"])
    shown = panel(alt.layer(alt.Chart(data).mark_point().encode(alt.X("a:Q", **axis))), "")
    svg = vl_convert.vegalite_to_svg(shown.configure_axis(labelFontSize=11).to_dict())
    labels = re.findall(r'<text text-anchor="middle" transform="translate\(([\d.]+),[\d.]+\)"[^>]*>'
                        r"([\d.]+e[-\d]+)</text>", svg)  # fmt: skip
    assert [label for _, label in labels] == [label_of(tick) for tick in axis["axis"].values]
    for (place, label), (after, next_label) in pairwise(labels):
        assert 3.06 * (len(label) + len(next_label)) + 3 < float(after) - float(place)


def test_a_wide_log_axis_has_ticks_at_powers_of_ten_and_a_narrow_one_between_them() -> None:
    assert log_ticks(1e-4, 1.0, 180) == [1e-4, 1e-3, 1e-2, 1e-1, 1.0]
    assert log_ticks(1e-12, 1e8, 180) == [1e-10, 1e-5, 1.0, 1e5]
    assert log_ticks(0.013, 0.019, 180) == [0.014, 0.016, 0.018]


def test_a_log_axis_without_a_positive_value_is_drawn_too() -> None:
    low, high = log10_axis([0.0])["scale"].to_dict()["domain"]
    assert low < 1 < high


def test_an_axis_in_powers_of_two_has_a_tick_at_each_value_once() -> None:
    x: Any = log2_axis("width", "Width", [256, 64, 256, 3000]).to_dict()
    assert x["axis"]["values"] == [64, 256, 3000]
    assert x["scale"]["domain"] == [64, 3000]


@pytest.mark.parametrize("count", [1, 2, 8, 13])
def test_the_palette_goes_from_dark_to_light(count: int) -> None:
    def lightness(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    shades = [lightness(colour) for colour in ramp(count)]
    assert len(shades) == count
    assert shades == sorted(set(shades))
