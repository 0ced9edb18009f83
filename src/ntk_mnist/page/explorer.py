"""Linked charts of one architecture, width and training-set size, which a reader chooses.

Each view is one chart of rows that all views share. The page sets the parameters ``architecture``,
``width`` and ``size`` of every view. A view filters by what it holds fixed, draws what was chosen
in colour and the rest in grey.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from ntk_mnist.charts.labels import FUNCTION_DISTANCES, limit_label, time_label
from ntk_mnist.charts.layouts import TWO_COLUMNS
from ntk_mnist.charts.observations import (
    ARCHITECTURE,
    Score,
    architectures_in,
    checked,
    geometric_over_seeds,
    half_interval,
    headings,
    of_architecture,
    run_noun,
    score_of,
    setting_in_words,
)
from ntk_mnist.charts.panels import log2_axis, log10_axis
from ntk_mnist.charts.style import GREY, ramp, styled
from ntk_mnist.settings import Architecture

__all__ = ["Choice", "Explorer", "View", "explorer"]

_CHOSEN, _OTHER, _LIMIT = "#31688e", GREY, "black"
_PARTS: Mapping[str, str] = {
    name: title[0].lower() + title[1:] for name, title in FUNCTION_DISTANCES.items()
}
#: Of a view, in pixels, until a page gives it its width.
_WIDTH, _HEIGHT = 300, 230
#: The most epochs that a learning curve shows.
_EPOCHS = 60


class Choice(NamedTuple):
    """What a reader chooses.

    Attributes:
        name: of the parameter.
        title: for a person.
        values: to choose from, each with its text.
        chosen: at first.
    """

    name: str
    title: str
    values: Sequence[tuple[Any, str]]
    chosen: Any


class View(NamedTuple):
    """One of the linked charts.

    Attributes:
        title: what it shows.
        explanation: one sentence: what is compared, and what lines and bands are.
        specification: of Vega-Lite; its rows are those of the explorer.
    """

    title: str
    explanation: str
    specification: Mapping[str, Any]


class Explorer(NamedTuple):
    """Linked charts.

    Attributes:
        choices: what a reader chooses.
        views: the charts.
        rows: by name, records that the charts draw.
        score: what is explored.
        last: the time of the comparison, as it is in the rows.
        at: that time in words.
        runs: what several networks of a cell are: seeds, or runs.
    """

    choices: Sequence[Choice]
    views: Sequence[View]
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    score: Score
    last: float
    at: str
    runs: str


def explorer(tables: Mapping[str, pd.DataFrame]) -> Explorer:
    """The linked charts of an experiment.

    Args:
        tables: ``kernel``; and ``network`` and ``distance``, if the experiment has them.

    Raises:
        ChartError: rows are repeated or not comparable.
    """
    (kernels,) = checked(tables, ["kernel"])
    networks = checked(tables, ["network"])[0] if "network" in tables else None
    both = [kernels] if networks is None else [networks, kernels]
    score = score_of(*both)
    architectures = architectures_in(*both)
    names = dict(zip(architectures, headings(architectures), strict=True))

    def labelled(table: pd.DataFrame) -> pd.DataFrame:
        parts = [
            of_architecture(table, architecture).assign(architecture=i)
            for i, architecture in enumerate(architectures)
        ]
        return pd.concat(parts).drop(columns=list(ARCHITECTURE))

    runs = "seeds" if networks is None else f"{run_noun(networks)}s"
    # Networks that take the kernels' steps are compared at the last time of both.
    timed = networks is not None and networks["time"].notna().any()
    last = networks["time"].max() if networks is not None and timed else kernels["time"].max()
    rows = {"limits": labelled(_limits(kernels, score))}
    sizes = sorted({size for table in both for size in table["size"]})
    views = [_against_size(score, last, sizes, runs, networks=networks is not None)]
    if networks is not None:
        rows["networks"] = labelled(_means(networks, score, timed=bool(timed)))
        gaps = _gaps(tables, networks, score, last)
        if len(gaps):
            rows["gaps"] = labelled(gaps)
            views.append(_gap(score, gaps, last, runs))
    if networks is None or timed:
        views.append(_over_time(score, kernels, runs, networks=networks is not None))
    if networks is not None and not timed:
        if len(epochs := _epochs(networks)):
            rows["epochs"] = labelled(epochs)
            views.append(_learning(runs))
        views += _fit(rows["networks"], runs)
    if "distance" in tables:
        (distances,) = checked(tables, ["distance"])
        rows["distances"] = labelled(_distances(distances))
        views.append(_distance(rows["distances"], last, runs))
    return Explorer(
        _choices(architectures, list(names.values()), rows),
        views,
        {name: _records(table) for name, table in rows.items()},
        score,
        _finite(last),
        f"t = {time_label(last)}",
        runs,
    )


def _choices(
    architectures: Sequence[Architecture], names: Sequence[str], rows: Mapping[str, pd.DataFrame]
) -> list[Choice]:
    """What can be chosen; at first the largest network of an architecture that has one.

    The page offers of these values what the chosen architecture has.
    """
    cells = rows.get("networks", rows["limits"])
    first = cells.sort_values(["architecture", "size", *(["width"] if "width" in cells else [])])
    chosen = first[first["architecture"] == first["architecture"].iloc[0]].iloc[-1]
    texts = names if len(names) > 1 else [_all_settings(architectures[0])]
    choices = [
        Choice("architecture", "Architecture", list(enumerate(texts)), int(chosen["architecture"]))
    ]
    for name, title in (("width", "Width"), ("size", "Training-set size")):
        if name in cells:
            found = {int(v) for table in rows.values() if name in table for v in table[name]}
            values = [(value, f"{value:,}") for value in sorted(found)]
            choices.append(Choice(name, title, values, int(chosen[name])))
    return choices


def _all_settings(architecture: Architecture) -> str:
    return ", ".join(setting_in_words(name, getattr(architecture, name)) for name in ARCHITECTURE)


def _limits(kernels: pd.DataFrame, score: Score) -> pd.DataFrame:
    columns = [*ARCHITECTURE, "size", "time", "kernel"]
    return kernels[columns].assign(
        value=kernels[score.column],
        label=kernels["kernel"].map(limit_label),
    )


def _means(networks: pd.DataFrame, score: Score, *, timed: bool) -> pd.DataFrame:
    """Means over seeds with their 95 % intervals by Student's t, of each cell and time."""
    keys = [*ARCHITECTURE, "width", "size", *(["time"] if timed else [])]
    groups = networks.groupby(keys, as_index=False)
    means = groups.agg(
        value=(score.column, "mean"),
        deviation=(score.column, "std"),
        seeds=("seed", "nunique"),
        fitted=("train_accuracy", "min"),
        train_error=("train_mse", "max"),
    )
    means = _with_interval(means, "value")
    return means if timed else means.assign(time=math.inf)


