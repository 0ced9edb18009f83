"""Test accuracy against training-set size: kernels over time, networks over width.

The notebook's figure, with a panel for each kernel. The notebook labels NNGP as "NTK". Of
real-valued targets, the squared error is drawn in its place.
"""

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from ntk_mnist.charts.labels import limit_label, time_label
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
from ntk_mnist.charts.panels import Panel, lines, log2_axis, panel, rows_of_panels
from ntk_mnist.charts.style import Figure, Series, styled, time_series, width_series

__all__ = ["CAPTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("network", "kernel")

CAPTION: str = (
    "Test accuracy, or squared error of real-valued targets, against training-set size. Left: the "
    "mean prediction of an infinite ensemble of infinitely wide networks under gradient flow on "
    "the squared error, one line for each training time, black at infinite time; right: finite "
    "networks trained on the cross-entropy or the squared error, one line for each width, with the "
    "infinite-time limits of the kernels."
)


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """One row of panels for each architecture: a panel for each kernel, then the networks.

    Networks with several seeds are drawn as their mean, with a band from the lowest to the
    highest.

    Args:
        tables: ``network`` and ``kernel``.

    Raises:
        ChartError: rows are repeated or not comparable.
    """
    networks, kernels = checked(tables, TABLES)
    architectures = architectures_in(networks, kernels)
    kinds = kernels_in(kernels)
    x = log2_axis("size", "Training-set size", [*networks["size"], *kernels["size"]])
    times = time_series(kernels["time"])
    widths = width_series(networks["width"], kinds)
    score = score_of(networks, kernels)
    left, right = [], []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        own_kernels = of_architecture(kernels, architecture)
        own_networks = of_architecture(networks, architecture)
        left.append((heading, _kernel_panels(own_kernels, kinds, score, x, times)))
        right.append((heading, [_network_panel(own_networks, own_kernels, score, x, widths)]))
    both = alt.hconcat(rows_of_panels(left, times), rows_of_panels(right, widths), spacing=10)
    return styled(
        both.resolve_scale(color="independent", strokeDash="independent"),
        f"{score.title} of finite and infinitely wide networks",
        [subject(kernels, architectures), training(networks), *cautions(networks)],
    )


def _kernel_panels(
    kernels: pd.DataFrame, kinds: Sequence[str], score: Score, x: alt.X, series: Series
) -> list[Panel]:
    data = kernels[[*ARCHITECTURE, "kernel", "size"]].assign(
        value=kernels[score.column], time_label=kernels["time"].map(time_label)
    )
    return [
        _score_panel(
            data[data["kernel"] == kind],
            score,
            x,
            series,
            f"Infinite width, {kind.upper()}",
            y_title=score.title if i == 0 else None,
        )
        for i, kind in enumerate(kinds)
    ]


def _network_panel(
    networks: pd.DataFrame, kernels: pd.DataFrame, score: Score, x: alt.X, series: Series
) -> Panel:
    limit = at_infinity(kernels)
    finite = over_seeds(networks, score.column)
    infinite = limit[[*ARCHITECTURE, "size"]].assign(value=limit[score.column])
    data = pd.concat(
        [
            finite.assign(width_label=finite["width"].astype(str)),
            infinite.assign(width_label=limit["kernel"].map(limit_label)),
        ]
    )
    return _score_panel(data, score, x, series, "Finite width", y_title=None)


def _score_panel(
    data: pd.DataFrame, score: Score, x: alt.X, series: Series, title: str, y_title: str | None
) -> Panel:
    y = alt.Y(
        "value:Q",
        title=y_title,
        scale=alt.Scale(domain=[0, score.largest]),
        axis=alt.Axis(format=".1f") if score.largest == 1 else alt.Axis(),
    )
    tooltip = [
        alt.Tooltip("size:Q", title="Training-set size", format=","),
        alt.Tooltip("value:Q", title=score.title, format=score.number),
    ]
    return panel(lines(data, x, y, series, tooltip), title)
