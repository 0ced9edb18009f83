"""The train loss of networks from epoch to epoch.

The loss of an epoch is the mean over its images, each in its batch, before the step of that batch.
It says whether training has ended, and where it has not, networks are points on the way to a limit.
"""

from collections.abc import Mapping
from dataclasses import replace

import altair as alt
import numpy as np
import pandas as pd

from ntk_mnist.charts.labels import counted
from ntk_mnist.charts.layouts import TWO_COLUMNS, Grid, Layout
from ntk_mnist.charts.observations import (
    ARCHITECTURE,
    ChartError,
    architectures_in,
    checked,
    headings,
    of_architecture,
    over_seeds,
    subject,
    training,
)
from ntk_mnist.charts.panels import (
    FEW,
    Panel,
    has_bands,
    lines,
    log10_axis,
    panel,
    room_for_labels,
    rows_of_panels,
    unlabelled,
)
from ntk_mnist.charts.style import Figure, styled, width_series

__all__ = ["CAPTION", "SECTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("network",)

SECTION: str = "Training"

CAPTION: str = (
    "Mean train loss of each epoch's images in their batches against the epoch, a panel for each "
    "training-set size and a line for each width: mean and range over seeds. A line ends with the "
    "last epoch that all of its seeds were trained for. Of many epochs, some are drawn, evenly "
    "spaced on the log axis."
)

#: Epochs of a line, at most.
_POINTS = 60


def draw(tables: Mapping[str, pd.DataFrame], layout: Layout = TWO_COLUMNS) -> Figure:
    """A row of panels for each architecture, one for each training-set size.

    If many widths have bands, those of the narrowest and the widest are drawn. All panels have the
    same axes.

    Args:
        tables: ``network``.
        layout: the page.

    Raises:
        ChartError: rows are repeated or not comparable, or no network was trained by epochs.
    """
    (networks,) = checked(tables, TABLES)
    epochs = _epochs(networks)
    if epochs.empty:
        raise ChartError("the network table has no loss of an epoch; it is of networks by epochs")
    means = _means(epochs)
    series = replace(width_series(networks["width"], []), named="ends")
    some = len(series.finite) > FEW and has_bands(means)
    if some:
        few = means["width"].isin([means["width"].min(), means["width"].max()])
        means = means.assign(
            **{end: means[end].where(few, means["value"]) for end in ("low", "high")}
        )
    architectures, sizes = architectures_in(means), sorted(means["size"].unique())
    grid = layout.grid(len(sizes), len(architectures), room_for_labels(series))
    x = alt.X("epoch:Q", title="Epoch", **log10_axis(means["epoch"], grid.width))
    heights = [*means["low"], *means["high"]]
    y = alt.Y("value:Q", title="Train loss", **log10_axis(heights, grid.height))
    tooltip = [
        alt.Tooltip("epoch:Q", title="Epoch"),
        alt.Tooltip("value:Q", title="Train loss", format=".3e"),
        alt.Tooltip("low:Q", title="Lowest", format=".3e"),
        alt.Tooltip("high:Q", title="Highest", format=".3e"),
    ]
    rows: list[tuple[str, list[Panel], Grid]] = []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        own = of_architecture(means, architecture)
        panels = []
        for place, size in enumerate(sizes):
            of_place = y if grid.first(place) else unlabelled(y)
            drawn = lines(
                own[own["size"] == size], x, of_place, series, tooltip, grid, points=False
            )
            panels.append(panel(drawn, counted(size, "training image"), grid))
        rows.append((heading, panels, grid))
    note = ["Bands: the narrowest and the widest networks"] if some else []
    return styled(
        rows_of_panels(rows, series),
        layout,
        "Train loss of finite networks",
        [subject(networks, architectures), training(networks), *note],
        [
            "Train loss against the epoch, both on log axes, a panel for each training-set size "
            "and a line for each width",
            *(
                f"{counted(size, 'training image')}: after the last epoch "
                f"{ends.min():.2g} to {ends.max():.2g}"
                for size in sizes
                for ends in [
                    means[means["size"] == size]
                    .sort_values("epoch")
                    .groupby([*ARCHITECTURE, "width"])["value"]
                    .last()
                ]
            ),
        ],
    )


def _epochs(networks: pd.DataFrame) -> pd.DataFrame:
    """A row a network and epoch of those that are drawn, with the columns ``epoch`` and ``loss``.

    Epochs are counted from 1. Those after the last one of the shortest run of the same
    architecture, width and size are left out, so that a mean is of the same networks along a line.
    """
    keys = [*ARCHITECTURE, "width", "size"]
    losses = networks["epoch_train_loss"].map(lambda value: [] if value is None else list(value))
    trained = networks[[*keys, "seed"]].assign(loss=losses, last=losses.map(len))
    trained = trained.assign(last=trained.groupby(keys)["last"].transform("min"))
    trained = trained[trained["last"] > 0]
    rows = trained.assign(epoch=trained["last"].map(_drawn)).explode("epoch", ignore_index=True)
    values = [loss[epoch - 1] for loss, epoch in zip(rows["loss"], rows["epoch"], strict=True)]
    rows = rows.assign(loss=pd.Series(values, dtype=float), epoch=rows["epoch"].astype(int))
    # A log axis has no place for others; a network that diverged ends there.
    return rows[(rows["loss"] > 0) & np.isfinite(rows["loss"])]


def _drawn(last: int) -> list[int]:
    """The epochs that are drawn of so many, the first and the last among them."""
    return [int(epoch) for epoch in np.unique(np.geomspace(1, last, _POINTS).round())]


def _means(epochs: pd.DataFrame) -> pd.DataFrame:
    found = over_seeds(epochs, "loss", by=["epoch"])
    return found.assign(width_label=found["width"].astype(str))
