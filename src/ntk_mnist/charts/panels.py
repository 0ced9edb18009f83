"""Panels of a chart: axes, lines with points and bands, and rows of panels."""

import math
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, pairwise
from typing import Any, TypeAlias

import altair as alt
import pandas as pd

from ntk_mnist.charts.labels import decimal
from ntk_mnist.charts.style import SOLID, Figure, Series

__all__ = [
    "Panel",
    "interval_tooltip",
    "linear_domain",
    "lines",
    "log2_axis",
    "log10_axis",
    "log_ticks",
    "panel",
    "rows_of_panels",
    "sentence",
]

# Altair does not say which of the two a layer is.
Panel: TypeAlias = alt.LayerChart | alt.FacetChart

# Three panels and their axes are 7 inches wide, a double column, at 8-point type.
_SIZE = {"width": 180, "height": 210}
# In pixels.
_BETWEEN_LABELS = 8
# Between ticks: whatever the range of the floats, two of them have room.
_DECADES = (1, 2, 5, 10, 20, 50, 100, 200)


def log2_axis(column: str, title: str, values: Iterable[Any]) -> alt.X:
    """A horizontal axis in powers of two, with a tick at each of the values."""
    ticks = sorted({int(value) for value in values})
    return alt.X(
        f"{column}:Q",
        title=title,
        scale=alt.Scale(type="log", base=2, domain=[ticks[0], ticks[-1]], nice=False, padding=8),
        axis=alt.Axis(values=ticks, format="d", labelOverlap="greedy", labelSeparation=3),
    )


def linear_domain(heights: pd.Series) -> list[float]:
    """From the lowest to the highest of the values; from 0 to 1 if they are all equal."""
    low, high = heights.min(), heights.max()
    return [low, high] if low < high else [0.0, 1.0]


def log10_axis(values: Iterable[float]) -> dict[str, Any]:
    """Scale and axis of positive values whose labels have room, however close the values are.

    The same for both directions of a square panel, in which a decade is as long upwards as across.
    """
    low, high = _padded(values)
    ticks = log_ticks(low, high, _SIZE["width"])
    return {
        "scale": alt.Scale(type="log", domain=[low, high], nice=False),
        "axis": alt.Axis(
            values=ticks,
            # As `labels.decimal` writes exponents.
            labelExpr="replace(format(datum.value, '~e'), '+', '')",
            labelFlush=False,
        ),
    }


def _padded(values: Iterable[float]) -> tuple[float, float]:
    """The range of the positive values and a little more, a thirtieth of a decade at least."""
    exponents = [math.log10(value) for value in values if value > 0] or [0.0]
    low, high = min(exponents), max(exponents)
    more = max(0.04 * (high - low), (1 / 30 - (high - low)) / 2)
    # Within the floats.
    return 10 ** max(low - more, -307.0), 10 ** min(high + more, 308.0)


def log_ticks(low: float, high: float, length: float) -> list[float]:
    """Ticks of a log axis, as many as have room side by side with their labels, and at least two.

    Args:
        low: end of the axis.
        high: its other end, at least a thirtieth of a decade away.
        length: of the axis, in pixels.
    """
    scale = length / (math.log10(high) - math.log10(low))

    def have_room(ticks: Sequence[Decimal]) -> bool:
        places = [scale * math.log10(tick) for tick in ticks]
        room = [_label_size(tick) for tick in ticks]
        gaps = [b - a for a, b in pairwise(places)]
        needed = [(a + b) / 2 + _BETWEEN_LABELS for a, b in pairwise(room)]
        return all(gap >= need for gap, need in zip(gaps, needed, strict=True))

    candidates = _linear_ticks if high < 10 * low else _decimal_ticks
    for ticks in chain(candidates(low, high), _linear_ticks(low, high)):
        if len(ticks) >= 2 and have_room(ticks):
            return list(map(float, ticks))
    return [low, high]


