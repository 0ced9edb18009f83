"""Panels of a chart: axes, lines with points and bands, labels of lines, and rows of panels."""

import json
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain, pairwise
from typing import Any, TypeAlias, TypeVar

import altair as alt
import pandas as pd

from ntk_mnist.charts.labels import decimal
from ntk_mnist.charts.layouts import Grid, Layout
from ntk_mnist.charts.lettering import title_lines, width_of, wrapped
from ntk_mnist.charts.line_ends import labelled_ends
from ntk_mnist.charts.style import (
    GREY,
    LABEL_SIZE,
    SOLID,
    SUBTITLE_SIZE,
    TEXT,
    TITLE_SIZE,
    Figure,
    Series,
)

__all__ = [
    "FEW",
    "Panel",
    "has_bands",
    "interval_tooltip",
    "linear_axis",
    "lines",
    "log2_axis",
    "log10_axis",
    "log_ticks",
    "one_each",
    "panel",
    "room_for_labels",
    "rows_of_panels",
    "sentence",
    "shown_ticks",
    "unlabelled",
]

# Altair does not say which of the two a layer is.
Panel: TypeAlias = alt.LayerChart | alt.FacetChart

#: Bands of more lines merge in one panel.
FEW = 4

# In pixels.
_BETWEEN_LABELS = 8.0
# From the right end of a panel to the label of a line: a thin line and a space.
_LEADER, _BEFORE_LABEL = 9, 13
# From one label of a line to the next.
_LINE_HEIGHT = 11.5
_END_SIZE = 10.5
# Between ticks: whatever the range of the floats, two of them have room.
_DECADES = (1, 2, 5, 10, 20, 50, 100, 200)
_OTHERS = "#d5d5d5"


def log2_axis(column: str, title: str, values: Iterable[Any], length: float) -> alt.X:
    """A horizontal axis in powers of two, with a tick at each of the values.

    Args:
        column: of the data.
        title: of the axis.
        values: positive whole numbers.
        length: of the axis, in pixels; as many of the values have a label as have room.
    """
    ticks = sorted({int(value) for value in values})
    shown = shown_ticks(ticks, length - 2 * _PADDING)
    # A tick whose label has no room keeps its line.
    label = "format(datum.value, 'd')"
    if shown != ticks:
        label = f"indexof({shown}, datum.value) < 0 ? '' : {label}"
    return alt.X(
        f"{column}:Q",
        title=title,
        scale=alt.Scale(
            type="log", base=2, domain=[ticks[0], ticks[-1]], nice=False, padding=_PADDING
        ),
        axis=alt.Axis(values=ticks, labelExpr=label, labelOverlap=False, labelFlush=False),
    )


# Between the ends of an axis in powers of two and its first and last tick.
_PADDING = 10


