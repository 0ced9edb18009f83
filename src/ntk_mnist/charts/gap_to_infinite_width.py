"""How far the test accuracy of a network lies from that of its infinite-width limit.

The gap is the accuracy of the network minus that of a kernel at t = ∞, both of one architecture
and one training-set size; of real-valued targets, it is that of the squared error.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

import altair as alt
import pandas as pd

from ntk_mnist.charts.layouts import TWO_COLUMNS, Layout
from ntk_mnist.charts.observations import (
    Score,
    architectures_in,
    cautions,
    checked,
    gaps_to_limit,
    headings,
    kernels_in,
    of_architecture,
    over_seeds,
    score_of,
    subject,
    training,
)
from ntk_mnist.charts.panels import (
    FEW,
    Panel,
    has_bands,
    linear_axis,
    lines,
    log2_axis,
    one_each,
    panel,
    room_for_labels,
    rows_of_panels,
    unlabelled,
)
from ntk_mnist.charts.style import GRID_COLOUR, Figure, size_series, styled

__all__ = ["CAPTION", "SECTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("network", "kernel")

SECTION: str = "Answer"

CAPTION: str = (
    "Test accuracy, or squared error of real-valued targets, of finite networks minus that of the "
    "infinite-width limit at infinite time, against width, one line for each training-set size. "
    "The limit minimizes the squared error, and the networks the loss that is named above."
)


def draw(tables: Mapping[str, pd.DataFrame], layout: Layout = TWO_COLUMNS) -> Figure:
    """One row of panels for each architecture, and in it a panel for each kernel.

    Networks with several seeds are drawn as their mean, with a band from the lowest to the
    highest. If many sizes have bands, each kernel has a row, and each size a panel. All panels have
    the same axes.

    Args:
        tables: ``network`` and ``kernel``.
        layout: the page.

    Raises:
        ChartError: rows are repeated or not comparable, or a network has no limit.
    """
    networks, kernels = checked(tables, TABLES)
    architectures = architectures_in(networks)
    kinds = kernels_in(kernels)
    score = score_of(networks, kernels)
    gaps = {kind: _gaps(networks, tables["kernel"], score, kind) for kind in kinds}
    series = size_series(networks["size"])
    # One width is no line, and its bars do not merge.
    several = networks["width"].nunique() > 1
    each = len(series.finite) > FEW and several and any(map(has_bands, gaps.values()))
    series = series.in_panels if each else replace(series, named="ends")
    grid = layout.grid(
        len(series.finite) if each else len(kinds),
        len(architectures),
        room_for_labels(series),
        small=each,
    )
    x = log2_axis("width", "Width", networks["width"], grid.width)
    y = _vertical_axis(gaps.values(), grid.height)
    tooltip = [
        alt.Tooltip("width:Q", title="Width", format=","),
        alt.Tooltip("value:Q", title="Network minus limit", format=score.number),
    ]
    rows = []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        own = {kind: of_architecture(gaps[kind], architecture) for kind in kinds}
        limits = {kind: f"Limit: {kind.upper()} at t = ∞" for kind in kinds}
        if each:
            rows += [
                (
                    ", ".join(filter(None, [heading, limits[kind]])),
                    one_each(own[kind], x, y, series, tooltip, grid),
                    grid,
                )
                for kind in kinds
            ]
        else:
            panels: list[Panel] = []
            for kind in kinds:
                of_place = y if grid.first(len(panels)) else unlabelled(y)
                drawn = lines(own[kind], x, of_place, series, tooltip, grid)
                panels.append(panel(drawn, limits[kind], grid))
            rows.append((heading, panels, grid))
    return styled(
        rows_of_panels(rows, series),
        layout,
        f"{score.title} of finite networks minus that of the infinite-width limit",
        [subject(networks, architectures), training(networks), *cautions(networks)],
        _shown(gaps, score),
    )


def _shown(gaps: Mapping[str, pd.DataFrame], score: Score) -> list[str]:
    """What the panels are, and the gaps of the widest networks."""
    found = []
    for kind, table in gaps.items():
        widest = table[table["width"] == table["width"].max()]["value"]
        found.append(
            f"At the largest width, {table['width'].max():,}, networks minus {kind.upper()} are "
            f"{widest.min():{score.number}} to {widest.max():{score.number}}"
        )
    return [
        f"{score.title} of networks minus that of the limit, against width, a line for each "
        "training-set size; a dashed line is no gap",
        *found,
    ]


def _vertical_axis(gaps: Collection[pd.DataFrame], length: float) -> alt.Y:
    """One scale for all, that includes 0."""
    ends = [0.0, *(end for gap in gaps for end in [*gap["low"], *gap["high"]])]
    if not any(ends):
        ends = [-0.1, 0.1]
    shared = linear_axis(ends, length)
    # The line of no gap belongs to the grid, which lies below all data.
    at_zero = "datum.value === 0"
    axis = shared["axis"].to_dict(validate=False) | {
        "gridColor": alt.condition(at_zero, alt.value("black"), alt.value(GRID_COLOUR)),
        "gridDash": alt.condition(at_zero, alt.value([5, 3]), alt.value([])),
    }
    return alt.Y(
        "value:Q", title="Network minus limit", scale=shared["scale"], axis=alt.Axis(**axis)
    )


def _gaps(networks: pd.DataFrame, kernels: pd.DataFrame, score: Score, kind: str) -> pd.DataFrame:
    """Mean and range over seeds of the gap to one kernel, with the column ``size_label``."""
    gaps = over_seeds(gaps_to_limit(networks, kernels, score, kind), "gap")
    return gaps.assign(size_label=gaps["size"].astype(str))