def _with_interval(means: pd.DataFrame, column: str) -> pd.DataFrame:
    """Means of ``seeds`` values of a standard ``deviation``, with ``low`` and ``high`` in place."""
    half = half_interval(means["deviation"] / means["seeds"] ** 0.5, means["seeds"])
    ends = {"low": means[column] - half, "high": means[column] + half}
    return means.assign(**ends).drop(columns="deviation")


def _gaps(
    tables: Mapping[str, pd.DataFrame], networks: pd.DataFrame, score: Score, last: float
) -> pd.DataFrame:
    """Networks less each limit of their architecture and size, at the last time.

    Each network is compared with the limit of its own draw of training images.
    """
    place = [*ARCHITECTURE, "size", "draw"]
    kernels = tables["kernel"]
    limits = kernels[kernels["time"] == last][[*place, "kernel"]].assign(
        limit=kernels[score.column], label=kernels["kernel"].map(limit_label)
    )
    own = networks[networks["time"].isna() | (networks["time"] == last)]
    pairs = own.merge(limits, on=place)
    pairs = pairs.assign(gap=pairs[score.column] - pairs["limit"])
    groups = pairs.groupby([*ARCHITECTURE, "width", "size", "label"], as_index=False)
    means = groups.agg(
        gap=("gap", "mean"),
        deviation=("gap", "std"),
        seeds=("seed", "nunique"),
        fitted=("train_accuracy", "min"),
    )
    return _with_interval(means, "gap")


def _epochs(networks: pd.DataFrame) -> pd.DataFrame:
    """The mean train loss of each epoch over the seeds that reached it."""
    losses = networks[[*ARCHITECTURE, "width", "size", "epoch_train_loss"]].explode(
        "epoch_train_loss"
    )
    keys = [*ARCHITECTURE, "width", "size"]
    losses["epoch"] = losses.groupby([*keys, losses.index]).cumcount() + 1
    means = (
        losses.dropna(subset="epoch_train_loss")
        .astype({"epoch_train_loss": float})
        .groupby([*keys, "epoch"], as_index=False)
        .agg(value=("epoch_train_loss", "mean"))
    )
    step = max(1, math.ceil(means["epoch"].max() / _EPOCHS)) if len(means) else 1
    return means[(means["epoch"] % step == 0) | (means["epoch"] == 1)]


