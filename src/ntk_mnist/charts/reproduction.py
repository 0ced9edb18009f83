"""Published numbers against ours: how far ours is from each, and the interval of one more run."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from ntk_mnist.charts.labels import counted
from ntk_mnist.charts.observations import ChartError
from ntk_mnist.charts.panels import Panel, panel, rows_of_panels, sentence
from ntk_mnist.charts.style import Figure, Series, styled
from ntk_mnist.comparison.published import VERDICTS
from ntk_mnist.data.own import title_of

__all__ = ["CAPTION", "SIDES", "TABLES", "column_in_words", "draw"]

TABLES: tuple[str, ...] = ("reproduction",)

CAPTION: str = (
    "Published numbers and ours: the difference, ours less the published one, against the "
    "published number. A bar is the 95 % interval of one more run of ours, around the mean of our "
    "runs; a published number is a single run. Without a bar, nothing is random, or there is one "
    "run of ours."
)

_SERIES = Series(
    "verdict", "Ours", ["differs", "one run", "within", "equal"], [], columns=4, symbol="circle"
)
_COLUMNS = {"test_mse": "test squared error", "train_mse": "train squared error"}
#: The sides by their tables.
SIDES: Mapping[str, str] = {"kernel": "Infinite width", "network": "Networks"}


def column_in_words(column: str) -> str:
    """A column that was published, as in ``test accuracy``."""
    return _COLUMNS.get(column, column.replace("_", " "))


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """A panel for each column of each side that was published.

    Args:
        tables: ``reproduction``.

    Raises:
        ChartError: the table has no rows.
    """
    table = tables["reproduction"]
    if table.empty:
        raise ChartError("the reproduction table has no rows")
    run = table[table["ours"].notna()]
    sides = [
        ("", [_panel(rows, str(side), str(column)) for column, rows in of_side.groupby("column")])
        for side, of_side in run.groupby("table")
    ]
    counts = ", ".join(
        f"{counted(int((table['verdict'] == verdict).sum()), 'number')} {words}"
        for verdict, words in VERDICTS.items()
        if (table["verdict"] == verdict).any()
    )
    return styled(
        rows_of_panels(
            sides or [("", [sentence("No published number was run", _SERIES)])], _SERIES
        ),
        "Published numbers and ours",
        [title_of(table["dataset"].iloc[0]), counts],
    )


def _panel(rows: pd.DataFrame, side: str, column: str) -> Panel:
    name = column_in_words(column)
    data = rows.assign(
        place=rows["over"] + " " + rows["at"].map("{:,}".format),
        below=(rows["low"] - rows["published"]).fillna(rows["difference"]),
        above=(rows["high"] - rows["published"]).fillna(rows["difference"]),
    )
    low, high = rows["published"].min(), rows["published"].max()
    # Of one published value alone, ticks lie around it.
    room = (high - low or abs(high) or 1.0) / 20
    scale = alt.Scale(domain=[low - room, high + room], nice=False)
    x = alt.X("published:Q", title=f"Published {name}", scale=scale, axis=alt.Axis(tickCount=5))
    y_title = "Ours less the published number"
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
        opacity=alt.when(_SERIES.selection).then(alt.value(0.85)).otherwise(alt.value(0.1)),
    )
    zero = alt.Chart(data).mark_rule(strokeDash=[5, 3]).encode(y=alt.datum(0))
    bars = base.mark_rule(strokeWidth=1).encode(y=alt.Y("below:Q", title=y_title), y2="above:Q")
    points = base.mark_point(filled=True, size=34).encode(y="difference:Q", tooltip=tooltip)
    # The selection of the legend needs the colours of the first layer.
    return panel(alt.layer(bars, zero, points), f"{SIDES[side]}: {name}")
