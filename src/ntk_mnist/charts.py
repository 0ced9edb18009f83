"""Tables in, Altair charts out.

A chart is a function of the two aggregated tables. Series are told apart by lightness, so
that they keep their order in grey print, and the infinite-width limit by a black dashed or
dotted line. In the browser every point has a tooltip and a click on a legend entry
highlights its series.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import altair as alt
import pandas as pd

from ntk_mnist.calibration import Calibration
from ntk_mnist.datasets import CATALOGUE

__all__ = ["CHARTS", "Figure", "calibration", "comparison", "gap_to_infinite_width"]

# Altair leaves open which of the two a layer is.
Panel: TypeAlias = alt.LayerChart | alt.FacetChart
Figure: TypeAlias = alt.HConcatChart | alt.VConcatChart

# Three panels and their axes make 7 inches, a double column, at 8-point type.
_PANEL = {"width": 180, "height": 210}
_FONT = "Helvetica, Arial, Liberation Sans, sans-serif"
# Viridis without its lightest end, which vanishes on paper.
_RAMP = ("#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#a5cf2f")
_KERNEL_NAMES = {"nngp": "NNGP", "ntk": "NTK"}
_INFINITE_DASHES = {"nngp": [7, 3], "ntk": [2, 2]}
_SOLID = [1, 0]


@dataclass(frozen=True)
class _Series:
    """A legend: its labels in order, found in ``field``, each with a colour and dashes."""

    field: str
    title: str
    labels: Sequence[str]
    colours: Sequence[str]
    dashes: Sequence[Sequence[int]]
    columns: int

    @property
    def chosen(self) -> alt.Parameter:
        """The selection by a click on the legend, for whole groups of panels."""
        # Prefixed, as Vega has signals of its own, `width` among them.
        return alt.selection_point(name=f"chosen_{self.field}", fields=[self.field], bind="legend")

    def encodings(self) -> dict[str, Any]:
        """Colour and dash over one domain, so that Vega draws one legend for both."""
        domain = list(self.labels)
        legend = alt.Legend(
            title=self.title,
            orient="bottom",
            columns=self.columns,
            symbolType="stroke",
            symbolSize=300,
            symbolOpacity=1,
            symbolLimit=0,
        )
        return {
            "color": alt.Color(
                f"{self.field}:N",
                sort=domain,
                legend=legend,
                scale=alt.Scale(domain=domain, range=list(self.colours)),
            ),
            "strokeDash": alt.StrokeDash(
                f"{self.field}:N",
                sort=domain,
                legend=legend,
                scale=alt.Scale(domain=domain, range=[list(d) for d in self.dashes]),
            ),
        }


def comparison(networks: pd.DataFrame, kernels: pd.DataFrame) -> Figure:
    """Test accuracy against training-set size: kernels over time, networks over width.

    The notebook's figure, with a panel for each kernel where the notebook shows NNGP as
    "NTK". Networks of several seeds are drawn by their mean with a band from the lowest to
    the highest.

    Args:
        networks: the ``nn`` table.
        kernels: the ``kernel`` table.
    """
    times = sorted(kernels["time"].unique())
    finite = [t for t in times if math.isfinite(t)]
    time_series = _Series(
        "time_label",
        "Gradient-flow time",
        [_time_label(t) for t in times],
        [*_ramp(len(finite)), "black"],
        [*[_SOLID] * len(finite), _INFINITE_DASHES["nngp"]],
        columns=4,
    )
    kinds = _kinds(kernels)
    kernel_data = kernels.assign(
        time_label=kernels["time"].map(_time_label), mean=kernels["test_accuracy"]
    )
    kernel_panels = [
        _accuracy_panel(
            kernel_data[kernel_data["kernel"] == kind],
            time_series,
            f"Infinite width, {_KERNEL_NAMES[kind]}",
            y_title="Test accuracy" if i == 0 else None,
        )
        for i, kind in enumerate(kinds)
    ]

    widths = sorted(networks["width"].unique())
    width_series = _Series(
        "width_label",
        "Width",
        [*map(str, widths), *[_infinite_label(kind) for kind in kinds]],
        [*_ramp(len(widths)), *["black"] * len(kinds)],
        [*[_SOLID] * len(widths), *[_INFINITE_DASHES[kind] for kind in kinds]],
        columns=3,
    )
    limit = kernels[kernels["time"] == math.inf]
    limit = limit.assign(
        width_label=limit["kernel"].map(_infinite_label), mean=limit["test_accuracy"]
    )
    network_data = _over_seeds(networks, "test_accuracy").assign(
        width_label=lambda table: table["width"].astype(str)
    )
    network_panel = _accuracy_panel(
        pd.concat([network_data, limit[["size", "width_label", "mean"]]]),
        width_series,
        "Finite width",
        y_title=None,
    )
    left = _side_by_side(kernel_panels, time_series)
    right = _side_by_side([network_panel], width_series)
    both = alt.hconcat(left, right, spacing=10)
    both = both.resolve_scale(color="independent", strokeDash="independent")
    return _styled(
        both, _of_networks(networks), "Test accuracy of finite and infinitely wide networks"
    )


def gap_to_infinite_width(networks: pd.DataFrame, kernels: pd.DataFrame) -> Figure:
    """How far below or above its infinite-width limit a network's test accuracy lies.

    Accuracy of the network less that of the kernel at t = ∞, against width, a line a
    training-set size and a panel a kernel.

    Args:
        networks: the ``nn`` table.
        kernels: the ``kernel`` table.
    """
    limit = kernels[kernels["time"] == math.inf].set_index(["kernel", "size"])["test_accuracy"]
    series = _size_series(networks)
    x = _log2_axis("width", "Width", networks["width"].unique())
    kinds = _kinds(kernels)
    data = {}
    for kind in kinds:
        gap = networks["test_accuracy"] - networks["size"].map(limit[kind])
        table = _over_seeds(networks.assign(gap=gap), "gap")
        data[kind] = table.assign(size_label=table["size"].astype(str))
    # All panels on one scale, with the line of no gap in sight.
    lows, highs = zip(*((t["low"].min(), t["high"].max()) for t in data.values()), strict=True)
    scale = alt.Scale(domain=[min(*lows, 0), max(*highs, 0)], nice=True)
    panels = []
    for i, kind in enumerate(kinds):
        title = "Test accuracy, network less limit" if i == 0 else None
        y = alt.Y("mean:Q", title=title, scale=scale, axis=alt.Axis())
        zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(
            color="black", strokeDash=_INFINITE_DASHES["nngp"]
        )
        lines = _lines(data[kind], x, y, series, "width", ("Width", "Network less limit"))
        panels.append(
            alt.layer(zero.encode(y=alt.Y("zero:Q", scale=scale)), lines).properties(
                title=_panel_title(f"Limit: {_KERNEL_NAMES[kind]} at t = ∞"), **_PANEL
            )
        )
    return _styled(
        _side_by_side(panels, series),
        _of_networks(networks),
        "Finite width against the infinite-width limit",
    )


def calibration(networks: pd.DataFrame, kernels: pd.DataFrame) -> Figure:
    """Does a kernel's predictive variance at t = ∞ tell where it errs? (Lee et al. 2018, fig. 3)

    Above, squared error against variance, in twentieths of the test images; below, the accuracy
    of the most certain images against what fraction of all they are. A line a training-set size
    and a column a kernel.

    Args:
        networks: the ``nn`` table, of which this chart shows nothing.
        kernels: the ``kernel`` table.
    """
    names = [f"calibration_{name}" for name in Calibration._fields]
    table = kernels[kernels["time"] == math.inf].explode(names)
    table[names] = table[names].astype(float)
    table["size_label"] = table["size"].astype(str)
    series = _size_series(table)
    rows: list[list[Panel]] = [[], []]
    for kind in _kinds(kernels):
        of_kind = table[table["kernel"] == kind]
        first = not rows[0]
        # Where an image is in the training set, the variance is that of rounding.
        shown = of_kind[of_kind["calibration_variance"] > 0]
        rows[0].append(
            _lines(
                shown.assign(mean=shown["calibration_squared_error"]),
                alt.X(
                    "calibration_variance:Q",
                    title="Predictive variance",
                    scale=alt.Scale(type="log"),
                    axis=alt.Axis(format="~e", tickCount=4),
                ),
                alt.Y(
                    "mean:Q",
                    title="Squared error" if first else None,
                    scale=alt.Scale(type="log"),
                    axis=alt.Axis(format="~e", tickCount=4),
                ),
                series,
                "calibration_variance",
                ("Predictive variance", "Squared error"),
                formats=(".2e", ".2e"),
            ).properties(title=_panel_title(f"{_KERNEL_NAMES[kind]}, groups of images"), **_PANEL)
        )
        rows[1].append(
            _lines(
                of_kind.assign(mean=of_kind["calibration_accuracy"]),
                alt.X(
                    "calibration_fraction:Q",
                    title="Most certain fraction of the test images",
                    scale=alt.Scale(domain=[0, 1]),
                    axis=alt.Axis(format=".1f", tickCount=5),
                ),
                alt.Y(
                    "mean:Q",
                    title="Test accuracy" if first else None,
                    scale=alt.Scale(zero=False),
                    axis=alt.Axis(),
                ),
                series,
                "calibration_fraction",
                ("Fraction", "Accuracy"),
                formats=(".3f", ".3f"),
            ).properties(title=_panel_title(f"{_KERNEL_NAMES[kind]}, the most certain"), **_PANEL)
        )
    above, below = alt.hconcat(*rows[0], spacing=10), _side_by_side(rows[1], series)
    title = "Calibration of the infinite-width limit"
    return _styled(alt.vconcat(above, below), _of_experiment(kernels), title)


#: The charts by the name of their files.
CHARTS: Mapping[str, Callable[[pd.DataFrame, pd.DataFrame], Figure]] = {
    "comparison": comparison,
    "gap_to_infinite_width": gap_to_infinite_width,
    "calibration": calibration,
}


def _accuracy_panel(data: pd.DataFrame, series: _Series, title: str, y_title: str | None) -> Panel:
    x = _log2_axis("size", "Training-set size", data["size"].unique())
    y = alt.Y(
        "mean:Q",
        title=y_title,
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".1f"),
    )
    chart = _lines(data, x, y, series, "size", ("Training-set size", "Accuracy"))
    return chart.properties(title=_panel_title(title), **_PANEL)


def _size_series(table: pd.DataFrame) -> _Series:
    sizes = sorted(table["size"].unique())
    return _Series(
        "size_label",
        "Training-set size",
        [*map(str, sizes)],
        _ramp(len(sizes)),
        [_SOLID] * len(sizes),
        columns=6,
    )


def _side_by_side(panels: Sequence[Panel], series: _Series) -> alt.HConcatChart:
    """Panels that share a legend, and the selection that a click on it makes."""
    # In one panel the selection is defined, in all of them it is heeded.
    first, *others = panels
    return alt.hconcat(first.add_params(series.chosen), *others, spacing=10)


def _panel_title(title: str) -> alt.Title:
    return alt.Title(title, anchor="middle", fontSize=12, fontWeight="normal")


def _lines(
    data: pd.DataFrame,
    x: alt.X,
    y: alt.Y,
    series: _Series,
    x_field: str,
    tooltip_names: tuple[str, str],
    formats: tuple[str, str] = (",", ".3f"),
) -> Panel:
    """Lines with points, bands where several seeds differ, and a legend that highlights."""
    base = alt.Chart(data).encode(
        x,
        y,
        **series.encodings(),
        opacity=alt.when(series.chosen).then(alt.value(1)).otherwise(alt.value(0.12)),
    )
    tooltip = [
        alt.Tooltip(f"{series.field}:N", title=series.title),
        alt.Tooltip(f"{x_field}:Q", title=tooltip_names[0], format=formats[0]),
        alt.Tooltip("mean:Q", title=tooltip_names[1], format=formats[1]),
    ]
    layers = [
        base.mark_line(strokeWidth=1.8),
        base.mark_point(filled=True, size=22).encode(tooltip=tooltip, strokeDash=alt.value(_SOLID)),
    ]
    if "low" in data and (data["low"] < data["high"]).any():
        band = base.mark_area(strokeWidth=0).encode(
            alt.Y("low:Q"), alt.Y2("high:Q"), opacity=alt.value(0.18)
        )
        layers.insert(0, band)
    return alt.layer(*layers)


def _log2_axis(field: str, title: str, values: Iterable[Any]) -> alt.X:
    ticks = sorted(int(value) for value in values)
    return alt.X(
        f"{field}:Q",
        title=title,
        scale=alt.Scale(type="log", base=2, domain=[ticks[0], ticks[-1]], nice=False, padding=8),
        axis=alt.Axis(values=ticks, format="d", labelOverlap="greedy", labelSeparation=3),
    )


def _over_seeds(networks: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean, lowest and highest of ``column`` over the seeds of each width and size."""
    groups = networks.groupby(["width", "size"], as_index=False)
    return groups.agg(mean=(column, "mean"), low=(column, "min"), high=(column, "max"))


