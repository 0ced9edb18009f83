"""How every chart looks: theme, palettes, and how series are told apart.

Series differ in lightness, so that they keep their order when printed in grey and for readers who
do not tell some colours from others. Each has a contrast of 3 : 1 at least to the paper. The
infinite-width limit is a thin black line of dashes or dots with outlined points, so that a line
below it shows. In the browser, a click on a legend entry, or on a line or its label, highlights a
series.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import cycle
from typing import Any, Literal, TypeAlias

import altair as alt

from ntk_mnist.charts.labels import limit_label, time_label
from ntk_mnist.charts.layouts import Layout
from ntk_mnist.charts.lettering import FONT, title_lines, wrapped

__all__ = [
    "GREY",
    "GRID_COLOUR",
    "LABEL_SIZE",
    "SOLID",
    "SUBTITLE_SIZE",
    "TEXT",
    "TITLE_SIZE",
    "Figure",
    "Series",
    "diverging",
    "ramp",
    "shades",
    "size_series",
    "styled",
    "time_series",
    "width_series",
]

Figure: TypeAlias = alt.HConcatChart | alt.VConcatChart

#: The dash pattern of finite widths and times.
SOLID: tuple[float, ...] = (1, 0)

#: Of the lines of the grid.
GRID_COLOUR = "#ececec"
#: Of text, and of lines that are no series.
TEXT, GREY = "#333333", "#767676"

#: Of type, in pixels: of labels, of the titles of panels and below these.
LABEL_SIZE, TITLE_SIZE, SUBTITLE_SIZE = 11.0, 12.0, 11.0
_HEADING_SIZE, _LINE_SIZE = 14.0, 11.5

# Viridis up to a contrast of 3 : 1 to white.
_RAMP = ("#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#20a386")
# All of it but the lightest end, for areas.
_SHADES = ("#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#a5cf2f")
# ColorBrewer's RdBu, whose ends no reader takes for each other.
_DIVERGING = ("#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b")
# What lies below a limit shows in the gaps. Dots of the second pattern fall into the gaps of the
# first, and an outline has room for a point of another line, so that equal limits are told apart.
_LIMIT_DASHES = ((4, 4), (0, 5.2, 1.6, 1.2))
_LIMIT_SHAPES = ("square", "diamond")


@dataclass(frozen=True)
class Series:
    """The lines of a chart and what names them: finite ones in colours, then limits in black.

    Attributes:
        field: the column that holds a row's label.
        title: of the legend.
        finite: labels of finite widths, times or sizes, in their order.
        limits: labels of infinite-width or infinite-time limits.
        columns: of the legend.
        symbol: of the legend.
        named: by a ``legend``; at the ``ends`` of lines; or by ``panels``, one a finite line, and
            limits at their ends.
        short: the title in one or two words, above the ends of lines.
        panel: the title of a line's panel, with braces in place of its label.
    """

    field: str
    title: str
    finite: Sequence[str]
    limits: Sequence[str]
    columns: int
    symbol: Literal["stroke", "circle"] = "stroke"
    named: Literal["legend", "ends", "panels"] = "legend"
    short: str = ""
    panel: str = "{}"

    @property
    def limit_shape(self) -> alt.Shape:
        """The shape of the points of each limit."""
        shapes = [shape for shape, _ in zip(cycle(_LIMIT_SHAPES), self.limits, strict=False)]
        scale = alt.Scale(domain=list(self.limits), range=shapes)
        return alt.Shape(f"{self.field}:N", legend=None, scale=scale)

    @property
    def in_panels(self) -> "Series":
        """The same lines, a panel each."""
        return replace(self, named="panels")

    @property
    def selection(self) -> alt.Parameter:
        """The selection that a click makes: on the legend, or on a line or its label."""
        # The prefix avoids the names of Vega's own signals, such as `width`.
        name, fields = f"chosen_{self.field}", [self.field]
        if self.named == "legend":
            return alt.selection_point(name=name, fields=fields, bind="legend")
        return alt.selection_point(name=name, fields=fields)

    @property
    def opacity(self) -> alt.OpacityValue:
        """What is chosen is opaque; everything, if nothing is chosen."""
        chosen = {"param": self.selection.name, "value": 1}
        return alt.OpacityValue(0.12, condition=[chosen])

    def encodings(self) -> dict[str, Any]:
        """Colour and dash; both have one domain, so that Vega draws one legend for both."""
        domain = [*self.finite, *self.limits]
        colours = [*ramp(len(self.finite)), *["black"] * len(self.limits)]
        dashes = [SOLID] * len(self.finite)
        dashes += [dash for dash, _ in zip(cycle(_LIMIT_DASHES), self.limits, strict=False)]
        scales = {
            "color": alt.Scale(domain=domain, range=colours),
            "strokeDash": alt.Scale(domain=domain, range=list(map(list, dashes))),
        }
        legend = self.legend if self.named == "legend" else None
        field = f"{self.field}:N"
        return {
            "color": alt.Color(field, sort=domain, legend=legend, scale=scales["color"]),
            "strokeDash": alt.StrokeDash(
                field, sort=domain, legend=legend, scale=scales["strokeDash"]
            ),
        }

    @property
    def legend(self) -> alt.Legend:
        """Of all lines, below the panels."""
        return alt.Legend(
            title=self.title,
            orient="bottom",
            columns=self.columns,
            symbolType=self.symbol,
            symbolSize={"stroke": 300, "circle": 60}[self.symbol],
            symbolOpacity=1,
            symbolLimit=0,
        )


def size_series(sizes: Iterable[int]) -> Series:
    """A line for each training-set size, labelled in the column ``size_label``."""
    labels = [str(size) for size in sorted(set(sizes))]
    return Series(
        "size_label",
        "Training-set size",
        labels,
        [],
        columns=6,
        short="Size",
        panel="{} training images",
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
        short="Time",
        panel="Time {}",
    )


def width_series(widths: Iterable[int], kinds: Sequence[str]) -> Series:
    """A line for each width and each kernel's limit, labelled in the column ``width_label``."""
    return Series(
        "width_label",
        "Width",
        [str(width) for width in sorted(set(widths))],
        list(map(limit_label, kinds)),
        columns=3,
        short="Width",
        panel="Width {}",
    )


