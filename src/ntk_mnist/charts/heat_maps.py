"""Colours of heat maps and the bars that say what they mean; cells of widths and sizes."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from ntk_mnist.charts.layouts import Grid
from ntk_mnist.charts.lettering import width_of
from ntk_mnist.charts.panels import Panel, linear_axis, log10_axis, log_ticks, panel
from ntk_mnist.charts.style import LABEL_SIZE, diverging, shades

__all__ = ["BAR_SPACE", "COLOUR", "UNKNOWN", "Colours", "cells", "with_bar"]

#: Pixels right of a panel for its bar and the labels of that.
BAR_SPACE = 58.0
#: Of a cell without a value.
UNKNOWN = "#dddddd"
#: A column of colours; the outline leaves no gap between neighbours.
COLOUR: dict[str, Any] = {
    "fill": alt.Fill("colour:N", scale=None, legend=None),
    "stroke": alt.Stroke("colour:N", scale=None, legend=None),
}

_COUNT = 64
# From the panel to the bar, and the width of that.
_BEFORE_BAR, _BAR = 8, 10
_VALUE_SIZE = 10.0


class Colours(NamedTuple):
    """The colours of a quantity, from dark to light, between its lowest and highest value.

    Attributes:
        low: the lowest value.
        high: the highest one.
        logarithmic: whether equal ratios, and not differences, are equally far.
        signed: whether the colours are blue below 0, white at 0 and red above; then ``low`` is
            ``-high``.
    """

    low: float
    high: float
    logarithmic: bool = False
    signed: bool = False

    @classmethod
    def within(cls, values: Iterable[float], *, logarithmic: bool = False) -> "Colours":
        """Between the lowest and highest of the values, whatever they are."""
        known = [v for v in values if math.isfinite(v) and (v > 0 or not logarithmic)]
        low, high = (min(known), max(known)) if known else (1.0, 1.0)
        if logarithmic:
            return cls(min(low, high / 2), high, logarithmic=True)
        return cls(low, high if high > low else low + max(1.0, abs(low)))

    @classmethod
    def around_0(cls, values: Iterable[float]) -> "Colours":
        """As far below 0 as above."""
        high = max((abs(v) for v in values if math.isfinite(v)), default=0.0) or 1.0
        return cls(-high, high, signed=True)

    def of(self, value: float) -> str:
        """The colour of a value; grey if it is not known."""
        if math.isnan(value):
            return UNKNOWN
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            # Ratios may be beyond the floats.
            low, high = math.log(self.low), math.log(self.high)
            part = (math.log(value) - low) / (high - low)
        else:
            part = (value - self.low) / (self.high - self.low)
        palette = diverging(_COUNT + 1) if self.signed else shades(_COUNT + 1)
        return palette[round(part * _COUNT)]

    @property
    def edges(self) -> list[float]:
        """Between the colours, and both ends."""
        spaced = np.geomspace if self.logarithmic else np.linspace
        return list(map(float, spaced(self.low, self.high, _COUNT + 1)))


def with_bar(layers: Panel, scale: Colours, grid: Grid) -> Panel:
    """A heat map with a bar beside it that says what its colours mean."""
    strips = pd.DataFrame(
        {"from": low, "to": high, "colour": scale.of(math.sqrt(low * high) if scale.logarithmic
                                                     else (low + high) / 2)}
        for low, high in pairwise(scale.edges)
    )  # fmt: skip
    beside: dict[str, Any] = {
        "orient": "right",
        "offset": _BEFORE_BAR + _BAR,
        "grid": False,
        "domain": False,
        "minExtent": 0,
        "title": None,
    }
    if scale.logarithmic:
        axis = log10_axis([scale.low, scale.high], grid.height)["axis"].to_dict(validate=False)
        ticks = log_ticks(scale.low, scale.high, grid.height)
        axis |= {"values": [tick for tick in ticks if scale.low <= tick <= scale.high]}
        if all(1e-3 <= tick < 1e4 for tick in ticks):
            axis |= {"labelExpr": "format(datum.value, '~g')"}
    else:
        axis = linear_axis([scale.low, scale.high], grid.height)["axis"].to_dict(validate=False)
        axis |= {"values": [tick for tick in axis["values"] if scale.low <= tick <= scale.high]}
    bar = (
        alt.Chart(strips)
        .mark_rect(strokeWidth=0.5, xOffset=_BEFORE_BAR, x2Offset=_BEFORE_BAR + _BAR)
        .encode(
            x=alt.value("width"),
            x2=alt.value("width"),
            y=alt.Y(
                "from:Q",
                scale=alt.Scale(
                    type="log" if scale.logarithmic else "linear",
                    domain=[scale.low, scale.high],
                    nice=False,
                    zero=alt.Undefined if scale.logarithmic else False,
                ),
                axis=alt.Axis(**axis | beside),
            ),
            y2="to:Q",
            **COLOUR,
        )
    )
    return alt.layer(layers, bar).resolve_scale(y="independent")


def cells(
    data: pd.DataFrame,
    title: str,
    scale: Colours,
    number: str,
    tooltip: Sequence[alt.Tooltip],
    grid: Grid,
    subtitle: Sequence[str] = (),
) -> Panel:
    """A heat map of widths and training-set sizes; a value is written where it has room.

    Args:
        data: the columns ``width``, ``size``, ``value`` and ``mark``, which follows the value.
        title: of the panel.
        scale: the colours.
        number: the format of a value.
        tooltip: what a cell shows, after its width and size.
        grid: of the panel.
        subtitle: smaller lines.
    """
    values = [f"{value:{number}}".replace("-", "−") for value in data["value"]]
    widths, sizes = (sorted(data[name].unique()) for name in ("width", "size"))
    of_cell = (grid.width / max(len(widths), 1), grid.height / max(len(sizes), 1))
    longest = max((width_of(value + "*", _VALUE_SIZE) for value in values), default=0.0)
    written = longest + 3 <= of_cell[0] and of_cell[1] >= _VALUE_SIZE + 2
    colours = [scale.of(value) for value in data["value"]]
    shown = data.assign(
        colour=colours,
        ink=list(map(_ink, colours)),
        text=[
            (value if written else "") + mark
            for value, mark in zip(values, data["mark"], strict=True)
        ],
    )
    labels: dict[str, Any] = {
        "labelFontSize": LABEL_SIZE,
        "grid": False,
        "labelAngle": 0,
        "labelOverlap": "greedy",
        "labelSeparation": 4,
    }
    base = alt.Chart(shown).encode(
        x=alt.X("width:O", title="Width", axis=alt.Axis(**labels)),
        y=alt.Y("size:O", title="Training-set size", sort="descending", axis=alt.Axis(**labels)),
    )
    rectangles = base.mark_rect(strokeWidth=0.5).encode(
        **COLOUR,
        tooltip=[
            alt.Tooltip("width:O", title="Width"),
            alt.Tooltip("size:O", title="Training-set size"),
            *tooltip,
        ],
    )
    words = base.mark_text(fontSize=_VALUE_SIZE).encode(
        text="text:N", color=alt.Color("ink:N", scale=None, legend=None)
    )
    return panel(with_bar(alt.layer(rectangles, words), scale, grid), title, grid, subtitle)


def _ink(colour: str) -> str:
    """Black or white, whichever has more contrast to a colour."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (
        ((c + 0.055) / 1.055) ** 2.4 if c > 0.04045 else c / 12.92 for c in (red, green, blue)
    )
    luminance = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    # Of equal contrast to both, √(1.05 · 0.05) − 0.05.
    return "black" if luminance > 0.179 else "white"
