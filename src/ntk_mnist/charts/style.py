"""How every chart looks: theme, palette and legends.

Series differ in lightness, so that they keep their order when printed in grey. The infinite-width
limit is a thin black line of dashes or dots with outlined points, so that a line below it shows. In
the browser, a click on a legend entry highlights its series.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Literal, TypeAlias

import altair as alt

from ntk_mnist.charts.labels import limit_label, time_label

__all__ = [
    "GRID_COLOUR",
    "SOLID",
    "Figure",
    "Series",
    "ramp",
    "size_series",
    "styled",
    "time_series",
    "width_series",
]

Figure: TypeAlias = alt.HConcatChart | alt.VConcatChart

#: The dash pattern of finite widths and times.
SOLID: tuple[float, ...] = (1, 0)

#: Of the lines of the grid.
GRID_COLOUR = "#e6e6e6"

_FONT = "Helvetica, Arial, Liberation Sans, sans-serif"
# Viridis without its lightest end, which is hard to see on paper.
_RAMP = ("#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#a5cf2f")
# What lies below a limit shows in the gaps. Dots of the second pattern fall into the gaps of the
# first, and an outline has room for a point of another line, so that equal limits are told apart.
_LIMIT_DASHES = ((4, 4), (0, 5.2, 1.6, 1.2))
_LIMIT_SHAPES = ("square", "diamond")


@dataclass(frozen=True)
class Series:
    """The lines of a chart and their legend: finite ones in colours, then limits in black.

    Attributes:
        field: the column that holds a row's label.
        title: of the legend.
        finite: labels of finite widths, times or sizes, in the order of the legend.
        limits: labels of infinite-width or infinite-time limits.
        columns: of the legend.
        symbol: of the legend.
    """

    field: str
    title: str
    finite: Sequence[str]
    limits: Sequence[str]
    columns: int
    symbol: Literal["stroke", "circle"] = "stroke"

    @property
    def limit_shapes(self) -> Mapping[str, str]:
        """The shape of the points of each limit."""
        return dict(zip(self.limits, cycle(_LIMIT_SHAPES), strict=False))

    @property
    def selection(self) -> alt.Parameter:
        """The selection that a click on the legend makes."""
        # The prefix avoids the names of Vega's own signals, such as `width`.
        return alt.selection_point(name=f"chosen_{self.field}", fields=[self.field], bind="legend")

    def encodings(self) -> dict[str, Any]:
        """Colour and dash; both have one domain, so that Vega draws one legend for both."""
        domain = [*self.finite, *self.limits]
        colours = [*ramp(len(self.finite)), *["black"] * len(self.limits)]
        dashes = [SOLID] * len(self.finite)
        dashes += [dash for dash, _ in zip(cycle(_LIMIT_DASHES), self.limits, strict=False)]
        legend = alt.Legend(
            title=self.title,
            orient="bottom",
            columns=self.columns,
            symbolType=self.symbol,
            symbolSize={"stroke": 300, "circle": 60}[self.symbol],
            symbolOpacity=1,
            symbolLimit=0,
        )
        return {
            "color": alt.Color(
                f"{self.field}:N",
                sort=domain,
                legend=legend,
                scale=alt.Scale(domain=domain, range=colours),
            ),
            "strokeDash": alt.StrokeDash(
                f"{self.field}:N",
                sort=domain,
                legend=legend,
                scale=alt.Scale(domain=domain, range=list(map(list, dashes))),
            ),
        }


def size_series(sizes: Iterable[int]) -> Series:
    """A line for each training-set size, labelled in the column ``size_label``."""
    labels = [str(size) for size in sorted(set(sizes))]
    return Series(
        "size_label",
        "Training-set size",
        labels,
        [],
        columns=6,
    )


def time_series(times: Iterable[float]) -> Series:
    """A line for each time, labelled in the column ``time_label``; ∞ is the limit."""
    ordered = sorted(set(times))
    return Series(
        "time_label",
        "Gradient-flow time",
        [time_label(time) for time in ordered if math.isfinite(time)],
        [time_label(time) for time in ordered if math.isinf(time)],
        columns=4,
    )


def width_series(widths: Iterable[int], kinds: Sequence[str]) -> Series:
    """A line for each width and each kernel's limit, labelled in the column ``width_label``."""
    return Series(
        "width_label",
        "Width",
        [str(width) for width in sorted(set(widths))],
        list(map(limit_label, kinds)),
        columns=3,
    )


def ramp(count: int) -> list[str]:
    """``count`` colours from dark to light, evenly spaced on the ramp."""
    stops = [tuple(int(stop[i : i + 2], 16) for i in (1, 3, 5)) for stop in _RAMP]
    colours = []
    for k in range(count):
        position = k * (len(stops) - 1) / max(count - 1, 1)
        low = min(int(position), len(stops) - 2)
        weight = position - low
        mixed = [
            round(a + (b - a) * weight) for a, b in zip(stops[low], stops[low + 1], strict=True)
        ]
        colours.append("#" + "".join(f"{channel:02x}" for channel in mixed))
    return colours


def styled(figure: Figure, title: str, subtitle: Sequence[str]) -> Figure:
    """The figure with its title, the lines of its subtitle, fonts and colours."""
    titled = figure.properties(title=alt.Title(title, subtitle=list(subtitle), offset=12))
    # One call for all, as Altair copies the whole figure in each.
    return titled.configure(
        font=_FONT,
        background="white",
        title=alt.TitleConfig(
            anchor="start", fontSize=14, subtitleFontSize=11.5, subtitleColor="#444"
        ),
        axis=alt.AxisConfig(
            labelFontSize=11,
            titleFontSize=12,
            titleFontWeight="normal",
            grid=True,
            gridColor=GRID_COLOUR,
        ),
        # Labels of different lengths take the same space, so that panels align in columns.
        axisY=alt.AxisConfig(minExtent=34),
        legend=alt.LegendConfig(labelFontSize=11, titleFontSize=11.5, titleFontWeight="normal"),
        view=alt.ViewConfig(stroke="#bbb"),
    )