def _distances(distances: pd.DataFrame) -> pd.DataFrame:
    known = distances[distances["quantity"].isin(_PARTS)]
    means = geometric_over_seeds(known, "rms", ["time", "quantity"])
    return means.assign(label=means["quantity"].map(_PARTS))


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of JSON's types, with six digits."""
    found = table.astype(object).to_dict("records")
    return [{str(name): _plain(value) for name, value in row.items()} for row in found]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{_finite(value):.6g}")
    return value.item() if hasattr(value, "item") else value


def _finite(time: float) -> float:
    """JSON has no ∞; no finite time is as large."""
    return 1e300 if math.isinf(time) else float(time)


def _is_chosen(*names: str) -> str:
    return " && ".join(f"datum.{name} == chosen_{name}" for name in names)


def _view(title: str, explanation: str, layers: Sequence[alt.Chart], names: Sequence[str]) -> View:
    chart = alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT)
    drawn = styled(alt.hconcat(chart), TWO_COLUMNS, title, [], [explanation]).to_dict(
        validate=False
    )
    parameters = [{"name": f"chosen_{name}", "value": 0} for name in names]
    return View(title, explanation, drawn | {"params": parameters})


def _rows(name: str, condition: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name=name)).transform_filter(condition)


def _dashes(labels: str = "label:N") -> alt.StrokeDash:
    domain = [limit_label("nngp"), limit_label("ntk")]
    return alt.StrokeDash(
        labels,
        title="Infinite width",
        scale=alt.Scale(domain=domain, range=[[1.5, 3], [6, 3]]),
        legend=alt.Legend(orient="bottom", symbolType="stroke", symbolSize=300),
    )


def _y_of(score: Score, field: str = "value", title: str | None = None) -> alt.Y:
    return alt.Y(f"{field}:Q", title=title or score.title, scale=alt.Scale(zero=False))


def _against_size(
    score: Score, last: float, sizes: Iterable[int], runs: str, *, networks: bool
) -> View:
    """The score against training-set size: the chosen width, the others, and the limits."""
    x = log2_axis("size", "Training-set size", sizes, _WIDTH)
    tooltip = [
        alt.Tooltip("size:Q", title="Training-set size", format=","),
        alt.Tooltip("value:Q", title=score.title, format=score.number),
    ]
    layers = []
    if networks:
        of_width = [alt.Tooltip("width:Q", title="Width", format=","), *tooltip]
        own = _rows("networks", f"datum.architecture == chosen_architecture && {_at(last)}")
        other = own.transform_filter("datum.width != chosen_width")
        other = other.encode(x=x, y=_y_of(score), detail="width:N", tooltip=of_width)
        chosen = own.transform_filter("datum.width == chosen_width")
        chosen = chosen.encode(x=x, y=_y_of(score), tooltip=of_width)
        layers = [
            other.mark_line(color=_OTHER, strokeWidth=1, opacity=0.55),
            other.mark_point(color=_OTHER, filled=True, size=14, opacity=0.55),
            chosen.mark_area(color=_CHOSEN, opacity=0.2).encode(y="low:Q", y2="high:Q"),
            chosen.mark_line(color=_CHOSEN, strokeWidth=2.5),
            chosen.mark_point(color=_CHOSEN, filled=True, size=45),
        ]
    of_last = _rows("limits", f"datum.architecture == chosen_architecture && {_at(last)}")
    limits = of_last.encode(x=x, y=_y_of(score))
    layers.append(limits.mark_line(color=_LIMIT, strokeWidth=1.3).encode(strokeDash=_dashes()))
    layers.append(
        limits.mark_point(color=_LIMIT, size=24).encode(
            tooltip=[alt.Tooltip("label:N", title="Width"), *tooltip]
        )
    )
    layers.append(
        of_last.transform_filter("datum.size == chosen_size")
        .mark_rule(color=_LIMIT, opacity=0.25)
        .encode(x=x)
    )
    return _view(
        f"{score.title} against training-set size",
        (
            "Coloured: the chosen width, with the 95 % interval of its mean over "
            f"{runs}; grey: the other widths; "
            if networks
            else ""
        )
        + f"black: the infinite-width limits at t = {time_label(last)}. "
        "The vertical line is at the chosen size.",
        layers,
        ("architecture", "size", *(["width"] if networks else [])),
    )


