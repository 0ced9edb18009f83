"""Test accuracy of networks against width, next to the NTK's at the same gradient-flow time.

Networks and NTK take the same steps of gradient descent on the same loss, so that networks
converge to the dashed line as they widen. Their test images are the same too. An error that these
images make is therefore mostly common to both: whether a gap is more than that follows from its
paired error, which stands above each panel, and not from the grey band.
"""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from ntk_mnist.charts.labels import counted, limit_label, time_label
from ntk_mnist.charts.layouts import TWO_COLUMNS, Grid, Layout
from ntk_mnist.charts.observations import (
    ARCHITECTURE,
    architectures_in,
    checked_like_for_like,
    gradient_descent,
    half_interval,
    headings,
    of_architecture,
    seeds_in_words,
    subject,
)
from ntk_mnist.charts.panels import (
    Panel,
    interval_tooltip,
    linear_axis,
    lines,
    log2_axis,
    panel,
    rows_of_panels,
    unlabelled,
)
from ntk_mnist.charts.style import Figure, Series, styled
from ntk_mnist.comparison.binomial import wilson_interval

__all__ = ["CAPTION", "SECTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("ensemble",)

SECTION: str = "Answer"

CAPTION: str = (
    "Test accuracy against width after the last step: finite networks, the ensemble of their mean "
    "predictions, and the NTK's prediction after the same steps of gradient descent on the squared "
    "error. Grey is the 95 % interval of the NTK's accuracy by the number of test images."
)

_NETWORKS, _ENSEMBLE, _LIMIT = "mean of networks", "ensemble", limit_label("ntk")
_SERIES = Series("series", "Test accuracy of", [_NETWORKS, _ENSEMBLE], [_LIMIT], columns=3)


def draw(tables: Mapping[str, pd.DataFrame], layout: Layout = TWO_COLUMNS) -> Figure:
    """A row of panels for each architecture, a panel for each training-set size.

    The band of the networks is the 95 % confidence interval of their mean by Student's t over
    seeds. All panels have the same axes.

    Args:
        tables: ``ensemble``.
        layout: the page.

    Raises:
        ChartError: rows are repeated, not comparable or not like for like.
    """
    (ensembles,) = checked_like_for_like(tables, TABLES)
    time = ensembles["time"].max()
    ensembles = ensembles[ensembles["time"] == time]
    data, bands = _of_series(ensembles), _of_test_images(ensembles)
    architectures, sizes = architectures_in(ensembles), sorted(ensembles["size"].unique())
    grid = layout.grid(len(sizes), len(architectures))
    x = log2_axis("width", "Width", ensembles["width"], grid.width)
    heights = pd.concat([*(data[c] for c in ("value", "low", "high")), bands["low"], bands["high"]])
    labelled = alt.Y("value:Q", title="Test accuracy", **linear_axis(heights, grid.height))
    rows: list[tuple[str, list[Panel], Grid]] = []
    for architecture, heading in zip(architectures, headings(architectures), strict=True):
        panels: list[Panel] = []
        for size in sizes:
            y = labelled if grid.first(len(panels)) else unlabelled(labelled)
            own, band, measured = (
                of_architecture(table[table["size"] == size], architecture)
                for table in (data, bands, ensembles)
            )
            grey = alt.Chart(band).mark_area(color="#bbb", opacity=0.25)
            lowest = y.copy()
            lowest.shorthand = "low:Q"
            grey = grey.encode(x=x, y=lowest, y2="high:Q")
            drawn = lines(own, x, y, _SERIES, _TOOLTIP, grid, [grey])
            panels.append(panel(drawn, counted(size, "training image"), grid, [_gap(measured)]))
        rows.append((heading, panels, grid))
    return styled(
        rows_of_panels(rows, _SERIES),
        layout,
        f"Test accuracy of finite networks and of the NTK at t = {time_label(time)}",
        [
            subject(ensembles, architectures),
            *gradient_descent(ensembles),
            f"Networks: mean over {seeds_in_words(ensembles['seeds'])} and its 95 % interval",
            "Grey: 95 % interval of the NTK's accuracy by the number of test images; "
            "±: standard error over them",
        ],
        [
            "Test accuracy against width, a panel for each training-set size, with lines for the "
            "mean of the networks, for their ensemble and for the NTK",
            *(
                f"{counted(int(widest['size']), 'training image')}: width {widest['width']:,} "
                f"{widest['network_accuracy']:.3f}, ensemble {widest['ensemble_accuracy']:.3f}, "
                f"NTK {widest['limit_accuracy']:.3f}"
                for _, widest in ensembles[
                    ensembles["width"] == ensembles["width"].max()
                ].iterrows()
            ),
        ],
    )


_TOOLTIP = (
    *interval_tooltip("Test accuracy", ".4f"),
    alt.Tooltip("accuracy_gap:Q", title="Networks minus NTK", format=".4f"),
    alt.Tooltip("accuracy_gap_error:Q", title="Standard error of that", format=".4f"),
)


def _of_series(ensembles: pd.DataFrame) -> pd.DataFrame:
    """Networks, ensemble and NTK, with the columns ``series``, ``value``, ``low`` and ``high``."""
    kept = [*ARCHITECTURE, "width", "size", "seeds"]
    half = half_interval(ensembles["network_accuracy_error"].astype(float), ensembles["seeds"])
    networks = ensembles[[*kept, "accuracy_gap", "accuracy_gap_error"]].assign(
        series=_NETWORKS,
        value=ensembles["network_accuracy"],
        low=(ensembles["network_accuracy"] - half).clip(lower=0.0),
        high=(ensembles["network_accuracy"] + half).clip(upper=1.0),
    )
    others = [
        ensembles[kept].assign(series=series, value=ensembles[column])
        for series, column in ((_ENSEMBLE, "ensemble_accuracy"), (_LIMIT, "limit_accuracy"))
    ]
    return pd.concat([networks, *others], ignore_index=True)


def _of_test_images(ensembles: pd.DataFrame) -> pd.DataFrame:
    """The band around the NTK's accuracy: Wilson's interval of the number of test images."""
    intervals = [
        wilson_interval(accuracy, images)
        for accuracy, images in zip(
            ensembles["limit_accuracy"], ensembles["test_size"], strict=True
        )
    ]
    return ensembles[[*ARCHITECTURE, "width", "size"]].assign(
        low=[low for low, _ in intervals], high=[high for _, high in intervals]
    )


def _gap(ensembles: pd.DataFrame) -> str:
    """What stands above a panel: the gap of its widest networks, with its paired error."""
    (widest,) = ensembles.nlargest(1, "width").to_dict("records")
    gap, error = (f"{100 * widest[c]:.1f}" for c in ("accuracy_gap", "accuracy_gap_error"))
    return f"width {widest['width']:,} minus NTK: {gap.replace('-', '−')} ± {error} points"
