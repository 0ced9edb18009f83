"""Test accuracy against training-set size: kernels over time, networks over width.

The notebook's figure, with a panel for each kernel. The notebook labels NNGP as "NTK".
"""

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from ntk_mnist.charts.labels import limit_label, time_label
from ntk_mnist.charts.observations import (
    ARCHITECTURE,
    architectures_in,
    at_infinity,
    cautions,
    checked,
    headings,
    kernels_in,
    of_architecture,
    over_seeds,
    subject,
    training,
)
from ntk_mnist.charts.panels import Panel, lines, log2_axis, panel, rows_of_panels
from ntk_mnist.charts.style import Figure, Series, styled, time_series, width_series

__all__ = ["CAPTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("network", "kernel")

CAPTION: str = (
    "Test accuracy against training-set size. Left: the mean prediction of an infinite ensemble "
    "of infinitely wide networks under gradient flow on the squared error, one line for each "
    "training time, black at infinite time; right: finite networks trained on the cross-entropy, "
    "one line for each width, with the infinite-time limits of the kernels."
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
    left, right = [], []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        own_kernels = of_architecture(kernels, architecture)
        own_networks = of_architecture(networks, architecture)
        left.append((heading, _kernel_panels(own_kernels, kinds, x, times)))
        right.append((heading, [_network_panel(own_networks, own_kernels, x, widths)]))
    both = alt.hconcat(rows_of_panels(left, times), rows_of_panels(right, widths), spacing=10)
    return styled(
        both.resolve_scale(color="independent", strokeDash="independent"),
        "Test accuracy of finite and infinitely wide networks",
        [subject(kernels, architectures), training(networks), *cautions(networks)],
    )


def _kernel_panels(
    kernels: pd.DataFrame, kinds: Sequence[str], x: alt.X, series: Series
) -> list[Panel]:
    data = kernels[[*ARCHITECTURE, "kernel", "size"]].assign(
        value=kernels["test_accuracy"], time_label=kernels["time"].map(time_label)
    )
    return [
        _accuracy_panel(
            data[data["kernel"] == kind],
            x,
            series,
            f"Infinite width, {kind.upper()}",
            y_title="Test accuracy" if i == 0 else None,
        )
        for i, kind in enumerate(kinds)
    ]


def _network_panel(
    networks: pd.DataFrame, kernels: pd.DataFrame, x: alt.X, series: Series
) -> Panel:
    limit = at_infinity(kernels)
    finite = over_seeds(networks, "test_accuracy")
    infinite = limit[[*ARCHITECTURE, "size"]].assign(value=limit["test_accuracy"])
    data = pd.concat(
        [
            finite.assign(width_label=finite["width"].astype(str)),
            infinite.assign(width_label=limit["kernel"].map(limit_label)),
        ]
    )
    return _accuracy_panel(data, x, series, "Finite width", y_title=None)


def _accuracy_panel(
    data: pd.DataFrame, x: alt.X, series: Series, title: str, y_title: str | None
) -> Panel:
    y = alt.Y("value:Q", title=y_title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".1f"))
    tooltip = [
        alt.Tooltip("size:Q", title="Training-set size", format=","),
        alt.Tooltip("value:Q", title="Accuracy", format=".3f"),
    ]
    return panel(lines(data, x, y, series, tooltip), title)
