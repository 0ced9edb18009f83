"""How networks learn over gradient-flow time, next to both kernels.

A step of gradient descent with step size η takes the time η. Networks and kernels minimize the
same squared error, so that a network of growing width follows the NTK at every time. NNGP is the
same descent on the readout layer alone (Lee et al. 2019, arXiv:1902.06720).
"""

from collections.abc import Mapping
from dataclasses import replace

import altair as alt
import numpy as np
import pandas as pd

from ntk_mnist.charts.labels import counted, limit_label
from ntk_mnist.charts.layouts import TWO_COLUMNS, Grid, Layout
from ntk_mnist.charts.observations import (
    ARCHITECTURE,
    ChartError,
    architectures_in,
    averaged,
    checked_like_for_like,
    gradient_descent,
    headings,
    kernels_in,
    of_architecture,
    over_seeds,
    subject,
)
from ntk_mnist.charts.panels import (
    FEW,
    Panel,
    has_bands,
    linear_axis,
    lines,
    log10_axis,
    one_each,
    panel,
    room_for_labels,
    rows_of_panels,
)
from ntk_mnist.charts.style import Figure, styled, width_series

__all__ = ["CAPTION", "SECTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("network", "kernel")

SECTION: str = "Training"

CAPTION: str = (
    "Test accuracy and squared error on the test images against gradient-flow time: finite "
    "networks, one line for each width, and the predictions of both infinite-width kernels under "
    "the same gradient descent on the squared error. NTK trains all parameters, as the networks "
    "do; NNGP trains the readout layer alone."
)

#: Titles and formats by the columns that the panels show.
_MEASURES: Mapping[str, tuple[str, str]] = {
    "test_accuracy": ("Test accuracy", ".3f"),
    "test_mse": ("Test squared error", ".4f"),
}


def draw(tables: Mapping[str, pd.DataFrame], layout: Layout = TWO_COLUMNS) -> Figure:
    """A row of two panels for each architecture and training-set size.

    Networks with several seeds are drawn as their mean, with a band from the lowest to the
    highest. If many widths have bands, each measure has a row, and each width a panel. Time 0 and ∞
    have no place on the log axis. All panels of a measure have the same axes.

    Args:
        tables: ``network``, with a row a time, and ``kernel``.
        layout: the page.

    Raises:
        ChartError: rows are repeated, not comparable or not like for like, or no time is positive
            and finite.
    """
    networks, kernels = checked_like_for_like(tables, TABLES)
    # The loss is half of it.
    networks = networks.assign(test_mse=2 * networks["test_loss"])
    kinds = kernels_in(kernels)
    networks, kernels = _on_log_axis(networks), _on_log_axis(kernels)
    # Kernels may be solved on more images than networks are trained on.
    kernels = kernels[kernels["size"].isin(networks["size"])]
    if networks.empty or kernels.empty:
        raise ChartError("networks or their kernels have no time that is positive and finite")
    architectures = architectures_in(networks)
    sizes = sorted(networks["size"].unique())
    series = width_series(networks["width"], kinds)
    shown = {measure: _of_measure(networks, kernels, measure) for measure in _MEASURES}
    each = len(series.finite) > FEW and any(map(has_bands, shown.values()))
    series = series.in_panels if each else replace(series, named="ends")
    grid = layout.grid(
        len(series.finite) if each else len(_MEASURES),
        len(architectures) * len(sizes),
        room_for_labels(series),
        own_axes=not each,
        small=each,
    )
    times = pd.concat([networks["time"], kernels["time"]])
    x = alt.X("time:Q", title="Gradient-flow time", **log10_axis(times, grid.width))
    values = {measure: _drawn_values(data) for measure, data in shown.items()}
    axes = {
        "test_accuracy": linear_axis(values["test_accuracy"], grid.height),
        "test_mse": log10_axis(values["test_mse"], grid.height),
    }
    rows: list[tuple[str, list[Panel], Grid]] = []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        for size in sizes:
            panels = []
            images = counted(size, "training image")
            for measure, (title, number) in _MEASURES.items():
                own = of_architecture(shown[measure], architecture)
                own = own[own["size"] == size]
                y = alt.Y("value:Q", title=title, **axes[measure])
                tooltip = [
                    alt.Tooltip("time:Q", title="Gradient-flow time", format="~g"),
                    alt.Tooltip("value:Q", title=title, format=number),
                ]
                if each:
                    above = ", ".join(filter(None, [heading, images, title.lower()]))
                    small = one_each(own, x, y, series, tooltip, grid)
                    rows += [(above, small, grid)] if small else []
                else:
                    drawn = lines(own, x, y, series, tooltip, grid)
                    panels.append(panel(drawn, title, grid, [images]))
            if not each:
                rows.append((heading if size == sizes[0] else "", panels, grid))
    return styled(
        rows_of_panels(rows, series),
        layout,
        "Training of finite and infinitely wide networks",
        [
            subject(networks, architectures),
            *gradient_descent(networks),
            averaged(networks, "Mean and range"),
        ],
        _shown(networks, kernels, each),
    )


def _shown(networks: pd.DataFrame, kernels: pd.DataFrame, each: bool) -> list[str]:
    """What the panels are, and the values at the last time of the networks."""
    last = networks[networks["time"] == networks["time"].max()]
    widest = last[last["width"] == last["width"].max()]
    limit = kernels[(kernels["kernel"] == "ntk") & (kernels["time"] == networks["time"].max())]
    found = [
        f"{title.lower()} {widest[measure].mean():{number}}"
        + (f", NTK {limit[measure].mean():{number}}" if len(limit) else "")
        for measure, (title, number) in _MEASURES.items()
    ]
    lines_of = "a panel for each width" if each else "a line for each width"
    return [
        f"Test accuracy and squared error against gradient-flow time, {lines_of}, and dashed lines "
        "for the kernels",
        f"At the last time, width {widest['width'].max():,}: {'; '.join(found)}",
    ]


def _on_log_axis(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["time"] > 0) & np.isfinite(table["time"])]


def _of_measure(networks: pd.DataFrame, kernels: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Mean and range over seeds, and the kernels, with the column ``width_label``."""
    finite = over_seeds(networks, measure, by=["time"])
    infinite = kernels[[*ARCHITECTURE, "size", "time"]].assign(value=kernels[measure])
    return pd.concat(
        [
            finite.assign(width_label=finite["width"].astype(str)),
            infinite.assign(width_label=kernels["kernel"].map(limit_label)),
        ]
    )


def _drawn_values(data: pd.DataFrame) -> pd.Series:
    """All heights that are drawn: means, ends of bands and limits."""
    return pd.concat([data[column] for column in ("value", "low", "high")]).dropna()