def _styled(chart: Figure, subtitle: str, title: str) -> Figure:
    return (
        chart.properties(title=alt.Title(title, subtitle=subtitle))
        .configure(font=_FONT, background="white")
        .configure_title(anchor="start", fontSize=14, subtitleFontSize=11.5, subtitleColor="#444")
        .configure_axis(
            labelFontSize=11,
            titleFontSize=12,
            titleFontWeight="normal",
            grid=True,
            gridColor="#e6e6e6",
        )
        .configure_legend(labelFontSize=11, titleFontSize=11.5, titleFontWeight="normal")
        .configure_view(stroke="#bbb")
    )


def _of_experiment(table: pd.DataFrame) -> str:
    """What all cells of a table share."""
    one = table.iloc[0]
    images = "image" if one["test_size"] == 1 else "images"
    layers = "hidden layer" if one["depth"] == 1 else "hidden layers"
    return (
        f"{CATALOGUE[one['dataset']].title}, {one['depth']} {layers}, {one['activation']}, "
        f"{one['test_size']:,} test {images}"
    )


def _of_networks(networks: pd.DataFrame) -> str:
    """The same, and how the networks were trained."""
    seeds = networks["seed"].nunique()
    text = f"{_of_experiment(networks)}, {networks['epochs'].iloc[0]} epochs"
    return text if seeds == 1 else f"{text}; mean and range over {seeds} seeds"