def ramp(count: int) -> list[str]:
    """``count`` colours of lines from dark to light, evenly spaced, each dark enough on white."""
    return _spaced(_RAMP, count)


def shades(count: int) -> list[str]:
    """``count`` colours of areas from dark to light, evenly spaced."""
    return _spaced(_SHADES, count)


def diverging(count: int) -> list[str]:
    """``count`` colours of areas from blue to white to red, evenly spaced."""
    return _spaced(_DIVERGING, count)


@cache
def _spaced(ends: tuple[str, ...], count: int) -> list[str]:
    stops = [tuple(int(stop[i : i + 2], 16) for i in (1, 3, 5)) for stop in ends]
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


def styled(
    figure: Figure, layout: Layout, title: str, subtitle: Sequence[str], shown: Sequence[str]
) -> Figure:
    """The figure with its title, the lines of its subtitle, a text alternative, fonts and colours.

    Args:
        figure: its panels.
        layout: the page, to whose width lines break.
        title: one sentence or less.
        subtitle: lines.
        shown: sentences for who does not see the figure: what the panels are, and what they show.
    """
    lines = [
        line for part in subtitle for line in wrapped(part, layout.width - 16, _LINE_SIZE)
    ]  # fmt: skip
    titled = figure.properties(
        title=alt.Title(
            title_lines(title, layout.width - 16, _HEADING_SIZE, bold=True),
            subtitle=lines,
            offset=12,
        ),
        description=" ".join(f"{part.rstrip('.')}." for part in [title, *shown, *subtitle]),
        # A page breaks lines as its window wants.
        usermeta={"title": title, "subtitle": list(subtitle)},
    )
    # One call for all, as Altair copies the whole figure in each.
    return titled.configure(
        font=FONT,
        background="white",
        padding=4,
        title=alt.TitleConfig(
            anchor="start",
            frame="bounds",
            color="black",
            fontSize=_HEADING_SIZE,
            subtitleFontSize=_LINE_SIZE,
            subtitleColor="#444444",
        ),
        axis=alt.AxisConfig(
            labelColor=TEXT,
            labelFontSize=LABEL_SIZE,
            titleColor=TEXT,
            titleFontSize=TITLE_SIZE,
            titleFontWeight="normal",
            domainColor="#8a8a8a",
            tickColor="#8a8a8a",
            tickSize=4,
            grid=True,
            gridColor=GRID_COLOUR,
        ),
        # Labels of different lengths take the same space, so that panels align in columns.
        axisY=alt.AxisConfig(minExtent=34),
        legend=alt.LegendConfig(
            labelColor=TEXT,
            labelFontSize=LABEL_SIZE,
            titleColor=TEXT,
            titleFontSize=_LINE_SIZE,
            titleFontWeight="normal",
            labelLimit=0,
        ),
        view=alt.ViewConfig(stroke="#d0d0d0"),
    )
