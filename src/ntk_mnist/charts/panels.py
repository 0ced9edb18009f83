"""Panels of a chart: axes, lines with points and bands, and rows of panels."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import altair as alt
import pandas as pd

from ntk_mnist.charts.style import SOLID, Figure, Series

__all__ = ["Panel", "decades", "lines", "log2_axis", "log10_axis", "panel", "rows_of_panels"]

# Altair does not say which of the two a layer is.
Panel: TypeAlias = alt.LayerChart | alt.FacetChart

# Three panels and their axes are 7 inches wide, a double column, at 8-point type.
_SIZE = {"width": 180, "height": 210}


def log2_axis(column: str, title: str, values: Iterable[Any]) -> alt.X:
    """A horizontal axis in powers of two, with a tick at each of the values."""
    ticks = sorted({int(value) for value in values})
    return alt.X(
        f"{column}:Q",
        title=title,
        scale=alt.Scale(type="log", base=2, domain=[ticks[0], ticks[-1]], nice=False, padding=8),
        axis=alt.Axis(values=ticks, format="d", labelOverlap="greedy", labelSeparation=3),
    )


def log10_axis(values: Iterable[float]) -> dict[str, Any]:
    """Scale and axis in powers of ten, for a channel of either direction.

    The ticks are the powers of ten around the positive values; there are at least two.
    """
    ticks = decades(values)
    return {
        "scale": alt.Scale(type="log", domain=[ticks[0], ticks[-1]]),
        "axis": alt.Axis(values=ticks, format="~e", labelOverlap="greedy"),
    }


def decades(values: Iterable[float]) -> list[float]:
    """The powers of ten from below the least positive value to above the greatest."""
    exponents = [math.log10(value) for value in values if value > 0] or [0.0]
    first = math.floor(min(exponents))
    last = max(math.ceil(max(exponents)), first + 1)
    return [float(f"1e{exponent}") for exponent in range(first, last + 1)]


def lines(
    data: pd.DataFrame, x: alt.X, y: alt.Y, series: Series, tooltip: Sequence[alt.Tooltip]
) -> Panel:
    """Lines with points, and a band where seeds differ.

    Args:
        data: the columns of ``x``, ``y`` and ``series``; where there are seeds, ``low`` and
            ``high``.
        x: the horizontal channel.
        y: the vertical channel.
        series: the lines; those that a click on the legend chooses stay opaque.
        tooltip: what a point shows, after its series.
    """
    base = alt.Chart(data).encode(
        x,
        y,
        **series.encodings(),
        opacity=alt.when(series.selection).then(alt.value(1)).otherwise(alt.value(0.12)),
    )
    tooltips = [alt.Tooltip(f"{series.field}:N", title=series.title), *tooltip]
    layers = [
        base.mark_line(strokeWidth=1.8),
        base.mark_point(filled=True, size=22).encode(tooltip=tooltips, strokeDash=alt.value(SOLID)),
    ]
    if "low" in data and (data["low"] < data["high"]).any():
        band = base.mark_area(strokeWidth=0).encode(
            alt.Y("low:Q"), alt.Y2("high:Q"), opacity=alt.value(0.18)
        )
        layers.insert(0, band)
    return alt.layer(*layers)


def panel(layers: Panel, title: str) -> Panel:
    """Layers at the size of a panel, below a title."""
    heading = alt.Title(title, anchor="middle", fontSize=12, fontWeight="normal")
    return layers.properties(title=heading, **_SIZE)


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
