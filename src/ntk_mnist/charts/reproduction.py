"""Published numbers against ours: how far ours is from each, and the interval of one more run."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from ntk_mnist.charts.labels import counted
from ntk_mnist.charts.layouts import TWO_COLUMNS, Grid, Layout
from ntk_mnist.charts.observations import ChartError
from ntk_mnist.charts.panels import Panel, linear_axis, panel, rows_of_panels, sentence
from ntk_mnist.charts.style import Figure, Series, styled
from ntk_mnist.comparison.published import VERDICTS
from ntk_mnist.data.own import title_of

__all__ = ["CAPTION", "SECTION", "SIDES", "TABLES", "column_in_words", "draw"]

TABLES: tuple[str, ...] = ("reproduction",)

SECTION: str = "Reproduction"

CAPTION: str = (
    "Published numbers and ours: the difference, ours less the published one, against the "
    "published number. A bar is the 95 % interval of one more run of ours, around the mean of our "
    "runs; a published number is a single run. Without a bar, nothing is random, or there is one "
    "run of ours."
)

_SERIES = Series(
    "verdict", "Ours", ["differs", "one run", "within", "equal"], [], columns=4, symbol="circle"
)
#: Of the points of these verdicts.
_SHAPES = ("diamond", "triangle-up", "circle", "square")
_COLUMNS = {"test_mse": "test squared error", "train_mse": "train squared error"}
#: The sides by their tables.
SIDES: Mapping[str, str] = {"kernel": "Infinite width", "network": "Networks"}


def column_in_words(column: str) -> str:
    """A column that was published, as in ``test accuracy``."""
    return _COLUMNS.get(column, column.replace("_", " "))


def draw(tables: Mapping[str, pd.DataFrame], layout: Layout = TWO_COLUMNS) -> Figure:
    """A panel for each column of each side that was published.

    Args:
        tables: ``reproduction``.
        layout: the page.

    Raises:
        ChartError: the table has no rows.
    """
    table = tables["reproduction"]
    if table.empty:
        raise ChartError("the reproduction table has no rows")
    run = table[table["ours"].notna()]
    of_panels = [(str(s), str(c), rows) for (s, c), rows in run.groupby(["table", "column"])]
    grid = layout.grid(max(len(of_panels), 1), own_axes=True)
    panels = [_panel(rows, side, column, grid) for side, column, rows in of_panels]
    counts = ", ".join(
        f"{counted(int((table['verdict'] == verdict).sum()), 'number')} {words}"
        for verdict, words in VERDICTS.items()
        if (table["verdict"] == verdict).any()
    )
    return styled(
        rows_of_panels(
            [("", panels or [sentence("No published number was run", _SERIES, layout)], grid)],
            _SERIES,
        ),
        layout,
        "Published numbers and ours",
        [
            title_of(table["dataset"].iloc[0]),
            counts,
            "Dashed line: the published numbers, each a single run; a bar is the 95 % interval of "
            "one more run of ours",
        ],
        ["The difference of ours from each published number, against that number", *_worst(run)],
    )


def _worst(run: pd.DataFrame) -> list[str]:
    """The largest difference of each side and column."""
    return [
        f"{SIDES[str(side)]}, {column_in_words(str(column))}: ours differs by at most "
        f"{rows['difference'].abs().max():.3g}"
        for (side, column), rows in run.groupby(["table", "column"])
    ]


def _panel(rows: pd.DataFrame, side: str, column: str, grid: Grid) -> Panel:
    name = column_in_words(column)
    data = rows.assign(
        place=rows["over"] + " " + rows["at"].map("{:,}".format),
        below=(rows["low"] - rows["published"]).fillna(rows["difference"]),
        above=(rows["high"] - rows["published"]).fillna(rows["difference"]),
    )
    # Labels of numbers that differ in the fifth decimal are wide.
    ticks = 3 if grid.width < 200 else 5
    # Of one published value alone, ticks lie around it; and no point on an edge.
    room = (rows["published"].max() - rows["published"].min() or 0.02) / 20
    ends = [rows["published"].min() - room, rows["published"].max() + room]
    x = alt.X("published:Q", title=f"Published {name}", **linear_axis(ends, grid.width, ticks))
    heights = linear_axis([0.0, *data["below"], *data["above"]], grid.height)
    y = alt.Y("difference:Q", title="Ours less published", **heights)
    tooltip = [
        alt.Tooltip("item:N", title="Of"),
        alt.Tooltip("place:N", title="At"),
        alt.Tooltip("published:Q", title="Published", format=".4~f"),
        alt.Tooltip("ours:Q", title="Ours", format=".4f"),
        alt.Tooltip("low:Q", title="One more run, from", format=".4f"),
        alt.Tooltip("high:Q", title="to", format=".4f"),
        alt.Tooltip("runs:Q", title="Runs of ours"),
        alt.Tooltip("verdict:N", title="Verdict"),
    ]
    base = alt.Chart(data).encode(
        x=x,
        color=_SERIES.encodings()["color"],
        opacity=_SERIES.opacity,
    )
    zero = alt.Chart(data).mark_rule(strokeDash=[5, 3]).encode(y=alt.datum(0))
    below = y.copy()
    below.shorthand = "below:Q"
    bars = base.mark_rule(strokeWidth=1).encode(y=below, y2="above:Q")
    # Shapes are told apart in grey too, and an outline shows the bar.
    points = base.mark_point(filled=True, size=60, stroke="white", strokeWidth=0.6).encode(
        y=y,
        tooltip=tooltip,
        shape=alt.Shape(
            "verdict:N",
            sort=list(_SERIES.finite),
            legend=_SERIES.legend,
            scale=alt.Scale(domain=list(_SERIES.finite), range=list(_SHAPES)),
        ),
    )
    # The selection of the legend needs the colours of the first layer.
    return panel(alt.layer(bars, zero, points), f"{SIDES[side]}: {name}", grid)
