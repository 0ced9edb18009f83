"""Test accuracy of networks over width and training-set size, and its gap to the limits at t = ∞.

The same numbers as in ``gap_to_infinite_width``, as two axes and a colour, so that one sees where
in the grid networks are near their limit.
"""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from ntk_mnist.charts.heat_maps import BAR_SPACE, Colours, cells
from ntk_mnist.charts.layouts import TWO_COLUMNS, Grid, Layout
from ntk_mnist.charts.observations import (
    ARCHITECTURE,
    Score,
    architectures_in,
    cautions,
    checked,
    gaps_to_limit,
    headings,
    kernels_in,
    of_architecture,
    score_of,
    subject,
    training,
)
from ntk_mnist.charts.panels import Panel, rows_of_panels
from ntk_mnist.charts.style import Figure, styled
from ntk_mnist.measures import FITTED

__all__ = ["CAPTION", "SECTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("network", "kernel")

SECTION: str = "Answer"

CAPTION: str = (
    "Over width and training-set size, the mean over seeds of networks' test accuracy, or squared "
    "error of real-valued targets, and what is left of it less that of each infinite-width limit "
    "at infinite time: white is no difference. A star marks cells in which a network has not "
    "fitted its training set."
)

_CELL = (*ARCHITECTURE, "width", "size")


def draw(tables: Mapping[str, pd.DataFrame], layout: Layout = TWO_COLUMNS) -> Figure:
    """A row of heat maps for each architecture: the networks, and their gap to each kernel.

    Args:
        tables: ``network`` and ``kernel``.
        layout: the page.

    Raises:
        ChartError: rows are repeated or not comparable, or a network has no limit.
    """
    networks, kernels = checked(tables, TABLES)
    score = score_of(networks, kernels)
    architectures, kinds = architectures_in(networks), kernels_in(kernels)
    values = _over_seeds(networks, networks, score.column)
    gaps = {
        kind: _over_seeds(gaps_to_limit(networks, tables["kernel"], score, kind), networks, "gap")
        for kind in kinds
    }
    grid = layout.grid(1 + len(kinds), len(architectures), BAR_SPACE, own_axes=True)
    of_values = Colours.within(values["value"])
    of_gaps = Colours.around_0([gap for table in gaps.values() for gap in table["value"]])
    rows: list[tuple[str, list[Panel], Grid]] = []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        of_networks = of_architecture(values, architecture)
        number = ".2f" if score.largest == 1 else "#.2g"
        panels = [
            cells(of_networks, score.title, of_values, number, _tooltip(score.title, score), grid)
        ]
        for kind, table in gaps.items():
            title = f"Networks minus {kind.upper()} at t = ∞"
            own = of_architecture(table, architecture)
            panels.append(cells(own, title, of_gaps, f"+{number}", _tooltip(title, score), grid))
        rows.append((heading, panels, grid))
    return styled(
        rows_of_panels(rows, []),
        layout,
        f"{score.title} of networks, and its gap to the infinite-width limit",
        [
            subject(networks, architectures),
            training(networks),
            *cautions(networks),
            *(["*: a network has not fitted its training set"] if values["mark"].any() else []),
        ],
        [
            "Heat maps over width and training-set size, a row for each architecture: the mean "
            "over seeds, and its difference from the limits",
            *(
                f"Networks minus {kind.upper()}: from {table['value'].min():{score.number}} to "
                f"{table['value'].max():{score.number}}"
                for kind, table in gaps.items()
            ),
        ],
    )


def _tooltip(title: str, score: Score) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("value:Q", title=title, format=score.number),
        alt.Tooltip("error:Q", title="Standard error of the mean", format=score.number),
        alt.Tooltip("seeds:Q", title="Seeds"),
        alt.Tooltip("train_accuracy:Q", title="Lowest train accuracy", format=".3f"),
    ]


def _over_seeds(table: pd.DataFrame, networks: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean and its standard error, and a star where a network has not fitted."""
    keys = list(_CELL)
    found = table.groupby(keys, as_index=False).agg(
        value=(column, "mean"), error=(column, "sem"), seeds=(column, "size")
    )
    fitted = networks.groupby(keys, as_index=False).agg(train_accuracy=("train_accuracy", "min"))
    joined = found.merge(fitted, on=keys, validate="1:1")
    # Real-valued targets have no accuracy, which is below nothing.
    starred = joined["train_accuracy"].astype(float) < FITTED
    return joined.assign(mark=starred.map({True: "*", False: ""}))
