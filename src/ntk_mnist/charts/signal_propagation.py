"""Do deep networks predict best where signals reach the last layer? (Lee et al. 2018, section 3.2)

Over the variances of weights and biases: test accuracy, likelihood at the best amplitude, and the
depth scale over which a deep network forgets how its inputs differ, with the line between order and
chaos (``infinite_width.phases``).
"""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ntk_mnist.charts.labels import counted
from ntk_mnist.charts.observations import architectures_in, checked, inputs_and_shared
from ntk_mnist.charts.panels import Panel, log_ticks, panel, rows_of_panels, sentence
from ntk_mnist.charts.style import Figure, Series, ramp, styled

__all__ = ["CAPTION", "TABLES", "draw"]

TABLES: tuple[str, ...] = ("evidence",)

CAPTION: str = (
    "Infinite-width kernels under the squared error over the variances of weights and biases: test "
    "accuracy, or squared error without classes; log marginal likelihood of the training labels "
    "with the kernel times its best amplitude, in nats for each image and output; and the depth "
    "scale, the number of layers in which the distance of a correlation from its limit falls by a "
    "factor of e. On the dashed line, χ₁ = 1, order meets chaos, and differences of inputs last "
    "the longest."
)

_Axis = TypeVar("_Axis", alt.X, alt.Y)

#: What makes a row of panels, beside the variances.
_ROW = ("activation", "depth", "size", "kernel")
_GRID = ("W_std", "b_std")
_LINE = Series("line", "Order meets chaos", [], ["χ₁ = 1"], columns=1)
_NO_GRID = "The evidence has no grid: W_std and b_std need two values each"
#: q* of the points of that line.
_ON_THE_LINE = np.geomspace(1e-4, 1e2, 1500)
#: A longer depth scale has the colour of this one, layers.
_LONGEST = 100.0
_COLOURS = 64
_UNKNOWN = "#dddddd"
#: The outline leaves no gap between neighbours.
_COLOUR: Mapping[str, Any] = {
    "fill": alt.Fill("colour:N", scale=None, legend=None),
    "stroke": alt.Stroke("colour:N", scale=None, legend=None),
}
#: Pixels of the bar that says what colours mean.
_BAR_WIDTH = 10


class _Quantity(NamedTuple):
    """What a panel shows.

    Attributes:
        column: of the cells.
        title: lines above the panel.
        logarithmic: whether its colours are.
    """

    column: str
    title: list[str]
    logarithmic: bool = False


_ACCURACY = _Quantity("test_accuracy", ["Test accuracy", ""])
#: Real-valued targets have no accuracy.
_SQUARED_ERROR = _Quantity("test_mse", ["Test squared error", ""], logarithmic=True)
_QUANTITIES = (
    _Quantity("likelihood", ["Log marginal likelihood", "nats an image and output"]),
    _Quantity("depth_scale", ["Depth scale", "layers"], logarithmic=True),
)


class _Colours(NamedTuple):
    """The colours of a quantity, from dark to light, between its lowest and highest value."""

    low: float
    high: float
    logarithmic: bool

    def of(self, value: float) -> str:
        """The colour of a value; grey if it is not known."""
        if math.isnan(value):
            return _UNKNOWN
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return ramp(_COLOURS)[round(part * (_COLOURS - 1))]

    @property
    def edges(self) -> list[float]:
        """Between the colours, and both ends."""
        spaced = np.geomspace if self.logarithmic else np.linspace
        return list(map(float, spaced(self.low, self.high, _COLOURS + 1)))


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """A row of panels for each activation, depth, size and kernel.

    Of an evidence in which ``W_std`` or ``b_std`` does not vary, a sentence that says so.

    Args:
        tables: ``evidence``.

    Raises:
        ChartError: rows are repeated or not comparable.
    """
    (table,) = checked(tables, TABLES)
    varied = [name for name in _ROW if table[name].nunique() > 1]
    shared = [_words(table.iloc[0], name) for name in ("size", "kernel") if name not in varied]
    images = counted(table.iloc[0]["test_size"], "test image")
    subject = [inputs_and_shared(table, architectures_in(table)), *shared, images]
    rows = (
        [("", [sentence(_NO_GRID, _LINE)])] if _has_no_grid(table) else _rows(_cells(table), varied)
    )
    return styled(
        rows_of_panels(rows, _LINE),
        "What deep networks predict in order and in chaos",
        [", ".join(subject), "Kernels minimize the squared error, t = ∞"],
    )


def _has_no_grid(table: pd.DataFrame) -> bool:
    return any(table[name].nunique() < 2 for name in _GRID)


def _rows(cells: pd.DataFrame, varied: list[str]) -> list[tuple[str, list[Panel]]]:
    first = _ACCURACY if cells["test_accuracy"].notna().any() else _SQUARED_ERROR
    quantities = (first, *_QUANTITIES)
    colours = {quantity.column: _colours(cells, quantity) for quantity in quantities}
    rows = []
    for _, own in cells.groupby(list(_ROW)):
        line = _critical_line(own)
        panels = [
            shown
            for quantity in quantities
            for scale in [colours[quantity.column]]
            for shown in (_heat_map(own, quantity, scale, line), _bar(scale))
        ]
        rows.append((", ".join(_words(own.iloc[0], name) for name in varied), panels))
    return rows


