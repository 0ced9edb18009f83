"""Axes whose ticks are computed here, and the palette."""

from typing import Any

import pytest

from ntk_mnist.charts.panels import decades, log2_axis
from ntk_mnist.charts.style import ramp


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([2.4e-4, 0.06], [1e-4, 1e-3, 1e-2, 1e-1]),
        ([0.0, 0.02, 0.03], [1e-2, 1e-1]),
        ([1e-3], [1e-3, 1e-2]),
        ([], [1.0, 10.0]),
    ],
)
def test_a_log_axis_has_ticks_at_the_powers_of_ten_around_its_positive_values(
    values: list[float], ticks: list[float]
) -> None:
    assert decades(values) == ticks


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