def _decimal_ticks(low: float, high: float) -> Iterator[list[Decimal]]:
    """From the finest, ticks at the same leading digits in each decade or each few decades."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every_decade = (range(1, 10), (1, 2, 5), (1, 3))
    for digits, step in [*((d, 1) for d in every_decade), *((range(1, 2), k) for k in _DECADES)]:
        powers = range(first - first % step, last + 1, step)
        ticks = [Decimal(digit).scaleb(power) for power in powers for digit in digits]
        yield [tick for tick in ticks if low <= float(tick) <= high]


def _linear_ticks(low: float, high: float) -> Iterator[list[Decimal]]:
    """From the finest, ticks that are multiples of 1, 2 or 5 times a power of ten."""
    power = math.floor(math.log10(high - low)) - 1
    for step in (Decimal(digit).scaleb(power + k) for k in range(3) for digit in (1, 2, 5)):
        multiples = range(
            math.ceil(Decimal(repr(low)) / step), math.floor(Decimal(repr(high)) / step) + 1
        )
        yield [multiple * step for multiple in multiples]


def _label_size(tick: Decimal) -> float:
    """How many pixels wide a label is, at most."""
    return 6.5 * len(decimal(float(tick), plain_below=-4))


def lines(
    data: pd.DataFrame,
    x: alt.X,
    y: alt.Y,
    series: Series,
    tooltip: Sequence[alt.Tooltip],
    behind: Sequence[alt.Chart] = (),
) -> Panel:
    """Lines with points, and a band where seeds differ.

    Args:
        data: the columns of ``x``, ``y`` and ``series``; where there are seeds, ``low`` and
            ``high``.
        x: the horizontal channel.
        y: the vertical channel.
        series: the lines; those that a click on the legend chooses stay opaque.
        tooltip: what a point shows, after its series.
        behind: marks that are no series, such as lines for comparison.
    """
    encodings = {
        "x": x,
        "y": y,
        **series.encodings(),
        "opacity": alt.when(series.selection).then(alt.value(1)).otherwise(alt.value(0.12)),
    }
    tooltips = [alt.Tooltip(f"{series.field}:N", title=series.title), *tooltip]
    of_point = {"tooltip": tooltips, "strokeDash": alt.value(SOLID)}
    layers: list[alt.Chart] = []
    finite = data[data[series.field].isin(series.finite)]
    # A panel without a row still has its axes, and the legend if it is the first.
    if not finite.empty or not series.limits:
        base = alt.Chart(finite).encode(**encodings)
        if "low" in finite and (finite["low"] < finite["high"]).any():
            band = {"y": alt.Y("low:Q"), "y2": alt.Y2("high:Q"), "opacity": alt.value(0.18)}
            layers.append(base.mark_area(strokeWidth=0).encode(**band))
        layers.append(base.mark_line(strokeWidth=1.8))
        layers.append(base.mark_point(filled=True, size=22).encode(**of_point))
    for label, shape in series.limit_shapes.items():
        limit = alt.Chart(data[data[series.field] == label]).encode(**encodings)
        layers.append(limit.mark_line(strokeWidth=1.2))
        points = limit.mark_point(filled=False, size=45, strokeWidth=1, shape=shape)
        layers.append(points.encode(**of_point))
    # The first layer stays first: the selection of the legend needs its colours.
    return alt.layer(*layers[:1], *behind, *layers[1:])


def interval_tooltip(title: str, number: str) -> list[alt.Tooltip]:
    """What a point against width shows: a mean over seeds and its interval.

    Args:
        title: of the value.
        number: its format.
    """
    return [
        alt.Tooltip("width:Q", title="Width", format=","),
        alt.Tooltip("value:Q", title=title, format=number),
        alt.Tooltip("low:Q", title="95 % from", format=number),
        alt.Tooltip("high:Q", title="95 % to", format=number),
        alt.Tooltip("seeds:Q", title="Seeds"),
    ]


def panel(
    layers: Panel, title: str | list[str], subtitle: Sequence[str] = (), *, square: bool = False
) -> Panel:
    """Layers at the size of a panel, below a title and smaller lines."""
    below: dict[str, Any] = {"subtitle": list(subtitle), "subtitleFontSize": 11} if subtitle else {}
    heading = alt.Title(title, anchor="middle", fontSize=12, fontWeight="normal", **below)
    size = _SIZE | {"height": _SIZE["width"]} if square else _SIZE
    return layers.properties(title=heading, **size)


def sentence(text: str, series: Series) -> Panel:
    """A sentence in place of panels, with the series that the legend below them selects."""
    label = [*series.finite, *series.limits][0]
    words = alt.Chart(pd.DataFrame({series.field: [label]})).encode(**series.encodings())
    return panel(alt.layer(words.mark_text(text=text)), "").properties(width=420, height=60)


def rows_of_panels(rows: Sequence[tuple[str, Sequence[Panel]]], series: Series) -> Figure:
    """Panels in rows that share a legend.

    Args:
        rows: heading and panels of each; an empty heading takes no space.
        series: the lines of all panels.
    """
    drawn: list[alt.HConcatChart] = []
    for heading, panels in rows:
        first, *others = panels
        if not drawn:
            # Vega defines a selection in one panel, and all panels use it.
            first = first.add_params(series.selection)
        row = alt.hconcat(first, *others, spacing=10)
        if heading:
            row = row.properties(title=alt.Title(heading, anchor="start", fontSize=12))
        drawn.append(row)
    return drawn[0] if len(drawn) == 1 else alt.vconcat(*drawn)
