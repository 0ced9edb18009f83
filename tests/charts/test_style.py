"""The palettes: who does not tell some colours from others tells series apart."""

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ntk_mnist.charts.style import diverging, ramp, shades

#: Machado, Oliveira and Fernandes 2009, severity 1, of linear RGB.
DEFICIENCIES: dict[str, Any] = {
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
seen_by_all = pytest.mark.parametrize("deficiency", DEFICIENCIES)


def linear(colour: str) -> NDArray[np.float64]:
    """Linear RGB, from 0 to 1."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(colour: str, deficiency: str) -> NDArray[np.float64]:
    """CIELAB (D65) of a colour as it is seen."""
    seen = np.clip(np.array(DEFICIENCIES[deficiency]) @ linear(colour), 0, 1)
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    xyz = np.array(to_xyz) @ seen / np.array([0.95047, 1.0, 1.08883])
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(colour: str) -> float:
    """To white, by WCAG 2."""
    return float(1.05 / (linear(colour) @ [0.2126, 0.7152, 0.0722] + 0.05))


@seen_by_all
@pytest.mark.parametrize("count", range(2, 9))
def test_neighbouring_series_are_apart_for_all_readers(count: int, deficiency: str) -> None:
    seen = [lab(colour, deficiency) for colour in ramp(count)]
    # A just noticeable difference is about 2.3 (Mahy et al. 1994).
    assert min(np.linalg.norm(a - b) for a, b in pairwise(seen)) > 2 * 2.3


@seen_by_all
@pytest.mark.parametrize("count", [2, 8, 13])
@pytest.mark.parametrize("palette", [ramp, shades])
def test_lightness_rises_so_that_colours_are_ordered_in_grey_too(
    palette: Any, count: int, deficiency: str
) -> None:
    lightness = [lab(colour, deficiency)[0] for colour in palette(count)]
    assert all(a < b for a, b in pairwise(lightness))


@pytest.mark.parametrize("count", [1, 2, 8, 13])
def test_every_line_has_the_contrast_that_graphics_need(count: int) -> None:
    colours = ramp(count)
    assert len(set(colours)) == count
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours)
    assert min(map(contrast, colours)) >= 3


@seen_by_all
def test_the_middle_of_the_diverging_palette_is_the_lightest_and_its_ends_are_apart(
    deficiency: str,
) -> None:
    seen = [lab(colour, deficiency) for colour in diverging(9)]
    lightness = [colour[0] for colour in seen]
    assert lightness.index(max(lightness)) == 4
    assert lightness[:5] == sorted(lightness[:5])
    assert lightness[4:] == sorted(lightness[4:], reverse=True)
    for below, above in zip(seen[:4], seen[:4:-1], strict=True):
        assert np.linalg.norm(below - above) > 10
