"""Does the predictive variance of a kernel at t = ∞ say where it errs? (Lee et al. 2018, fig. 3)

The test images are sorted by predictive variance and cut into groups. The groups of a calibrated
process have squared errors that grow with their variances, and more certain images are classified
correctly more often.
"""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from ntk_mnist.charts.observations import (
    architectures_in,
    checked,
    headings,
    kernels_in,
    of_architecture,
    subject,
)
from ntk_mnist.charts.panels import Panel, lines, log10_axis, panel, rows_of_panels
from ntk_mnist.charts.style import Figure, Series, size_series, styled
from ntk_mnist.settings import Architecture

__all__ = ["CAPTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("calibration",)

CAPTION: str = (
    "Above: the mean squared error of a group of test images, a twentieth of all, against its "
    "mean predictive variance under the Gaussian process whose covariance is the kernel. Below: "
    "the accuracy on the most certain fraction of the images; one line for each training-set size."
)


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Two rows of panels for each architecture, and in each row a panel for each kernel.

    Args:
        tables: ``calibration``.

    Raises:
        ChartError: rows are repeated or not comparable.
    """
    (table,) = checked(tables, TABLES)
    table = table.assign(size_label=table["size"].astype(str))
    architectures = architectures_in(table)
    series = size_series(table["size"])
    rows: list[tuple[str, list[Panel]]] = []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        rows.append((heading, _error_panels(table, architecture, series)))
        rows.append(("", _accuracy_panels(table, architecture, series)))
    return styled(
        rows_of_panels(rows, series),
        "Calibration of the infinite-width limit",
        [subject(table, architectures)],
    )


def _error_panels(table: pd.DataFrame, architecture: Architecture, series: Series) -> list[Panel]:
    """Squared error against variance; all panels of a kernel have the same axes."""
    # The variance of an image that is in the training set is 0 up to rounding, and a log axis
    # has no place for 0.
    groups = table[(table["variance"] > 0) & (table["squared_error"] > 0)]
    tooltip = [
        alt.Tooltip("variance:Q", title="Predictive variance", format=".2e"),
        alt.Tooltip("squared_error:Q", title="Squared error", format=".2e"),
    ]
    panels = []
    for i, kind in enumerate(kernels_in(table)):
        of_kind = groups[groups["kernel"] == kind]
        x = alt.X("variance:Q", title="Predictive variance", **log10_axis(of_kind["variance"], "x"))
        y = alt.Y(
            "squared_error:Q",
            title="Squared error" if i == 0 else None,
            **log10_axis(of_kind["squared_error"], "y"),
        )
        shown = lines(of_architecture(of_kind, architecture), x, y, series, tooltip)
        panels.append(panel(shown, f"{kind.upper()}, groups of images"))
    return panels


def _accuracy_panels(
    table: pd.DataFrame, architecture: Architecture, series: Series
) -> list[Panel]:
    """Accuracy on the most certain images against their fraction; all panels have one scale."""
    x = alt.X(
        "fraction:Q",
        title="Most certain fraction of images",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".1f", tickCount=5),
    )
    extremes = [table["accuracy"].min(), table["accuracy"].max()]
    if extremes[0] == extremes[1]:
        extremes = [0.0, 1.0]
    tooltip = [
        alt.Tooltip("fraction:Q", title="Fraction", format=".3f"),
        alt.Tooltip("accuracy:Q", title="Accuracy", format=".3f"),
    ]
    panels = []
    for i, kind in enumerate(kernels_in(table)):
        y = alt.Y(
            "accuracy:Q",
            title="Test accuracy" if i == 0 else None,
            scale=alt.Scale(domain=extremes, nice=True),
            axis=alt.Axis(),
        )
        of_kind = of_architecture(table[table["kernel"] == kind], architecture)
        panels.append(
            panel(lines(of_kind, x, y, series, tooltip), f"{kind.upper()}, the most certain")
        )
    return panels
