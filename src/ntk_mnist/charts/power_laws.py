"""Panels of a positive quantity against width, both on log axes, with lines of known slopes.

A quantity ∝ width^s is a line of slope s. Deviations from the limit that come of the fluctuations
of a random network shrink with slope −1/2, its mean corrections with slope −1 (Jacot et al. 2018,
arXiv:1806.07572; Lee et al. 2019, arXiv:1902.06720).
"""

from collections.abc import Iterable, Mapping, Sequence

import altair as alt
import pandas as pd

from ntk_mnist.charts.layouts import Grid
from ntk_mnist.charts.panels import Panel, lines, log2_axis, log10_axis, panel, unlabelled
from ntk_mnist.charts.style import GREY, Series

__all__ = ["REFERENCE_SLOPES", "against_width", "axes", "reference_lines"]

#: The slopes of the grey lines by their labels.
REFERENCE_SLOPES: Mapping[str, float] = {"−1/2": -0.5, "−1": -1.0}

# Between the highest point at the smallest width and the start of the grey lines.
_ABOVE = 1.35


def reference_lines(data: pd.DataFrame) -> pd.DataFrame:
    """The ends of a line of each reference slope, for a panel that shows ``data``.

    They start above all points at the smallest width, so that they hide none there.

    Args:
        data: the columns ``width``, ``value`` and ``high``.

    Returns:
        The columns ``width``, ``value`` and ``reference``, a slope's label; no rows where the data
        have fewer than two widths.
    """
    first, last = data["width"].min(), data["width"].max()
    if data.empty or first == last:
        return pd.DataFrame({"width": [], "value": [], "reference": []})
    start = _ABOVE * data.loc[data["width"] == first, "high"].max()
    return pd.DataFrame(
        [
            {"width": width, "value": start * (width / first) ** slope, "reference": label}
            for label, slope in REFERENCE_SLOPES.items()
            for width in (int(first), int(last))
        ]
    )


def axes(
    panels: Sequence[pd.DataFrame], widths: Iterable[int], y_title: str, grid: Grid
) -> tuple[alt.X, alt.Y]:
    """The scales that all panels share, with room for the reference lines of each.

    Args:
        panels: the data of each panel, with the columns ``width``, ``value``, ``low`` and ``high``.
        widths: the ticks of the horizontal axis.
        y_title: of the vertical axis.
        grid: of the panels.
    """
    values = pd.concat(
        [
            *(data[column] for data in panels for column in ("value", "low", "high")),
            *(reference_lines(data)["value"] for data in panels),
        ]
    )
    y = alt.Y("value:Q", title=y_title, **log10_axis(values, grid.height))
    return log2_axis("width", "Width", widths, grid.width), y


def against_width(
    data: pd.DataFrame,
    x: alt.X,
    y: alt.Y,
    series: Series,
    tooltip: Sequence[alt.Tooltip],
    grid: Grid,
    place: int,
    title: str,
    subtitle: Sequence[str] = (),
) -> Panel:
    """A panel of one line a series, above grey lines of the reference slopes.

    Args:
        data: the columns ``width``, ``value``, ``low``, ``high`` and that of ``series``.
        x: the axis of widths.
        y: the axis of values.
        series: the lines.
        tooltip: what a point shows, after its series.
        grid: of the panels.
        place: of the panel in its row, from 0; the first of a line has the labels of ``y``.
        title: of the panel.
        subtitle: smaller lines below it.
    """
    y = y if grid.first(place) else unlabelled(y)
    grey = reference_lines(data)
    behind: list[alt.Chart] = []
    if not grey.empty:
        base = alt.Chart(grey).encode(x=x, y=y, detail=alt.Detail("reference:N"))
        behind = [base.mark_line(strokeWidth=1, color=GREY, strokeDash=[6, 2])]
    last = grey[grey["width"] == grey["width"].max()]
    ends = dict(zip(last["reference"], last["value"], strict=True))
    return panel(lines(data, x, y, series, tooltip, grid, behind, ends), title, grid, subtitle)
