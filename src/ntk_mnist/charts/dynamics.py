"""How networks learn over gradient-flow time, next to both kernels.

A step of gradient descent with step size η takes the time η. Networks and kernels minimize the
same squared error, so that a network of growing width follows the NTK at every time. NNGP is the
same descent on the readout layer alone (Lee et al. 2019, arXiv:1902.06720).
"""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from ntk_mnist.charts.labels import counted, limit_label
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
from ntk_mnist.charts.panels import Panel, linear_domain, lines, log10_axis, panel, rows_of_panels
from ntk_mnist.charts.style import Figure, styled, width_series

__all__ = ["CAPTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("network", "kernel")

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


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """A row of two panels for each architecture and training-set size.

    Networks with several seeds are drawn as their mean, with a band from the lowest to the
    highest. Time 0 and ∞ have no place on the log axis. All panels of a measure have the same
    axes.

    Args:
        tables: ``network``, with a row a time, and ``kernel``.

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
    times = pd.concat([networks["time"], kernels["time"]])
    x = alt.X("time:Q", title="Gradient-flow time", **log10_axis(times))
    shown = {measure: _of_measure(networks, kernels, measure) for measure in _MEASURES}
    ys = {
        "test_accuracy": _accuracy_axis(shown["test_accuracy"]),
        "test_mse": alt.Y("value:Q", title=None, **log10_axis(_drawn_values(shown["test_mse"]))),
    }
    rows: list[tuple[str, list[Panel]]] = []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        for size in sizes:
            panels = []
            for measure, (title, number) in _MEASURES.items():
                own = of_architecture(shown[measure], architecture)
                tooltip = [
                    alt.Tooltip("time:Q", title="Gradient-flow time", format="~g"),
                    alt.Tooltip("value:Q", title=title, format=number),
                ]
                drawn = lines(own[own["size"] == size], x, ys[measure], series, tooltip)
                panels.append(panel(drawn, title, [counted(size, "training image")]))
            rows.append((heading if size == sizes[0] else "", panels))
    return styled(
        rows_of_panels(rows, series),
        "Training of finite and infinitely wide networks",
        [
            subject(networks, architectures),
            *gradient_descent(networks),
            averaged(networks, "Mean and range"),
        ],
    )


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


def _accuracy_axis(data: pd.DataFrame) -> alt.Y:
    scale = alt.Scale(domain=linear_domain(_drawn_values(data)), nice=True)
    return alt.Y("value:Q", title=None, scale=scale, axis=alt.Axis())
