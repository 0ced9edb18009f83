"""Test accuracy against training-set size: kernels over time, networks over width.

The notebook's figure, with a panel for each kernel. The notebook labels NNGP as "NTK". Of
real-valued targets, the squared error is drawn in its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import altair as alt
import pandas as pd

from ntk_mnist.charts.labels import limit_label, time_label
from ntk_mnist.charts.layouts import TWO_COLUMNS, Grid, Layout
from ntk_mnist.charts.observations import (
    ARCHITECTURE,
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
from ntk_mnist.charts.style import Figure, Series, styled, time_series, width_series

__all__ = ["CAPTION", "SECTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("network", "kernel")

SECTION: str = "Answer"

CAPTION: str = (
    "Test accuracy, or squared error of real-valued targets, against training-set size. Left: the "
    "mean prediction of an infinite ensemble of infinitely wide networks under gradient flow on "
    "the squared error, one line for each training time, black at infinite time; right: finite "
    "networks trained on the cross-entropy or the squared error, one line for each width, with the "
    "infinite-time limits of the kernels."
)


def draw(tables: Mapping[str, pd.DataFrame], layout: Layout = TWO_COLUMNS) -> Figure:
    """A row of panels for each architecture: a panel for each kernel, then the networks.

    Networks with several seeds are drawn as their mean, with a band from the lowest to the
    highest. If many widths have bands, each width has a panel.

    Args:
        tables: ``network`` and ``kernel``.
        layout: the page.

    Raises:
        ChartError: rows are repeated or not comparable.
    """
    networks, kernels = checked(tables, TABLES)
    architectures = architectures_in(networks, kernels)
    kinds = kernels_in(kernels)
    times = replace(time_series(kernels["time"]), named="ends")
    widths = width_series(networks["width"], kinds)
    score = score_of(networks, kernels)
    finite = _of_networks(networks, kernels, score)
    # One size is no line, and its bars do not merge.
    each = len(widths.finite) > FEW and networks["size"].nunique() > 1 and has_bands(finite)
    widths = widths.in_panels if each else replace(widths, named="ends")
    count = len(kinds) + (0 if each else 1)
    beside = max(map(room_for_labels, [times, *([] if each else [widths])]))
    grid = layout.grid(count, len(architectures), beside)
    small = layout.grid(len(widths.finite), beside=room_for_labels(widths), small=True)
    rows: list[tuple[str, Sequence[Panel], Grid]] = []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        own_kernels = of_architecture(kernels, architecture)
        own_networks = of_architecture(finite, architecture)
        sizes = [*own_kernels["size"], *own_networks["size"]]
        x, y = _axes(sizes, score, grid)
        panels = _kernel_panels(own_kernels, kinds, score, x, y, times, grid)
        if not each:
            y = y if grid.first(len(panels)) else unlabelled(y)
            drawn = lines(own_networks, x, y, widths, _tooltip(score), grid)
            panels.append(panel(drawn, "Finite width", grid))
        rows.append((heading, panels, grid))
        if each:
            x, y = _axes(sizes, score, small)
            panels = one_each(own_networks, x, y, widths, _tooltip(score), small)
            rows.append(("", panels, small))
    return styled(
        rows_of_panels(rows, [times, widths]),
        layout,
        f"{score.title} of finite and infinitely wide networks",
        [subject(kernels, architectures), training(networks), *cautions(networks)],
        _shown(networks, kernels, score, each),
    )


def _shown(
    networks: pd.DataFrame, kernels: pd.DataFrame, score: Score, each: bool
) -> list[str]:  # fmt: skip
    limit, widest = at_infinity(kernels), networks[networks["width"] == networks["width"].max()]
    size = widest["size"].max()
    found = [
        f"width {widest['width'].max():,} "
        f"{widest.loc[widest['size'] == size, score.column].mean():{score.number}}",
        *(
            f"{kind.upper()} at infinite time {own[score.column].mean():{score.number}}"
            for kind in kernels_in(limit)
            for own in [limit[(limit["kernel"] == kind) & (limit["size"] == size)]]
            if len(own)
        ),
    ]
    panels = "a panel for each width" if each else "a panel with a line for each width"
    return [
        f"{score.title} against training-set size, up to {networks['size'].max():,} images: a "
        f"panel for each kernel with a line for each time, and {panels}",
        f"At {size:,} training images, mean over all rows: {', '.join(found)}",
    ]


def _axes(sizes: Sequence[int], score: Score, grid: Grid) -> tuple[alt.X, alt.Y]:
    x = log2_axis("size", "Training-set size", sizes, grid.width)
    y = alt.Y("value:Q", title=score.title, **linear_axis([0, score.largest], grid.height))
    return x, y


def _tooltip(score: Score) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("size:Q", title="Training-set size", format=","),
        alt.Tooltip("value:Q", title=score.title, format=score.number),
    ]


def _kernel_panels(
    kernels: pd.DataFrame,
    kinds: Sequence[str],
    score: Score,
    x: alt.X,
    y: alt.Y,
    series: Series,
    grid: Grid,
) -> list[Panel]:
    data = kernels[[*ARCHITECTURE, "kernel", "size"]].assign(
        value=kernels[score.column], time_label=kernels["time"].map(time_label)
    )
    return [
        panel(
            lines(
                data[data["kernel"] == kind],
                x,
                y if grid.first(i) else unlabelled(y),
                series,
                _tooltip(score),
                grid,
            ),
            f"Infinite width, {kind.upper()}",
            grid,
        )
        for i, kind in enumerate(kinds)
    ]


def _of_networks(networks: pd.DataFrame, kernels: pd.DataFrame, score: Score) -> pd.DataFrame:
    """Mean and range over seeds, and the limits at infinite time."""
    limit = at_infinity(kernels)
    finite = over_seeds(networks, score.column)
    infinite = limit[[*ARCHITECTURE, "size"]].assign(value=limit[score.column])
    return pd.concat(
        [
            finite.assign(width_label=finite["width"].astype(str)),
            infinite.assign(width_label=limit["kernel"].map(limit_label)),
        ]
    )