def _at(time: float) -> str:
    return f"datum.time == {_finite(time)!r}"


def _x_of_width(widths: Any) -> alt.X:
    return log2_axis("width", "Width", widths, _WIDTH)


def _gap(score: Score, gaps: pd.DataFrame, last: float, runs: str) -> View:
    """The gap of networks to each limit against width, of the chosen size."""
    x = _x_of_width(gaps["width"])
    own = _rows("gaps", _is_chosen("architecture", "size"))
    title = f"{score.title}, network minus limit"
    base = own.encode(x=x, y=_y_of(score, "gap", title))
    tooltip = [
        alt.Tooltip("width:Q", title="Width", format=","),
        alt.Tooltip("label:N", title="Limit"),
        alt.Tooltip("gap:Q", title=title, format=score.number),
        alt.Tooltip("seeds:Q", title=runs.capitalize()),
        alt.Tooltip("fitted:Q", title="Lowest train accuracy", format=".3f"),
    ]
    chosen = own.transform_filter("datum.width == chosen_width")
    layers = [
        base.mark_rule(color=_LIMIT, strokeDash=[5, 3]).encode(y=alt.datum(0)),
        base.mark_rule(color=_CHOSEN, opacity=0.6).encode(y="low:Q", y2="high:Q"),
        base.mark_line(color=_CHOSEN, strokeWidth=1.5).encode(strokeDash=_dashes()),
        base.mark_point(color=_CHOSEN, filled=True, size=30).encode(tooltip=tooltip),
        chosen.encode(x=x, y=_y_of(score, "gap", title)).mark_point(
            color=_LIMIT, size=130, strokeWidth=1.8
        ),
    ]
    return _view(
        f"Gap to infinite width at t = {time_label(last)}",
        "Networks of the chosen size, minus each limit, against width. Vertical bars are 95 % "
        f"intervals of the mean over {runs}; a circle marks the chosen width.",
        layers,
        ("architecture", "size", "width"),
    )


def _over_time(score: Score, kernels: pd.DataFrame, runs: str, *, networks: bool) -> View:
    """The score over gradient-flow time at the chosen size."""
    finite = kernels[(kernels["time"] > 0) & (kernels["time"] < math.inf)]["time"]
    x = alt.X("time:Q", title="Gradient-flow time", **log10_axis(finite, _WIDTH))
    condition = "datum.time > 0 && datum.time < 1e299"
    tooltip = [
        alt.Tooltip("time:Q", title="Gradient-flow time", format="~g"),
        alt.Tooltip("value:Q", title=score.title, format=score.number),
    ]
    limits = _rows("limits", f"{_is_chosen('architecture', 'size')} && {condition}")
    limits = limits.encode(x=x, y=_y_of(score))
    layers = [
        limits.mark_line(color=_LIMIT, strokeWidth=1.3).encode(strokeDash=_dashes()),
        limits.mark_point(color=_LIMIT, size=24).encode(
            tooltip=[alt.Tooltip("label:N", title="Width"), *tooltip]
        ),
    ]
    names = ["architecture", "size"]
    if networks:
        names.append("width")
        own = _rows("networks", f"{_is_chosen('architecture', 'size', 'width')} && {condition}")
        own = own.encode(x=x, y=_y_of(score))
        layers = [
            own.mark_area(color=_CHOSEN, opacity=0.2).encode(y="low:Q", y2="high:Q"),
            own.mark_line(color=_CHOSEN, strokeWidth=2.5),
            own.mark_point(color=_CHOSEN, filled=True, size=40).encode(
                tooltip=[*tooltip, alt.Tooltip("seeds:Q", title=runs.capitalize())]
            ),
            *layers,
        ]
    lines = (
        "Coloured: networks of the chosen width and size with the 95 % interval of their mean "
        f"over {runs}; black: infinite width"
        if networks
        else "Infinite width at the chosen size"
    )
    shown = f" from {time_label(finite.min())} to {time_label(finite.max())}" if len(finite) else ""
    return _view(f"{score.title} over training time", f"{lines}{shown}.", layers, names)


