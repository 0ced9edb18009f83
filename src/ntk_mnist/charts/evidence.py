"""How likely each architecture makes the training labels, at its best amplitude and as it is.

The likelihood of a kernel as it is depends on its amplitude, at the best amplitude it does not; a
line joins the two. Both are drawn by how far they are behind the likeliest, as they differ by some
nats or by hundreds of thousands.
"""

import json
import math
from collections.abc import Mapping

import altair as alt
import pandas as pd

from ntk_mnist.charts.labels import counted
from ntk_mnist.charts.layouts import TWO_COLUMNS, Grid, Layout
from ntk_mnist.charts.lettering import width_of, wrapped
from ntk_mnist.charts.likeliest import best_validated, ranked
from ntk_mnist.charts.observations import (
    architectures_in,
    checked,
    headings,
    inputs_and_shared,
    kernels_in,
    of_architecture,
)
from ntk_mnist.charts.panels import Panel, panel, rows_of_panels
from ntk_mnist.charts.style import TITLE_SIZE, Figure, Series, styled

__all__ = ["CAPTION", "SECTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("evidence",)

SECTION: str = "Evidence"

CAPTION: str = (
    "Log marginal likelihood of the training labels under the Gaussian process whose covariance "
    "is the kernel, for each architecture, the likeliest first: how far it is behind the "
    "likeliest, in nats for each image and output, with the kernel times its best amplitude and "
    "with the kernel as it is. The likeliest has a ring and a bold name; several have if they are "
    "equally likely, as those are that differ in amplitude alone. A square, if there are "
    "validation images, is the architecture with the best accuracy on these."
)

# Pixels: of the type of names, and of the narrowest plot.
_NAME_SIZE, _PLOT = 10.5, 130.0
_SERIES = Series(
    "likelihood",
    "Log marginal likelihood",
    ["at the best amplitude", "kernel as it is"],
    [],
    columns=2,
    symbol="circle",
)
#: Pixels an architecture.
_STEP = 13
#: Architectures in a panel, at most.
_MOST = 40
#: Below it the axis is linear, as 0 has no logarithm; nats for each image and output.
_LINEAR_BELOW = 0.002
_FIRST_TICK = 0.01
#: 0.01, but 1e5.
_AS_SHORT = (
    "datum.value < 1e4 ? format(datum.value, '~g') : replace(format(datum.value, '~e'), '+', '')"
)
#: Ticks after 0, at most.
_TICKS = 5


def draw(tables: Mapping[str, pd.DataFrame], layout: Layout = TWO_COLUMNS) -> Figure:
    """One row of panels for each training-set size, and in it a panel for each kernel.

    Args:
        tables: ``evidence``.
        layout: the page.

    Raises:
        ChartError: rows are repeated or not comparable.
    """
    (table,) = checked(tables, TABLES)
    architectures = architectures_in(table)
    named = pd.concat(
        of_architecture(table, architecture).assign(name=heading or architecture.activation)
        for architecture, heading in zip(architectures, headings(architectures), strict=True)
    )
    sizes, kinds = sorted(table["size"].unique()), kernels_in(table)
    ranks = {
        (size, kind): ranked(named[(named["size"] == size) & (named["kernel"] == kind)])
        for size in sizes
        for kind in kinds
    }
    points = {key: _points(rows.head(_MOST)) for key, rows in ranks.items()}
    names = max(width_of(name, _NAME_SIZE, bold=True) for name in named["name"])
    across = layout.across(_PLOT + names, len(kinds))
    width = round(min(layout.width / across - names - 30, 1.6 * layout.height))
    grid = Grid(across, width, 0, 0, names + 20)
    x = _axis(max(drawn["behind"].max() for drawn in points.values()), grid)
    rows = [
        (
            counted(size, "training image") if len(sizes) > 1 else "",
            [_panel(points[size, kind], kind, x, grid) for kind in kinds],
            grid,
        )
        for size in sizes
    ]
    only = f", {counted(sizes[0], 'training image')}" if len(sizes) == 1 else ""
    return styled(
        rows_of_panels(rows, _SERIES),
        layout,
        "Evidence for each architecture",
        [
            inputs_and_shared(table, architectures) + only,
            _legend(table),
            *_left_out(max(map(len, ranks.values()))),
        ],
        [
            "How far the log marginal likelihood of each architecture is behind the likeliest, the "
            "likeliest first, with a point at the best amplitude and one of the kernel as it is",
            *(
                f"{kind.upper()}, {counted(size, 'training image')}: likeliest "
                f"{', '.join(rows.loc[rows['likeliest'], 'name'])}"
                for (size, kind), rows in ranks.items()
            ),
        ],
    )


def _left_out(count: int) -> list[str]:
    """What a panel does not show."""
    if count <= _MOST:
        return []
    return [f"The {_MOST} likeliest of {count} architectures; the table has all"]


def _legend(table: pd.DataFrame) -> str:
    words = "Ring and bold name: the likeliest"
    if table["validation_accuracy"].isna().all():
        return words
    images = counted(table["validation_size"].iloc[0], "validation image")
    return f"{words}; square: the best accuracy on {images}"


def _points(ranks: pd.DataFrame) -> pd.DataFrame:
    """Two rows an architecture, one a likelihood, in nats for each image and output.

    Returns:
        The columns ``value``, ``behind``, by how much that is less than the likeliest, and
        ``at_best``, the same of the architecture's other row or its own, at the best amplitude.
    """
    count = ranks["size"] * ranks["outputs"]
    best = ranks["maximized_log_marginal_likelihood"].max()
    values = ("maximized_log_marginal_likelihood", "log_marginal_likelihood")
    both = [
        ranks[["name", "likeliest", "amplitude", "validation_accuracy"]].assign(
            validated=ranks.index.isin(best_validated(ranks).index),
            likelihood=label,
            nats=ranks[column],
            value=ranks[column] / count,
            # Of the likeliest, rounding may leave less than nothing.
            behind=((best - ranks[column]) / count).clip(lower=0),
            at_best=((best - ranks[values[0]]) / count).clip(lower=0),
        )
        for label, column in zip(_SERIES.finite, values, strict=True)
    ]
    points = pd.concat(both)
    # A kernel as it is may be so small that its likelihood is 0.
    return points[points["behind"] < math.inf]


def _axis(largest: float, grid: Grid) -> alt.X:
    """From 0, on a scale that is linear first and then logarithmic."""
    decades = math.ceil(math.log10(max(largest / _FIRST_TICK, 10)))
    # A label such as 1e+26 and its space.
    step = math.ceil(decades / max(1, min(_TICKS, int(grid.width / 42) - 1)))
    ticks = [_FIRST_TICK * 10.0**k for k in range(0, decades + 1, step)]
    return alt.X(
        "behind:Q",
        title=wrapped("Nats an image and output behind the likeliest", grid.width, TITLE_SIZE),
        scale=alt.Scale(
            type="symlog",
            constant=_LINEAR_BELOW,
            domain=[0, max(largest, 10 * _FIRST_TICK)],
            nice=False,
            padding=8,
        ),
        axis=alt.Axis(values=[0, *ticks], labelExpr=_AS_SHORT, labelFlush=False),
    )


def _panel(points: pd.DataFrame, kind: str, x: alt.X, grid: Grid) -> Panel:
    """Points of both likelihoods, and a line between the two of each architecture."""
    names = list(points["name"].drop_duplicates())
    best = points[points["likeliest"] & (points["likelihood"] == _SERIES.finite[0])]
    is_best = f"indexof({json.dumps(list(best['name']))}, datum.value) >= 0"
    y = alt.Y(
        "name:N",
        sort=names,
        title=None,
        axis=alt.Axis(
            labelLimit=0,
            labelFontSize=_NAME_SIZE,
            labelFontWeight=alt.condition(is_best, alt.value("bold"), alt.value("normal")),
        ),
    )
    tooltip = [
        alt.Tooltip("name:N", title="Architecture"),
        alt.Tooltip("likelihood:N", title=_SERIES.title),
        alt.Tooltip("nats:Q", title="Nats", format=",.1f"),
        alt.Tooltip("value:Q", title="Nats an image and output", format=".4f"),
        alt.Tooltip("behind:Q", title="Behind the likeliest", format=".4f"),
        alt.Tooltip("amplitude:Q", title="Best amplitude", format=".3g"),
    ]
    base = alt.Chart(points).encode(
        y=y,
        color=_SERIES.encodings()["color"],
        opacity=_SERIES.opacity,
    )
    between = base.mark_rule(strokeWidth=1.2).encode(x=x, x2="at_best:Q")
    marks = base.mark_point(filled=True, size=40).encode(x=x, tooltip=tooltip)
    validated = points[points["validated"] & (points["likelihood"] == _SERIES.finite[0])]
    ring = alt.Chart(best).mark_point(size=130, strokeWidth=1.5, color="black").encode(x, y)
    likeliest = f"likeliest: {best['value'].max():.3f} nats an image and output"
    square = alt.Chart(validated).mark_point(
        shape="square", size=210, strokeWidth=1.5, color="black", filled=False
    )
    layers = [between, marks, ring, *([] if validated.empty else [square.encode(x, y)])]
    drawn = panel(alt.layer(*layers), kind.upper(), grid, [likeliest])
    return drawn.properties(height=_STEP * len(names))
