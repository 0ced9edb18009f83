"""How the empirical NTK of a network nears its limit, and how little training changes it.

The NTK of a network, Θ(x, x′) = ∇f(x)·∇f(x′), is random at the start and changes in training. As
the width grows it tends to the infinite-width NTK at the start, and stays there (Jacot et al.
2018, arXiv:1806.07572; Lee et al. 2019, arXiv:1902.06720). Both differences are Frobenius norms on
the same training images, relative to the norm of what the kernel is compared with.
"""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from ntk_mnist.charts.labels import time_label
from ntk_mnist.charts.layouts import TWO_COLUMNS, Layout
from ntk_mnist.charts.observations import (
    ChartError,
    architectures_in,
    averaged,
    checked_like_for_like,
    geometric_over_seeds,
    gradient_descent,
    headings,
    of_architecture,
    subject,
)
from ntk_mnist.charts.panels import interval_tooltip, room_for_labels, rows_of_panels
from ntk_mnist.charts.power_laws import REFERENCE_SLOPES, against_width, axes
from ntk_mnist.charts.style import Figure, size_series, styled

__all__ = ["CAPTION", "SECTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("distance",)

SECTION: str = "Training"

CAPTION: str = (
    "The empirical NTK of finite networks against width, one line for each training-set size. "
    "Left: relative distance from the infinite-width NTK at the first time; right: relative change "
    "since the start of training at the last time. Grey lines have the slopes −1/2 and −1."
)

_TOOLTIP = interval_tooltip("Relative difference", ".3e")


def draw(tables: Mapping[str, pd.DataFrame], layout: Layout = TWO_COLUMNS) -> Figure:
    """A row of two panels for each architecture: distance from the limit, and change.

    A point is the geometric mean over seeds; the band is its 95 % confidence interval. Both panels
    have the same axes.

    Args:
        tables: ``distance``.
        layout: the page.

    Raises:
        ChartError: rows are repeated, not comparable or not like for like, or the table has no
            empirical NTK.
    """
    (distances,) = checked_like_for_like(tables, TABLES)
    columns = {}
    for quantity, moment, title in (
        ("ntk_to_limit", "min", "Empirical to infinite NTK"),
        ("ntk_change", "max", "Change of the empirical NTK"),
    ):
        of_quantity = distances[distances["quantity"] == quantity]
        if of_quantity.empty:
            raise ChartError(f"the distance table has no {quantity}")
        time = of_quantity["time"].agg(moment)
        means = geometric_over_seeds(of_quantity[of_quantity["time"] == time], "rms")
        words = f"at t = {time_label(time)}"
        columns[title, words] = means.assign(size_label=means["size"].astype(str))
    architectures = architectures_in(distances)
    series = replace(size_series(distances["size"]), named="ends")
    beside = room_for_labels(series, REFERENCE_SLOPES)
    grid = layout.grid(len(columns), len(architectures), beside)
    of_panel = {
        (architecture, column): of_architecture(means, architecture)
        for architecture in architectures
        for column, means in columns.items()
    }
    x, y = axes(list(of_panel.values()), distances["width"], "Relative difference", grid)
    rows = []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        panels = [
            against_width(
                of_panel[architecture, column],
                x,
                y,
                series,
                _TOOLTIP,
                grid,
                place,
                column[0],
                [column[1]],
            )
            for place, column in enumerate(columns)
        ]
        rows.append((heading, panels, grid))
    return styled(
        rows_of_panels(rows, series),
        layout,
        "The empirical NTK at the start and after training",
        [
            subject(distances, architectures),
            *gradient_descent(distances),
            "Frobenius norms on the first 64 training images; "
            + averaged(distances, "geometric mean and its 95 % interval"),
        ],
        [
            "Relative differences of kernels against width, both on log axes, a line for each "
            "training-set size; dashed grey lines have the slopes −1/2 and −1",
            *(
                f"{title} {when}: {widest.min():.2g} to {widest.max():.2g} at the largest width"
                for (title, when), means in columns.items()
                for widest in [means.loc[means["width"] == means["width"].max(), "value"]]
            ),
        ],
    )
