"""How fast networks and their linearizations approach the NTK's prediction as they widen.

A network f, its own linearization at θ₀ and the NTK's mean prediction are three functions of an
image. They are trained on the same images with the same loss, steps and initial parameters, so
that only the width is between them. The distance of the first from the third is at most the sum
of the other two: what the initial kernel's fluctuation makes (linearization to NTK), and what the
change of the kernel makes (network to linearization).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import altair as alt
import pandas as pd

from ntk_mnist.charts.findings import slopes_in_words
from ntk_mnist.charts.labels import FUNCTION_DISTANCES, counted, time_label
from ntk_mnist.charts.layouts import TWO_COLUMNS, Layout
from ntk_mnist.charts.observations import (
    ARCHITECTURE,
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
from ntk_mnist.charts.style import Figure, styled, time_series

__all__ = ["CAPTION", "SECTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("distance", "convergence")

SECTION: str = "Answer"

CAPTION: str = (
    "Distance of functions on the test images against width, one line for each gradient-flow time: "
    "finite networks and the NTK's prediction, networks' linearizations and the NTK's prediction, "
    "networks and their own linearizations. All are trained by the same steps of gradient descent "
    "on the squared error. Grey lines have the slopes −1/2 and −1."
)

#: What identifies a line.
_LINE: tuple[str, ...] = (*ARCHITECTURE, "size", "time", "quantity")


def draw(tables: Mapping[str, pd.DataFrame], layout: Layout = TWO_COLUMNS) -> Figure:
    """A row of panels for each architecture and training-set size: a panel for each distance.

    A point is the geometric mean over seeds; the band is its 95 % confidence interval. All panels
    have the same axes. Below a panel's title are the slopes of its lines, over all widths and over
    their larger half.

    Args:
        tables: ``distance`` and ``convergence``.
        layout: the page.

    Raises:
        ChartError: rows are repeated, not comparable or not like for like, or no distance is
            positive.
    """
    distances, slopes = checked_like_for_like(tables, TABLES)
    distances = distances[distances["quantity"].isin(FUNCTION_DISTANCES)]
    means = _with_slopes(geometric_over_seeds(distances, "rms", ["time", "quantity"]), slopes)
    if means.empty:
        raise ChartError("the distance table has no positive distance of functions")
    architectures = architectures_in(means)
    sizes = sorted(means["size"].unique())
    series = replace(time_series(means["time"]), named="ends")
    beside = room_for_labels(series, REFERENCE_SLOPES)
    grid = layout.grid(len(FUNCTION_DISTANCES), len(architectures) * len(sizes), beside)
    of_panel = {
        (architecture, size, part): own[(own["size"] == size) & (own["quantity"] == part)]
        for architecture in architectures
        for own in [of_architecture(means, architecture)]
        for size in sizes
        for part in FUNCTION_DISTANCES
    }
    x, y = axes(list(of_panel.values()), means["width"], "Distance (RMS)", grid)
    rows = []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        fitted = of_architecture(slopes, architecture)
        for size in sizes:
            panels = [
                against_width(
                    of_panel[architecture, size, part],
                    x,
                    y,
                    series,
                    _TOOLTIP,
                    grid,
                    place,
                    title,
                    [
                        counted(size, "training image"),
                        *_slopes(fitted[(fitted["size"] == size) & (fitted["quantity"] == part)]),
                    ],
                )
                for place, (part, title) in enumerate(FUNCTION_DISTANCES.items())
            ]
            rows.append((heading if size == sizes[0] else "", panels, grid))
    return styled(
        rows_of_panels(rows, series),
        layout,
        "Convergence of finite networks to the NTK's prediction",
        [
            subject(distances, architectures),
            *gradient_descent(distances),
            "Root mean square over test images and outputs; "
            + averaged(distances, "geometric mean and its 95 % interval"),
            "Slopes by least squares over networks: lowest … highest over times "
            "(± half of the longest 95 % interval)",
        ],
        _shown(means),
    )


def _shown(means: pd.DataFrame) -> list[str]:
    """What the panels are, and the distances of the widest networks at the last time."""
    last = means[(means["time"] == means["time"].max())]
    widest = last[last["width"] == last["width"].max()]
    found = [
        f"{title.lower().replace('ntk', 'NTK')} {own.min():.2g} to {own.max():.2g}"
        for part, title in FUNCTION_DISTANCES.items()
        for own in [widest.loc[widest["quantity"] == part, "value"]]
        if len(own)
    ]
    return [
        "Distances against width, both on log axes, a panel for each pair of functions and a line "
        "for each time; dashed grey lines have the slopes −1/2 and −1",
        *(
            [f"At width {widest['width'].max():,} and the last time: {', '.join(found)}"]
            * bool(found)
        ),
    ]


_TOOLTIP: Sequence[alt.Tooltip] = (
    *interval_tooltip("Distance", ".3e"),
    alt.Tooltip("slope:Q", title="Slope of the line", format=".3f"),
    alt.Tooltip("slope_low:Q", title="Slope, 95 % from", format=".3f"),
    alt.Tooltip("slope_high:Q", title="Slope, 95 % to", format=".3f"),
)


def _with_slopes(means: pd.DataFrame, slopes: pd.DataFrame) -> pd.DataFrame:
    """Each point with the slope of its line and its interval; null where there is none."""
    over_all = slopes["smallest_width"] == slopes.groupby(list(_LINE))["smallest_width"].transform(
        "min"
    )
    fitted = slopes.loc[over_all, [*_LINE, "slope", "low", "high"]]
    fitted = fitted.rename(columns={"low": "slope_low", "high": "slope_high"})
    joined = means.merge(fitted, on=list(_LINE), how="left", validate="m:1")
    return joined.assign(time_label=joined["time"].map(time_label))


def _slopes(fitted: pd.DataFrame) -> list[str]:
    """The slopes of a panel's lines, over all widths and over the larger ones."""
    rows = fitted.dropna(subset=["slope"]).to_dict("records")
    words = slopes_in_words([{str(name): value for name, value in row.items()} for row in rows])
    (_, over_all), *others = words.items() or [(0, "")]
    return [
        f"slope{'s' * ('…' in over_all)} {over_all}" if over_all else "no slope",
        *(f"from width {width:,}: {found}" for width, found in others),
    ]