def shown_ticks(ticks: Sequence[int], length: float) -> list[int]:
    """Those of the ticks of a log axis whose labels have room side by side.

    All, every second, every third and so on up to the last one; if not even that helps, the first
    and those after it that have room.

    Args:
        ticks: rising, positive.
        length: from the first to the last, in pixels.
    """
    span = math.log(ticks[-1] / ticks[0])
    places = {tick: length * math.log(tick / ticks[0]) / span if span else 0.0 for tick in ticks}

    def apart(a: int, b: int) -> bool:
        room = (width_of(str(a), LABEL_SIZE) + width_of(str(b), LABEL_SIZE)) / 2
        return places[b] - places[a] >= room + _BETWEEN_LABELS / 2

    for step in range(1, max(len(ticks) // 2, 1) + 1):
        chosen = [*reversed(list(reversed(ticks))[::step])]
        if all(apart(a, b) for a, b in pairwise(chosen)):
            return chosen
    chosen = [ticks[0]]
    for tick in ticks[1:]:
        if apart(chosen[-1], tick):
            chosen.append(tick)
    return chosen


def linear_axis(
    values: Iterable[float], length: float, at_most: int = 6
) -> dict[str, Any]:  # fmt: skip
    """Scale and axis that hold all values, from one tick to another; 0 to 1 if they are equal.

    Args:
        values: what is drawn; those that are not finite do not count.
        length: of the axis, in pixels.
        at_most: ticks.
    """
    finite = [float(value) for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if low == high:
        # Half of the smallest float is 0.
        half = abs(low) / 2 or 1.0
        low, high = (0.0, 1.0) if 0 <= low <= 1 else (low - half, low + half)
    most = max(2, min(at_most, int(length / 24)))
    power = math.floor(math.log10(high - low)) - 1
    for step in (Decimal(digit).scaleb(power + k) for k in range(4) for digit in (1, 2, 5)):
        first = math.floor(Decimal(repr(low)) / step)
        last = math.ceil(Decimal(repr(high)) / step)
        if last - first <= most:
            break
    ticks = [float(k * step) for k in range(first, last + 1)]
    exponent = int(Decimal(step).normalize().as_tuple().exponent)
    number = f",.{max(0, -exponent)}f" if exponent >= -6 and abs(ticks[-1]) < 1e7 else "~g"
    return {
        "scale": alt.Scale(domain=[ticks[0], ticks[-1]], nice=False, zero=False),
        "axis": alt.Axis(values=ticks, format=number, labelOverlap=False, labelFlush=True),
    }


def log10_axis(values: Iterable[float], length: float) -> dict[str, Any]:
    """Scale and axis of positive values whose labels have room, however close the values are.

    The same for both directions of a square panel, in which a decade is as long upwards as across.

    Args:
        values: what is drawn; those that are not positive do not count.
        length: of the axis, in pixels.
    """
    low, high = _padded(values)
    ticks = log_ticks(low, high, length)
    return {
        "scale": alt.Scale(type="log", domain=[low, high], nice=False),
        "axis": alt.Axis(
            values=ticks,
            # As `labels.decimal` writes exponents.
            labelExpr="replace(format(datum.value, '~e'), '+', '')",
            labelFlush=False,
            labelOverlap=False,
        ),
    }


def _padded(values: Iterable[float]) -> tuple[float, float]:
    """The range of the positive values and a little more, a thirtieth of a decade at least."""
    exponents = [math.log10(value) for value in values if value > 0] or [0.0]
    low, high = min(exponents), max(exponents)
    more = max(0.04 * (high - low), (1 / 30 - (high - low)) / 2)
    # Within the floats.
    return 10 ** max(low - more, -307.0), 10 ** min(high + more, 308.0)


def log_ticks(low: float, high: float, length: float) -> list[float]:
    """Ticks of a log axis, as many as have room side by side with their labels, and at least two.

    Args:
        low: end of the axis.
        high: its other end, at least a thirtieth of a decade away.
        length: of the axis, in pixels.
    """
    scale = length / (math.log10(high) - math.log10(low))

    def have_room(ticks: Sequence[Decimal]) -> bool:
        places = [scale * math.log10(tick) for tick in ticks]
        room = [_label_size(tick) for tick in ticks]
        gaps = [b - a for a, b in pairwise(places)]
        needed = [(a + b) / 2 + _BETWEEN_LABELS for a, b in pairwise(room)]
        return all(gap >= need for gap, need in zip(gaps, needed, strict=True))

    candidates = _linear_ticks if high < 10 * low else _decimal_ticks
    for ticks in chain(candidates(low, high), _linear_ticks(low, high)):
        if len(ticks) >= 2 and have_room(ticks):
            return list(map(float, ticks))
    return [low, high]


def _decimal_ticks(low: float, high: float) -> Iterator[list[Decimal]]:
    """From the finest, ticks at the same leading digits in each decade or each few decades."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every_decade = (range(1, 10), (1, 2, 5), (1, 3))
    for digits, step in [*((d, 1) for d in every_decade), *((range(1, 2), k) for k in _DECADES)]:
        powers = range(first - first % step, last + 1, step)
        ticks = [Decimal(digit).scaleb(power) for power in powers for digit in digits]
        yield [tick for tick in ticks if low <= float(tick) <= high]


def _linear_ticks(low: float, high: float) -> Iterator[list[Decimal]]:
    """From the finest, ticks that are multiples of 1, 2 or 5 times a power of ten."""
    power = math.floor(math.log10(high - low)) - 1
    for step in (Decimal(digit).scaleb(power + k) for k in range(3) for digit in (1, 2, 5)):
        multiples = range(
            math.ceil(Decimal(repr(low)) / step), math.floor(Decimal(repr(high)) / step) + 1
        )
        yield [multiple * step for multiple in multiples]


def _label_size(tick: Decimal) -> float:
    """How many pixels wide a label is."""
    return width_of(decimal(float(tick), plain_below=-4), LABEL_SIZE)


def unlabelled(y: alt.Y) -> alt.Y:
    """A vertical axis whose labels are those of the first panel of its line."""
    # With the scale alone, Vega-Lite computes another grid.
    own = _described(y).get("axis", {})
    bare: alt.Y = y.title(None).axis(**own | {"labels": False, "ticks": False, "minExtent": 0})
    return bare


def _described(axis: alt.X | alt.Y) -> dict[str, Any]:
    described = axis.to_dict(validate=False)
    assert isinstance(described, dict)
    return described


def has_bands(data: pd.DataFrame) -> bool:
    """Whether seeds differ."""
    return "low" in data and bool((data["low"] < data["high"]).any())


def room_for_labels(series: Series, more: Iterable[str] = ()) -> float:
    """How many pixels right of a panel the labels of its lines need.

    Args:
        series: the lines.
        more: labels of other lines.
    """
    names = [*map(_end_label, _named_at_ends(series)), *more]
    if series.named == "ends":
        names.append(series.short)
    return _BEFORE_LABEL + max(width_of(name, _END_SIZE) for name in names) if names else 0.0


def _named_at_ends(series: Series) -> list[str]:
    """The lines that have labels at their ends."""
    if series.named == "legend":
        return []
    return [*(series.finite if series.named == "ends" else []), *series.limits]


def _end_label(name: str) -> str:
    """``NTK`` for ``∞ (NTK)``: room is short, and only a limit has this name."""
    return name.removeprefix("∞ (").removesuffix(")")


def lines(
    data: pd.DataFrame,
    x: alt.X,
    y: alt.Y,
    series: Series,
    tooltip: Sequence[alt.Tooltip],
    grid: Grid,
    behind: Sequence[alt.Chart] = (),
    more_ends: Mapping[str, float] | None = None,
    *,
    points: bool = True,
) -> Panel:
    """Lines with points, and a band where seeds differ.

    Args:
        data: the columns of ``x``, ``y`` and ``series``; where there are seeds, ``low`` and
            ``high``.
        x: the horizontal channel.
        y: the vertical channel.
        series: the lines; those that a click chooses stay opaque. If they are named at their
            ends, their labels are moved apart.
        tooltip: what a point shows, after its series.
        grid: of the panel.
        behind: marks that are no series, such as lines for comparison.
        more_ends: the labels and the last heights of further lines that end right.
        points: whether finite lines have points; else the line shows what a point would.
    """
    encodings = {"x": x, "y": y, **series.encodings(), "opacity": series.opacity}
    tooltips = [alt.Tooltip(f"{series.field}:N", title=series.title), *tooltip]
    # Channels by their classes, which Altair else takes long to find.
    of_point = {"tooltip": tooltips, "strokeDash": alt.StrokeDashValue(SOLID)}
    layers: list[alt.Chart] = []
    finite = data[data[series.field].isin(series.finite)]
    # A panel without a row still has its axes, and the legend if it is the first.
    if not finite.empty or not series.limits:
        base = alt.Chart(finite).encode(**encodings)
        if has_bands(finite):
            low, column = _same_scale(y, "low"), _described(x)["field"]
            # At one place, a band has no width.
            alone = finite[column].nunique() == 1
            # An area has no dashes.
            bands = alt.Chart(finite).encode(
                **{k: v for k, v in encodings.items() if k != "strokeDash"}
            )
            band = bands.mark_rule(strokeWidth=3) if alone else bands.mark_area(strokeWidth=0)
            faint = alt.OpacityValue(0.4 if alone else 0.18)
            layers.append(band.encode(y=low, y2=alt.Y2("high:Q"), opacity=faint))
        layers.append(base.mark_line(strokeWidth=1.8))
        # Points that do not show still have tooltips.
        opacity = {} if points else {"opacity": alt.OpacityValue(0)}
        layers.append(base.mark_point(filled=True, size=22).encode(**of_point | opacity))
    limits = data[data[series.field].isin(series.limits)]
    if series.limits:
        base = alt.Chart(limits).encode(**encodings)
        layers.append(base.mark_line(strokeWidth=1.2))
        outlines = base.mark_point(filled=False, size=45, strokeWidth=1)
        layers.append(outlines.encode(**of_point, shape=series.limit_shape))
    ends = _ends(data, x, y, series, grid, more_ends or {})
    if series.named != "legend":
        # Each panel listens to clicks, for all panels.
        layers[0] = layers[0].add_params(series.selection)
    # The first layer stays first: the selection of the legend needs its colours.
    return alt.layer(*layers[:1], *behind, *layers[1:], *ends)


def _ends(
    data: pd.DataFrame, x: alt.X, y: alt.Y, series: Series, grid: Grid, more: Mapping[str, float]
) -> list[alt.Chart]:
    """The labels of lines right of a panel, joined to the lines where they were moved."""
    names = _named_at_ends(series)
    if not names:
        return []
    scale, column = _described(y)["scale"], _described(x)["field"]
    found = labelled_ends(
        data.rename(columns={series.field: "name"}),
        names,
        column,
        more,
        scale["domain"],
        logarithmic=scale.get("type") == "log",
        apart=_LINE_HEIGHT / grid.height,
    )
    if found.empty:
        return []
    found = found.assign(label=found["name"].map(_end_label))
    above = alt.Chart(pd.DataFrame({"label": [series.short]})).mark_text(
        align="left", baseline="bottom", dx=_BEFORE_LABEL, dy=-10, fontSize=_END_SIZE, color=TEXT
    )
    heading = above.encode(x=alt.XValue("width"), y=alt.YValue(0), text=alt.Text("label:N"))
    other = found[found["name"].isin(list(more))]
    of_series = found[found["name"].isin(names)].rename(columns={"name": series.field})
    y_end = _same_scale(y, "end")
    y_label = _same_scale(y, "place")
    layers = [heading] if series.named == "ends" else []
    for rows, colour, text in (
        (of_series, {"color": series.encodings()["color"], "opacity": series.opacity}, TEXT),
        (other, {"color": alt.ColorValue(GREY)}, GREY),
    ):
        if rows.empty:
            continue
        base = alt.Chart(rows)
        layers.append(
            base.mark_rule(strokeWidth=0.8, strokeDash=[1, 2], x2Offset=_LEADER).encode(
                x=_same_scale(x, column),
                x2=alt.X2Value("width"),
                y=y_end,
                y2=alt.Y2("place:Q"),
                **colour,
            )
        )
        words = base.mark_text(align="left", dx=_BEFORE_LABEL, fontSize=_END_SIZE)
        layers.append(
            words.encode(
                x=alt.XValue("width"),
                y=y_label,
                text=alt.Text("label:N"),
                # Vega hears clicks on marks that have a tooltip.
                tooltip=alt.Tooltip("label:N", title=series.title),
                **colour | {"color": alt.ColorValue(text)},
            )
        )
    return layers


def _same_scale(axis: Any, column: str) -> Any:
    other = axis.copy()
    other.shorthand = f"{column}:Q"
    return other


def one_each(
    data: pd.DataFrame,
    x: alt.X,
    y: alt.Y,
    series: Series,
    tooltip: Sequence[alt.Tooltip],
    grid: Grid,
) -> list[Panel]:
    """A panel for each finite line with its band and the limits; the other lines are light grey.

    Args:
        data: as of :func:`lines`.
        x: the horizontal channel.
        y: the vertical channel; the first panel of a line has its labels.
        series: the lines, named by their panels.
        tooltip: what a point shows, after its series.
        grid: of the panels.
    """
    panels = []
    present = set(data[series.field])
    # By another name, as a click chooses the line of the panel.
    finite = data[data[series.field].isin(series.finite)].rename(columns={series.field: "other"})
    grey = alt.Chart(finite).mark_line(strokeWidth=1, color=_OTHERS)
    for place, name in enumerate(name for name in series.finite if name in present):
        own_y = y if grid.first(place) else unlabelled(y)
        rows = data[data[series.field].isin([name, *series.limits])]
        others = grey.transform_filter(f"datum.other != {json.dumps(name)}")
        behind = [others.encode(x=x, y=own_y, detail=alt.Detail("other:N"))]
        drawn = lines(rows, x, own_y, series, tooltip, grid, behind)
        panels.append(panel(drawn, series.panel.format(name), grid))
    return panels


def interval_tooltip(title: str, number: str) -> list[alt.Tooltip]:
    """What a point against width shows: a mean over seeds and its interval.

    Args:
        title: of the value.
        number: its format.
    """
    return [
        alt.Tooltip("width:Q", title="Width", format=","),
        alt.Tooltip("value:Q", title=title, format=number),
        alt.Tooltip("low:Q", title="95 % from", format=number),
        alt.Tooltip("high:Q", title="95 % to", format=number),
        alt.Tooltip("seeds:Q", title="Seeds"),
    ]


def panel(layers: Panel, title: str, grid: Grid, subtitle: Sequence[str] = ()) -> Panel:
    """Layers at the size of a panel, below a title and smaller lines, which break to its width."""
    room = grid.width + grid.spacing - 4
    below: dict[str, Any] = {}
    if subtitle:
        smaller = [line for part in subtitle for line in wrapped(part, room, SUBTITLE_SIZE)]
        below = {"subtitle": smaller, "subtitleFontSize": SUBTITLE_SIZE}
    heading = alt.Title(
        title_lines(title, room, TITLE_SIZE),
        anchor="middle",
        frame="group",
        fontSize=TITLE_SIZE,
        fontWeight="normal",
        **below,
    )
    shown: Panel = _written_out(layers)
    return shown.properties(
        title=heading.to_dict(validate=False), width=grid.width, height=grid.height
    )


def _written_out(layers: Any) -> Any:
    """The same layers, with marks and channels as they are written in the specification.

    Altair copies a panel in each row and figure of which it becomes part, and its objects take many
    times as long to copy, since each holds all options that it does not have.
    """
    shown = layers.copy(deep=False)
    if isinstance(shown, alt.LayerChart):
        shown.layer = [_written_out(layer) for layer in shown.layer]
    else:
        if isinstance(shown.mark, alt.MarkDef):
            shown.mark = shown.mark.to_dict(validate=False)
        encoding = shown.encoding.copy(deep=False)
        for channel, written in shown.encoding.to_dict(validate=False).items():
            encoding[channel] = written
        shown.encoding = encoding
    return shown


def sentence(text: str, series: Series, layout: Layout) -> Panel:
    """A sentence in place of panels, with the series that the legend below them selects."""
    label = [*series.finite, *series.limits][0]
    words = alt.Chart(pd.DataFrame({series.field: [label]})).encode(
        color=series.encodings()["color"]
    )
    room = layout.width - 20
    broken = wrapped(text, room, TITLE_SIZE)
    return panel(
        alt.layer(words.mark_text(text=broken, fontSize=TITLE_SIZE, lineBreak="\n")),
        "",
        Grid(1, round(room), 60, 0, 0),
    )


def rows_of_panels(
    rows: Sequence[tuple[str, Sequence[Panel], Grid]], series: Series | Sequence[Series]
) -> Figure:
    """Panels in rows that share a legend; a row longer than a line goes on in the next.

    Args:
        rows: heading, panels and their grid, of each; an empty heading takes no space.
        series: the lines of all panels.
    """
    with warnings.catch_warnings():
        # The selections of all panels are one, as they should be.
        warnings.filterwarnings("ignore", message="Automatically deduplicated selection")
        return _rows_of_panels(rows, [series] if isinstance(series, Series) else series)


def _rows_of_panels(
    rows: Sequence[tuple[str, Sequence[Panel], Grid]], every: Sequence[Series]
) -> Figure:
    drawn: list[alt.HConcatChart] = []
    for heading, panels, grid in rows:
        for start in range(0, len(panels), grid.across):
            first, *others = panels[start : start + grid.across]
            if not drawn:
                # Vega defines the selection of a legend in one panel, and all panels use it.
                bound = [one.selection for one in every if one.named == "legend"]
                first = first.add_params(*bound) if bound else first
            # So that panels of a row are level, whatever is above and beside them.
            line = alt.hconcat(first, *others, spacing=grid.spacing, bounds="flush")
            if heading and not start:
                line = line.properties(
                    title=alt.Title(heading, anchor="start", fontSize=TITLE_SIZE)
                )
            drawn.append(_resolved(line, every))
    if len(drawn) == 1:
        return drawn[0]
    return _resolved(alt.vconcat(*drawn, spacing=16), every)


_Rows = TypeVar("_Rows", alt.HConcatChart, alt.VConcatChart)


def _resolved(figure: _Rows, series: Sequence[Series]) -> _Rows:
    """Panels share a legend; without one, they share nothing: labels of two series may be equal."""
    if series and all(one.named == "legend" for one in series):
        return figure
    return figure.resolve_scale(color="independent", strokeDash="independent", shape="independent")
