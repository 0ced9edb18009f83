"""Distances of like-for-like networks from the NTK over width and training-set size.

The same numbers as in ``convergence`` at the last time, as two axes and a colour.
"""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from ntk_mnist.charts.heat_maps import BAR_SPACE, Colours, cells
from ntk_mnist.charts.labels import FUNCTION_DISTANCES, time_label
from ntk_mnist.charts.layouts import TWO_COLUMNS, Grid, Layout
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
from ntk_mnist.charts.panels import Panel, rows_of_panels
from ntk_mnist.charts.style import Figure, styled

__all__ = ["CAPTION", "SECTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("distance",)

SECTION: str = "Answer"

CAPTION: str = (
    "Over width and training-set size, the distance of functions on the test images at the last "
    "time, geometric mean over seeds: of networks and the NTK's prediction, of their "
    "linearizations and that, and of networks and their own linearizations. All panels have one "
    "scale of colours, which is logarithmic; darker is nearer."
)


def draw(tables: Mapping[str, pd.DataFrame], layout: Layout = TWO_COLUMNS) -> Figure:
    """A row of heat maps for each architecture, one for each distance.

    Args:
        tables: ``distance``.
        layout: the page.

    Raises:
        ChartError: rows are repeated, not comparable or not like for like, or no distance is
            positive.
    """
    (distances,) = checked_like_for_like(tables, TABLES)
    time = distances["time"].max()
    last = distances[distances["quantity"].isin(FUNCTION_DISTANCES) & (distances["time"] == time)]
    means = geometric_over_seeds(last, "rms", ["quantity"]).assign(mark="")
    if means.empty:
        raise ChartError("the distance table has no positive distance of functions")
    parts = {
        part: title for part, title in FUNCTION_DISTANCES.items() if part in set(means["quantity"])
    }
    architectures = architectures_in(means)
    grid = layout.grid(len(parts), len(architectures), BAR_SPACE, own_axes=True)
    scale = Colours.within(means["value"], logarithmic=True)
    rows: list[tuple[str, list[Panel], Grid]] = []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        own = of_architecture(means, architecture)
        panels = [
            cells(own[own["quantity"] == part], title, scale, "#.2g", _TOOLTIP, grid)
            for part, title in parts.items()
        ]
        rows.append((heading, panels, grid))
    return styled(
        rows_of_panels(rows, []),
        layout,
        f"Distance of finite networks from the NTK's prediction at t = {time_label(time)}",
        [
            subject(distances, architectures),
            *gradient_descent(distances),
            f"Root mean square over test images and outputs; {averaged(last, 'geometric mean')}",
        ],
        [
            "Heat maps over width and training-set size, a row for each architecture and a panel "
            "for each pair of functions",
            *(
                f"{title}: {own.min():.2g} to {own.max():.2g}"
                for part, title in parts.items()
                for own in [means.loc[means["quantity"] == part, "value"]]
            ),
        ],
    )


_TOOLTIP = (
    alt.Tooltip("value:Q", title="Distance", format=".3e"),
    alt.Tooltip("low:Q", title="95 % from", format=".3e"),
    alt.Tooltip("high:Q", title="95 % to", format=".3e"),
    alt.Tooltip("seeds:Q", title="Seeds"),
)
