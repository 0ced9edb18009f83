"""Do deep networks predict best where signals reach the last layer? (Lee et al. 2018, section 3.2)

Over the variances of weights and biases: test accuracy, likelihood at the best amplitude, and the
depth scale over which a deep network forgets how its inputs differ, with the line between order and
chaos (``infinite_width.phases``).
"""

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import NamedTuple, TypeVar

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ntk_mnist.charts.heat_maps import BAR_SPACE, COLOUR, Colours, with_bar
from ntk_mnist.charts.labels import counted
from ntk_mnist.charts.layouts import TWO_COLUMNS, Grid, Layout
from ntk_mnist.charts.observations import architectures_in, checked, inputs_and_shared
from ntk_mnist.charts.panels import Panel, panel, rows_of_panels, sentence
from ntk_mnist.charts.style import Figure, Series, styled

__all__ = ["CAPTION", "SECTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("evidence",)

SECTION: str = "Evidence"

CAPTION: str = (
    "Infinite-width kernels under the squared error over the variances of weights and biases: test "
    "accuracy, or squared error without classes; log marginal likelihood of the training labels "
    "with the kernel times its best amplitude, in nats for each image and output; and the depth "
    "scale, the number of layers in which the distance of a correlation from its limit falls by a "
    "factor of e. On the dashed line, χ = 1, order meets chaos, and differences of inputs last "
    "the longest."
)

_Axis = TypeVar("_Axis", alt.X, alt.Y)

#: What makes a row of panels, beside the variances.
_ROW = ("activation", "depth", "size", "kernel")
_GRID = ("W_std", "b_std")
_LINE = Series("line", "Order meets chaos", [], ["χ = 1"], columns=1)
_NO_GRID = "The evidence has no grid: W_std and b_std need two values each"
#: q* of the points of that line.
_ON_THE_LINE = np.geomspace(1e-4, 1e2, 1500)
#: A longer depth scale has the colour of this one, layers.
_LONGEST = 100.0


class _Quantity(NamedTuple):
    """What a panel shows.

    Attributes:
        column: of the cells.
        title: of the panel.
        unit: below it.
        logarithmic: whether its colours are.
    """

    column: str
    title: str
    unit: str
    logarithmic: bool = False


_ACCURACY = _Quantity("test_accuracy", "Test accuracy", "of classes")
#: Real-valued targets have no accuracy.
_SQUARED_ERROR = _Quantity("test_mse", "Test squared error", "mean over outputs", logarithmic=True)
_QUANTITIES = (
    _Quantity("likelihood", "Log marginal likelihood", "nats an image and output"),
    _Quantity("depth_scale", "Depth scale", "layers", logarithmic=True),
)


def draw(tables: Mapping[str, pd.DataFrame], layout: Layout = TWO_COLUMNS) -> Figure:
    """A row of panels for each activation, depth, size and kernel.

    Of an evidence in which ``W_std`` or ``b_std`` does not vary, a sentence that says so.

    Args:
        tables: ``evidence``.
        layout: the page.

    Raises:
        ChartError: rows are repeated or not comparable.
    """
    (table,) = checked(tables, TABLES)
    varied = [name for name in _ROW if table[name].nunique() > 1]
    shared = [_words(table.iloc[0], name) for name in ("size", "kernel") if name not in varied]
    images = counted(table.iloc[0]["test_size"], "test image")
    subject = [inputs_and_shared(table, architectures_in(table)), *shared, images]
    if _has_no_grid(table):
        rows = [("", [sentence(_NO_GRID, _LINE, layout)], layout.grid(1))]
    else:
        rows = _rows(_cells(table), varied, layout)
    return styled(
        rows_of_panels(rows, _LINE),
        layout,
        "What deep networks predict in order and in chaos",
        [", ".join(subject), "Kernels minimize the squared error, t = ∞"],
        ["No grid to draw"] if _has_no_grid(table) else _shown(table),
    )


def _shown(table: pd.DataFrame) -> list[str]:
    """What the panels are, and the best cell of each activation."""
    column, best = ("test_accuracy", "idxmax")
    if table[column].isna().all():
        column, best = ("test_mse", "idxmin")
    words = column.replace("_", " ").replace("mse", "squared error")
    found = []
    for activation, own in table.dropna(subset=[column]).groupby("activation"):
        row = own.loc[getattr(own[column], best)()]
        found.append(
            f"{activation}: best {words} {row[column]:.3g} at W_std {row['W_std']:.3g}, "
            f"b_std {row['b_std']:.3g}"
        )
    return [
        f"Heat maps over the variances of weights and biases: {words}, log marginal likelihood and "
        "depth scale, with the line between order and chaos",
        *found,
    ]


def _has_no_grid(table: pd.DataFrame) -> bool:
    return any(table[name].nunique() < 2 for name in _GRID)


def _rows(
    cells: pd.DataFrame, varied: list[str], layout: Layout
) -> list[tuple[str, list[Panel], Grid]]:
    # Side by side where two columns have room for all, else one below the other.
    grid = layout.grid(3, 1 if layout.panels > 2 else 2, BAR_SPACE, own_axes=True, square=True)
    grid = grid if grid.across in (1, 3) else layout.grid(1, 1, BAR_SPACE, square=True)
    first = _ACCURACY if cells["test_accuracy"].notna().any() else _SQUARED_ERROR
    quantities = (first, *_QUANTITIES)
    colours = {quantity.column: _colours(cells, quantity) for quantity in quantities}
    rows = []
    for _, own in cells.groupby(list(_ROW)):
        line = _critical_line(own)
        panels = [
            _heat_map(own, quantity, colours[quantity.column], line, grid)
            for quantity in quantities
        ]
        rows.append((", ".join(_words(own.iloc[0], name) for name in varied), panels, grid))
    return rows


def _words(row: pd.Series, name: str) -> str:
    """A setting of a row of panels, such as ``tanh``, ``50 hidden layers`` or ``NNGP``."""
    nouns = {"depth": "hidden layer", "size": "training image"}
    if name in nouns:
        return counted(row[name], nouns[name])
    return str(row[name]).upper() if name == "kernel" else str(row[name])


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    """What the heat maps show, with the edges of the cells and what becomes of deep networks."""
    count = table["size"] * table["outputs"]
    cells = table[[*_ROW, *_GRID, "test_accuracy", "test_mse"]].assign(
        weights=table["W_std"] ** 2,
        biases=table["b_std"] ** 2,
        likelihood=table["maximized_log_marginal_likelihood"] / count,
    )
    for axis in ("weights", "biases"):
        edges = _edges(cells[axis].unique())
        cells[f"{axis}_from"] = cells[axis].map(lambda value, e=edges: e[value][0])
        cells[f"{axis}_to"] = cells[axis].map(lambda value, e=edges: e[value][1])
    parts = []
    for activation, own in cells.groupby("activation"):
        found = _phase(str(activation), tuple(own["weights"]), tuple(own["biases"]))
        parts.append(own.assign(**found))
    return pd.concat(parts)


# Drawn once for each layout.
@cache
def _phase(
    activation: str, weights: tuple[float, ...], biases: tuple[float, ...]
) -> dict[str, NDArray[np.float64]]:
    # Imported here, as they import JAX.
    from ntk_mnist.compilation import pinned
    from ntk_mnist.infinite_width.duals import DUALS
    from ntk_mnist.infinite_width.phases import phase

    with pinned(x64=True):
        found = phase(DUALS[activation], np.array(weights), np.array(biases))
        return {name: np.asarray(values) for name, values in found._asdict().items()}


@cache
def _line_of(activation: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from ntk_mnist.compilation import pinned
    from ntk_mnist.infinite_width.duals import DUALS
    from ntk_mnist.infinite_width.phases import critical_line

    with pinned(x64=True):
        weights, biases = map(np.asarray, critical_line(DUALS[activation], _ON_THE_LINE))
        return weights, biases


def _edges(values: NDArray[np.float64]) -> dict[float, tuple[float, float]]:
    """From and to where each cell reaches: half-way to its neighbours, and not below 0."""
    ordered = sorted(map(float, values))
    between = [(a + b) / 2 for a, b in pairwise(ordered)]
    first, last = 2 * ordered[0] - between[0], 2 * ordered[-1] - between[-1]
    ends = [max(first, 0.0), *between, last]
    return dict(zip(ordered, pairwise(ends), strict=True))


def _critical_line(own: pd.DataFrame) -> pd.DataFrame:
    """Points of the line χ₁ = 1 within the heat map, from one end to the other."""
    weights, biases = _line_of(own["activation"].iloc[0])
    bottom, top = own["biases_from"].min(), own["biases_to"].max()
    if np.allclose(biases / _ON_THE_LINE, 0, atol=1e-9):
        # Of degree 1: χ₁ does not depend on q.
        weights, biases = weights[:2], np.array([bottom, top])
    line = pd.DataFrame({"weights": weights, "biases": biases, "line": _LINE.limits[0]})
    right = own["weights_to"].max()
    within = line["biases"].between(bottom, top) & (line["weights"] <= right)
    return line[within & (line["weights"] >= own["weights_from"].min())]


def _colours(cells: pd.DataFrame, quantity: _Quantity) -> Colours:
    found = Colours.within(cells[quantity.column], logarithmic=quantity.logarithmic)
    if not quantity.logarithmic:
        return found
    high = min(found.high, _LONGEST)
    return found._replace(low=min(found.low, high / 2), high=high)


def _heat_map(
    own: pd.DataFrame, quantity: _Quantity, scale: Colours, line: pd.DataFrame, grid: Grid
) -> Panel:
    cells = own.assign(
        colour=own[quantity.column].map(scale.of),
        # A number that is not finite is null in a page.
        fixed_variance=own["variance"].map(lambda value: f"{value:.3g}"),
        layers=own["depth_scale"].map(lambda value: f"{value:.3g}"),
    )
    x = alt.X(
        title="σ_w²",
        scale=alt.Scale(domain=[own["weights_from"].min(), own["weights_to"].max()], nice=False),
        axis=alt.Axis(grid=False, tickCount=5),
    )
    y = alt.Y(
        title="σ_b²",
        scale=alt.Scale(domain=[own["biases_from"].min(), own["biases_to"].max()], nice=False),
        axis=alt.Axis(grid=False, tickCount=5),
    )
    tooltip = [
        alt.Tooltip("W_std:Q", title="W_std", format=".4~g"),
        alt.Tooltip("b_std:Q", title="b_std", format=".4~g"),
        alt.Tooltip("test_accuracy:Q", title="Test accuracy", format=".3f"),
        alt.Tooltip("test_mse:Q", title="Test squared error", format=".4g"),
        alt.Tooltip("likelihood:Q", title="Nats an image and output", format=".4f"),
        alt.Tooltip("fixed_variance:N", title="q*"),
        alt.Tooltip("slope:Q", title="χ₁", format=".4f"),
        alt.Tooltip("correlation:Q", title="c*", format=".4f"),
        alt.Tooltip("layers:N", title="Depth scale, layers"),
    ]
    rectangles = alt.Chart(cells).encode(
        x=_of("weights_from", x),
        x2="weights_to:Q",
        y=_of("biases_from", y),
        y2="biases_to:Q",
        **COLOUR,
        tooltip=tooltip,
    )
    between = alt.Chart(line).encode(
        x=_of("weights", x),
        y=_of("biases", y),
        order="biases:Q",
    )
    dashed = between.encode(
        **_LINE.encodings(),
        opacity=_LINE.opacity,
    ).mark_line(strokeWidth=1.6)
    layers = alt.layer(
        # The selection of the legend needs the colours of the first layer; cells hide it.
        dashed,
        rectangles.mark_rect(strokeWidth=0.5),
        # Dashes show on dark cells too.
        between.mark_line(strokeWidth=3.2, color="white", opacity=0.8),
        dashed,
    )
    return panel(with_bar(layers, scale, grid), quantity.title, grid, [quantity.unit])


def _of(column: str, axis: _Axis) -> _Axis:
    """An axis of a column."""
    drawn = axis.copy(deep=False)
    drawn.shorthand = f"{column}:Q"
    return drawn
