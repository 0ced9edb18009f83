"""How far the test accuracy of a network lies from that of its infinite-width limit.

The gap is the accuracy of the network minus that of a kernel at t = ∞, both of one architecture
and one training-set size; of real-valued targets, it is that of the squared error.
"""

from collections.abc import Collection, Mapping

import altair as alt
import pandas as pd

from ntk_mnist.charts.observations import (
    ARCHITECTURE,
    ChartError,
    Score,
    architectures_in,
    at_infinity,
    cautions,
    checked,
    headings,
    kernels_in,
    of_architecture,
    over_seeds,
    score_of,
    subject,
    training,
)
from ntk_mnist.charts.panels import Panel, lines, log2_axis, panel, rows_of_panels
from ntk_mnist.charts.style import GRID_COLOUR, Figure, Series, size_series, styled

__all__ = ["CAPTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("network", "kernel")

CAPTION: str = (
    "Test accuracy, or squared error of real-valued targets, of finite networks minus that of the "
    "infinite-width limit at infinite time, against width, one line for each training-set size. "
    "The limit minimizes the squared error, and the networks the loss that is named above."
)


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """One row of panels for each architecture, and in it a panel for each kernel.

    Networks with several seeds are drawn as their mean, with a band from the lowest to the
    highest. All panels have the same axes.

    Args:
        tables: ``network`` and ``kernel``.

    Raises:
        ChartError: rows are repeated or not comparable, or a network has no limit.
    """
    networks, kernels = checked(tables, TABLES)
    architectures = architectures_in(networks)
    kinds = kernels_in(kernels)
    score = score_of(networks, kernels)
    gaps = {kind: _gaps(networks, kernels, score, kind) for kind in kinds}
    x = log2_axis("width", "Width", networks["width"])
    series = size_series(networks["size"])
    rows: list[tuple[str, list[Panel]]] = []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        panels = [
            _gap_panel(of_architecture(gaps[kind], architecture), kind, score, x, y, series)
            for kind, y in zip(kinds, _vertical_axes(gaps.values(), score), strict=True)
        ]
        rows.append((heading, panels))
    return styled(
        rows_of_panels(rows, series),
        "Finite width against the infinite-width limit",
        [subject(networks, architectures), training(networks), *cautions(networks)],
    )


def _vertical_axes(gaps: Collection[pd.DataFrame], score: Score) -> list[alt.Y]:
    """One for each kernel, all on one scale that includes 0; only the first has a title."""
    lowest = min(0, *(gap["low"].min() for gap in gaps))
    highest = max(0, *(gap["high"].max() for gap in gaps))
    if lowest == highest:
        lowest, highest = -0.1, 0.1
    scale = alt.Scale(domain=[lowest, highest], nice=True)
    # The line of no gap belongs to the grid, which lies below all data.
    at_zero = "datum.value === 0"
    axis = alt.Axis(
        gridColor=alt.condition(at_zero, alt.value("black"), alt.value(GRID_COLOUR)),
        gridDash=alt.condition(at_zero, alt.value([5, 3]), alt.value([])),
    )
    titles = [f"{score.title}, network minus limit", *[None] * (len(gaps) - 1)]
    return [alt.Y("value:Q", title=title, scale=scale, axis=axis) for title in titles]


def _gap_panel(
    data: pd.DataFrame, kind: str, score: Score, x: alt.X, y: alt.Y, series: Series
) -> Panel:
    tooltip = [
        alt.Tooltip("width:Q", title="Width", format=","),
        alt.Tooltip("value:Q", title="Network minus limit", format=score.number),
    ]
    return panel(lines(data, x, y, series, tooltip), f"Limit: {kind.upper()} at t = ∞")


def _gaps(networks: pd.DataFrame, kernels: pd.DataFrame, score: Score, kind: str) -> pd.DataFrame:
    """Mean and range over seeds of the gap to one kernel, with the column ``size_label``."""
    shared = [*ARCHITECTURE, "size"]
    limits = at_infinity(kernels[kernels["kernel"] == kind])[[*shared, score.column]]
    pairs = networks.merge(
        limits.rename(columns={score.column: "limit"}), on=shared, how="left", validate="m:1"
    )
    without = pairs[pairs["limit"].isna()]
    if not without.empty:
        row = ", ".join(f"{name} {without.iloc[0][name]}" for name in shared)
        raise ChartError(f"the kernel table has no {kind} at infinite time for {row}")
    gaps = over_seeds(pairs.assign(gap=pairs[score.column] - pairs["limit"]), "gap")
    return gaps.assign(size_label=gaps["size"].astype(str))