def _kinds(kernels: pd.DataFrame) -> list[str]:
    return [kind for kind in _KERNEL_NAMES if (kernels["kernel"] == kind).any()]


def _infinite_label(kind: str) -> str:
    return f"∞ ({_KERNEL_NAMES[kind]})"


def _time_label(time: float) -> str:
    """``1e3``, ``2.5e3``, ``0.5`` or ``∞``; superscripts are not in every font."""
    if math.isinf(time):
        return "∞"
    _, digits, exponent = Decimal(repr(float(time))).normalize().as_tuple()
    power = len(digits) + int(exponent) - 1
    if power < 1:
        return f"{time!r}".removesuffix(".0")
    mantissa = "".join(map(str, digits))
    return f"{mantissa[0]}{'.' if mantissa[1:] else ''}{mantissa[1:]}e{power}"


def _ramp(count: int) -> list[str]:
    """``count`` colours from dark to light, evenly along the ramp."""
    stops = [tuple(int(stop[i : i + 2], 16) for i in (1, 3, 5)) for stop in _RAMP]
    colours = []
    for k in range(count):
        position = k * (len(stops) - 1) / max(count - 1, 1)
        low = min(int(position), len(stops) - 2)
        weight = position - low
        mixed = [
            round(a + (b - a) * weight) for a, b in zip(stops[low], stops[low + 1], strict=True)
        ]
        colours.append("#" + "".join(f"{channel:02x}" for channel in mixed))
    return colours
