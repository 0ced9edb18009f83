"""Does the predictive variance of a kernel at t = ∞ say where it errs? (``kernels.calibration``)

The test images are sorted by predictive variance and cut into groups. In a calibrated process, the
squared error of a group is its variance, and more certain images are classified correctly more
often. A factor of the kernel is a factor of every variance and changes no prediction, so the
variances are drawn under the kernel as it is, and times the amplitude that makes the training
labels likeliest.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from ntk_mnist.charts.layouts import TWO_COLUMNS, Grid, Layout
from ntk_mnist.charts.observations import (
    architectures_in,
    checked,
    headings,
    kernels_in,
    of_architecture,
    subject,
)
from ntk_mnist.charts.panels import Panel, linear_axis, lines, log10_axis, panel, rows_of_panels
from ntk_mnist.charts.style import Figure, Series, size_series, styled
from ntk_mnist.settings import Architecture

__all__ = ["CAPTION", "SECTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("calibration",)

SECTION: str = "Kernels and calibration"

CAPTION: str = (
    "Left: the mean squared error of a group of test images, a twentieth of all but at most 100, "
    "against its mean predictive variance under the Gaussian process whose covariance is the "
    "kernel. The groups of a calibrated process lie on the dashed line, where the two are equal. "
    "Middle: the same after the kernel is multiplied by the amplitude that makes the training "
    "labels likeliest. Right: the accuracy on the most certain fraction of the images, if they "
    "have classes. One line for each training-set size."
)

#: What each column of variances is under.
_VARIANCES: Mapping[str, str] = {
    "variance": "kernel as it is",
    "scaled_variance": "best amplitude",
}


def draw(tables: Mapping[str, pd.DataFrame], layout: Layout = TWO_COLUMNS) -> Figure:
    """A row of panels for each architecture and kernel: errors under both variances, accuracy.

    Args:
        tables: ``calibration``.
        layout: the page.

    Raises:
        ChartError: rows are repeated or not comparable.
    """
    (table,) = checked(tables, TABLES)
    table = table.assign(size_label=table["size"].astype(str))
    architectures, kinds = architectures_in(table), kernels_in(table)
    series = size_series(table["size"])
    # Real-valued targets have none.
    has_accuracy = bool(table["accuracy"].notna().any())
    grid = layout.grid(
        len(_VARIANCES) + has_accuracy,
        len(architectures) * len(kinds),
        own_axes=True,
        square=True,
    )
    accuracy = linear_axis(table["accuracy"].dropna(), grid.height)
    rows: list[tuple[str, list[Panel], Grid]] = []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        for i, kind in enumerate(kinds):
            of_kind = table[table["kernel"] == kind]
            panels = _error_panels(of_kind, architecture, series, grid)
            if has_accuracy:
                panels.append(_accuracy_panel(of_kind, architecture, series, accuracy, grid))
            titled = [panel(shown, f"{kind.upper()}, {what}", grid) for shown, what in panels]
            rows.append(("" if i else heading, titled, grid))
    return styled(
        rows_of_panels(rows, series),
        layout,
        "Calibration of the infinite-width limit",
        [
            subject(table, architectures),
            "Groups of test images by predictive variance at t = ∞; on the dashed line, their "
            "squared error is their variance",
        ],
        [
            "For each kernel, squared error against predictive variance, both on log axes, under "
            "the kernel as it is and at its best amplitude"
            + (", and the accuracy on the most certain images" if has_accuracy else "")
            + "; a line for each training-set size",
            *_ratios(table, kinds),
        ],
    )


def _ratios(table: pd.DataFrame, kinds: Sequence[str]) -> list[str]:
    """How far the errors of the largest size are from the variances at the best amplitude."""
    largest = table[table["size"] == table["size"].max()]
    largest = largest[largest["scaled_variance"] > 0]
    found = []
    for kind in kinds:
        own = largest[largest["kernel"] == kind]
        ratio = (own["squared_error"] / own["scaled_variance"]).median()
        found.append(
            f"{kind.upper()}, {own['size'].max():,} training images, best amplitude: in the median "
            f"group the squared error is {ratio:.2g} times the variance"
        )
    return found if len(largest) else []


def _error_panels(
    of_kind: pd.DataFrame, architecture: Architecture, series: Series, grid: Grid
) -> list[tuple[Panel, str]]:
    """Squared error against either variance; all panels of a kernel have one scale, both ways."""
    # The variance of an image that is in the training set is 0 up to rounding, and a log axis
    # has no place for 0.
    groups = of_kind[(of_kind[[*_VARIANCES, "squared_error"]] > 0).all(axis=1)]
    axis = log10_axis(groups[[*_VARIANCES, "squared_error"]].to_numpy().ravel(), grid.width)
    own = of_architecture(groups, architecture)
    panels = []
    for column, under in _VARIANCES.items():
        x = alt.X(f"{column}:Q", title="Predictive variance", **axis)
        y = alt.Y("squared_error:Q", title="Squared error", **axis)
        tooltip = [
            alt.Tooltip(f"{column}:Q", title="Predictive variance", format=".2e"),
            alt.Tooltip("squared_error:Q", title="Squared error", format=".2e"),
        ]
        shown = lines(own, x, y, series, tooltip, grid)
        # Last, as Altair gives the selection of the legend to the first layer.
        panels.append((alt.layer(shown, _diagonal(column, x, y, axis)), under))
    return panels


def _diagonal(column: str, x: alt.X, y: alt.Y, axis: Mapping[str, Any]) -> alt.Chart:
    """The line of equal variance and squared error, from one corner to the other."""
    ends = axis["scale"].domain
    line = alt.Chart(pd.DataFrame({column: ends, "squared_error": ends}))
    return line.mark_line(color="black", strokeWidth=1, strokeDash=[5, 3]).encode(x, y)


def _accuracy_panel(
    of_kind: pd.DataFrame,
    architecture: Architecture,
    series: Series,
    vertical: Mapping[str, Any],
    grid: Grid,
) -> tuple[Panel, str]:
    """Accuracy on the most certain images against their fraction; all panels have one scale."""
    x = alt.X(
        "fraction:Q",
        title="Most certain fraction",
        **linear_axis([0, 1], grid.width),
    )
    y = alt.Y("accuracy:Q", title="Test accuracy", **vertical)
    tooltip = [
        alt.Tooltip("fraction:Q", title="Fraction", format=".3f"),
        alt.Tooltip("accuracy:Q", title="Accuracy", format=".3f"),
    ]
    shown = lines(of_architecture(of_kind, architecture), x, y, series, tooltip, grid)
    return shown, "the most certain"