def _learning(runs: str) -> View:
    """The train loss over epochs of the chosen size."""
    own = _rows("epochs", _is_chosen("architecture", "size"))
    x = alt.X("epoch:Q", title="Epoch", axis=alt.Axis(tickMinStep=1))
    y = alt.Y("value:Q", title="Mean train loss of the epoch")
    tooltip = [
        alt.Tooltip("width:Q", title="Width", format=","),
        alt.Tooltip("epoch:Q", title="Epoch"),
        alt.Tooltip("value:Q", title="Train loss", format=".4g"),
    ]
    other = own.transform_filter("datum.width != chosen_width")
    chosen = own.transform_filter("datum.width == chosen_width")
    layers = [
        other.mark_line(color=_OTHER, strokeWidth=1, opacity=0.55).encode(
            x=x, y=y, detail="width:N", tooltip=tooltip
        ),
        chosen.mark_line(color=_CHOSEN, strokeWidth=2.5).encode(x=x, y=y),
        chosen.mark_point(color=_CHOSEN, filled=True, size=22).encode(x=x, y=y, tooltip=tooltip),
    ]
    return _view(
        "Training",
        f"Train loss over epochs with the chosen size, mean over {runs}. Coloured: the chosen "
        "width; grey: the other widths. Infinite width has no epochs.",
        layers,
        ("architecture", "size", "width"),
    )


def _fit(networks: pd.DataFrame, runs: str) -> list[View]:
    """How far networks have fitted their training sets, if that is known."""
    if networks["fitted"].notna().any():
        column, title, worst = "fitted", "Lowest train accuracy", "Lowest train accuracy"
        scale, end = alt.Scale(domain=[0, 1]), "below 1"
    elif networks["train_error"].notna().any():
        column, title, worst = "train_error", "Train squared error", "Largest train squared error"
        scale, end = alt.Scale(zero=True), "above 0"
    else:
        return []
    x = _x_of_width(networks["width"])
    y = alt.Y(f"{column}:Q", title=title, scale=scale)
    own = _rows("networks", _is_chosen("architecture", "size"))
    tooltip = [
        alt.Tooltip("width:Q", title="Width", format=","),
        alt.Tooltip(f"{column}:Q", title=worst, format=".3~g"),
        alt.Tooltip("seeds:Q", title=runs.capitalize()),
    ]
    chosen = own.transform_filter("datum.width == chosen_width")
    layers = [
        own.mark_line(color=_CHOSEN, strokeWidth=1.5).encode(x=x, y=y),
        own.mark_point(color=_CHOSEN, filled=True, size=30).encode(x=x, y=y, tooltip=tooltip),
        chosen.mark_point(color=_LIMIT, size=130, strokeWidth=1.8).encode(x=x, y=y),
    ]
    return [
        _view(
            "How far networks have fitted",
            f"{worst} over {runs} at the end of training, of the chosen size, against width. The "
            f"limits at t = ∞ have fitted; {end} a gap is partly one of training.",
            layers,
            ("architecture", "size", "width"),
        )
    ]


def _distance(rows: pd.DataFrame, last: float, runs: str) -> View:
    """Distances of predictions against width, of the chosen size, at the last time."""
    x = _x_of_width(rows["width"])
    values = pd.concat([rows["value"], rows["low"], rows["high"]])
    y = alt.Y("value:Q", title="Distance of predictions (RMS)", **log10_axis(values, _HEIGHT))
    own = _rows("distances", f"{_is_chosen('architecture', 'size')} && {_at(last)}")
    colours = alt.Color(
        "label:N",
        title=None,
        scale=alt.Scale(domain=list(_PARTS.values()), range=ramp(len(_PARTS))),
        legend=alt.Legend(orient="bottom", columns=1, labelLimit=0),
    )
    base = own.encode(x=x, y=y, color=colours)
    chosen = own.transform_filter("datum.width == chosen_width")
    tooltip = [
        alt.Tooltip("label:N", title="Distance"),
        alt.Tooltip("width:Q", title="Width", format=","),
        alt.Tooltip("value:Q", title="RMS", format=".4g"),
        alt.Tooltip("seeds:Q", title=runs.capitalize()),
    ]
    layers = [
        base.mark_rule(opacity=0.5).encode(y="low:Q", y2="high:Q"),
        base.mark_line(strokeWidth=1.6),
        base.mark_point(filled=True, size=30).encode(tooltip=tooltip),
        chosen.encode(x=x, y=y).mark_point(color=_LIMIT, size=130, strokeWidth=1.8),
    ]
    return _view(
        f"Distance of functions at t = {time_label(last)}",
        f"Root mean square over test images and outputs, geometric mean over {runs} and its 95 % "
        "interval, of the chosen size, against width; both axes are logarithmic. A circle marks "
        "the chosen width.",
        layers,
        ("architecture", "size", "width"),
    )