def _words(row: pd.Series, name: str) -> str:
    """A setting of a row of panels, such as ``tanh``, ``50 hidden layers`` or ``NNGP``."""
    nouns = {"depth": "hidden layer", "size": "training image"}
    if name in nouns:
        return counted(row[name], nouns[name])
    return str(row[name]).upper() if name == "kernel" else str(row[name])


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    """What the heat maps show, with the edges of the cells and what becomes of deep networks."""
    # Imported here, as they import JAX.
    from ntk_mnist.compilation import pinned
    from ntk_mnist.infinite_width.duals import DUALS
    from ntk_mnist.infinite_width.phases import phase

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
        variances = own["weights"].to_numpy(), own["biases"].to_numpy()
        with pinned(x64=True):
            found = phase(DUALS[str(activation)], *variances)
            parts.append(own.assign(**{k: np.asarray(v) for k, v in found._asdict().items()}))
    return pd.concat(parts)


def _edges(values: NDArray[np.float64]) -> dict[float, tuple[float, float]]:
    """From and to where each cell reaches: half-way to its neighbours, and not below 0."""
    ordered = sorted(map(float, values))
    between = [(a + b) / 2 for a, b in pairwise(ordered)]
    first, last = 2 * ordered[0] - between[0], 2 * ordered[-1] - between[-1]
    ends = [max(first, 0.0), *between, last]
    return dict(zip(ordered, pairwise(ends), strict=True))


def _critical_line(own: pd.DataFrame) -> pd.DataFrame:
    """Points of the line χ₁ = 1 within the heat map, from one end to the other."""
    from ntk_mnist.compilation import pinned
    from ntk_mnist.infinite_width.duals import DUALS
    from ntk_mnist.infinite_width.phases import critical_line

    with pinned(x64=True):
        found = critical_line(DUALS[own["activation"].iloc[0]], _ON_THE_LINE)
        weights, biases = map(np.asarray, found)
    bottom, top = own["biases_from"].min(), own["biases_to"].max()
    if np.allclose(biases / _ON_THE_LINE, 0, atol=1e-9):
        # Of degree 1: χ₁ does not depend on q.
        weights, biases = weights[:2], np.array([bottom, top])
    line = pd.DataFrame({"weights": weights, "biases": biases, "line": _LINE.limits[0]})
    right = own["weights_to"].max()
    within = line["biases"].between(bottom, top) & (line["weights"] <= right)
    return line[within & (line["weights"] >= own["weights_from"].min())]


def _colours(cells: pd.DataFrame, quantity: _Quantity) -> _Colours:
    values = cells[quantity.column].replace([-math.inf, math.inf], math.nan).dropna()
    low, high = (float(values.min()), float(values.max())) if len(values) else (1.0, 1.0)
    if quantity.logarithmic:
        high = min(high, _LONGEST)
        return _Colours(min(low, high / 2), high, logarithmic=True)
    return _Colours(low, high if high > low else low + 1, logarithmic=False)


def _heat_map(own: pd.DataFrame, quantity: _Quantity, scale: _Colours, line: pd.DataFrame) -> Panel:
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
        **_COLOUR,
        tooltip=tooltip,
    )
    between = alt.Chart(line).encode(
        x=_of("weights", x),
        y=_of("biases", y),
        order="biases:Q",
    )
    dashed = between.encode(
        **_LINE.encodings(),
        opacity=alt.when(_LINE.selection).then(alt.value(1)).otherwise(alt.value(0.12)),
    ).mark_line(strokeWidth=1.6)
    layers = alt.layer(
        # The selection of the legend needs the colours of the first layer; cells hide it.
        dashed,
        rectangles.mark_rect(strokeWidth=0.5),
        # Dashes show on dark cells too.
        between.mark_line(strokeWidth=3.2, color="white", opacity=0.8),
        dashed,
    )
    return panel(layers, quantity.title, square=True)


def _of(column: str, axis: _Axis) -> _Axis:
    """An axis of a column."""
    drawn = axis.copy(deep=False)
    drawn.shorthand = f"{column}:Q"
    return drawn


def _bar(scale: _Colours) -> Panel:
    """What the colours of the heat map beside it mean."""
    strips = pd.DataFrame(
        {"from": low, "to": high, "colour": scale.of((low + high) / 2)}
        for low, high in pairwise(scale.edges)
    )
    low, high = scale.low, scale.high
    axis = alt.Axis(orient="right", title=None, tickCount=5)
    if scale.logarithmic:
        axis = alt.Axis(orient="right", title=None, values=log_ticks(low, high, 180), format="~g")
    of_values = alt.Scale(
        type="log" if scale.logarithmic else "linear", domain=[low, high], nice=False
    )
    bar = (
        alt.Chart(strips)
        .mark_rect(strokeWidth=0.5)
        .encode(
            y=alt.Y("from:Q", scale=of_values, axis=axis),
            y2="to:Q",
            **_COLOUR,
        )
    )
    return panel(alt.layer(bar), ["", ""], square=True).properties(width=_BAR_WIDTH)
