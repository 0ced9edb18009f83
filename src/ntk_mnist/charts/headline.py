"""The answer of an experiment: at most three sentences from its tables, and what to beware of.

A run ends with them, the page and the report begin with them. Each sentence says what it compares
and how uncertain it is. Errors are standard errors: of an accuracy p on m test images
√(p (1 − p) / m), of a mean over n networks or draws s / √n; a fit of slopes has its 95 % interval.
An experiment of several architectures is told by the range over them, because the best one of many
would be chosen by the test images.

Snakemake prints the headline, so that this module imports neither pandas nor Altair.
"""

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from ntk_mnist.charts.findings import NOT_CENTRED, signed, unlike
from ntk_mnist.charts.labels import counted, time_label
from ntk_mnist.settings import Architecture

__all__ = ["COLUMNS", "Headline", "headline"]

Rows: TypeAlias = Sequence[Mapping[str, Any]]

_ARCHITECTURE: tuple[str, ...] = Architecture.__struct_fields__

_OF_BOTH = (*_ARCHITECTURE, "size", "draw", "time", "test_size", "test_accuracy", "test_mse")
_OF_ENSEMBLE = ("width", "size", "time", "centred", "network_accuracy", "limit_accuracy")

#: The columns of each table that a headline is made of; a table may be missing.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "kernel": (*_OF_BOTH, "kernel"),
    "network": (*_OF_BOTH, "width", "seed", "train_accuracy", "loss"),
    "ensemble": (*_ARCHITECTURE, *_OF_ENSEMBLE, "accuracy_gap", "accuracy_gap_error"),
    "convergence": (
        *(*_ARCHITECTURE, "size", "time", "quantity", "smallest_width"),
        *("slope", "low", "high"),
    ),
    "reproduction": ("verdict",),
}


class Headline(NamedTuple):
    """What came out, in words.

    Attributes:
        lines: one to three sentences.
        warnings: why a number in them is not what a reader may take it for; or nothing.
    """

    lines: tuple[str, ...]
    warnings: tuple[str, ...]


class _Score(NamedTuple):
    """How a prediction is scored: by its accuracy or, if targets are real-valued, its error.

    Attributes:
        column: of both tables.
        name: in words.
        number: format of a value.
        unit: of a difference, in words.
        scale: of a difference, units a value.
        digits: of a difference.
    """

    column: str
    name: str
    number: str
    unit: str
    scale: float
    digits: int


_ACCURACY = _Score("test_accuracy", "test accuracy", ".3f", " percentage points", 100.0, 1)
_ERROR = _Score("test_mse", "test squared error", ".4g", "", 1.0, 4)


def headline(tables: Mapping[str, Rows]) -> Headline:
    """The answer of an experiment.

    Args:
        tables: rows with the columns of :data:`COLUMNS` by the names of tables. With ``ensemble``,
            networks were trained as the NTK is.
    """
    kernels, networks = tables.get("kernel", ()), tables.get("network", ())
    if ensembles := tables.get("ensemble", ()):
        centred = all(row["centred"] for row in ensembles)
        slopes = tables.get("convergence", ())
        # Networks that keep their random start approach no limit one by one.
        approach = _approach(slopes) if centred else ()
        lines = [*approach, _at_equal_times(ensembles), *_of_training(slopes)]
        warnings = [] if centred else [f"{NOT_CENTRED}."]
    else:
        lines = [*_limits(kernels), *_networks(networks, kernels)]
        warnings = _cautions(networks)
    reproduced = list(_reproduced(tables.get("reproduction", ())))
    kept = lines[: 3 - len(reproduced)]
    return Headline((*kept, *reproduced), tuple(warnings))


def _approach(slopes: Rows) -> Iterator[str]:
    """How fast the distance of networks from the NTK falls with width."""
    if fits := _over_all_widths(slopes, "network_to_limit"):
        yield (
            "Like for like, the distance of networks' predictions from the NTK's goes as width^s, "
            f"s = {_range_of_slopes(fits)}, over {_over(fits, ('architecture', 'size', 'time'))}; "
            "theory says −1/2."
        )


def _of_training(slopes: Rows) -> Iterator[str]:
    """How fast that part of the distance falls which training adds."""
    if fits := _over_all_widths(slopes, "network_to_linearization"):
        yield (
            "What training adds, the distance of networks from their own linearizations, goes as "
            f"width^s, s = {_range_of_slopes(fits)}."
        )


def _over_all_widths(slopes: Rows, quantity: str) -> Rows:
    """The fits of a quantity over all widths; those over the larger half are in the chart."""
    fits = [r for r in slopes if r["slope"] is not None and r["quantity"] == quantity]
    firsts: dict[tuple[Any, ...], int] = {}
    for row in fits:
        first = row["smallest_width"]
        firsts[_place(row)] = min(first, firsts.get(_place(row), first))
    return [row for row in fits if row["smallest_width"] == firsts[_place(row)]]


def _range_of_slopes(rows: Rows) -> str:
    half = max((row["high"] - row["low"]) / 2 for row in rows)
    slopes = [row["slope"] for row in rows]
    up_to = "up to " if len(rows) > 1 else ""
    return f"{_ends(slopes, 2)} (± {up_to}{half:.2f} at 95 %)"


def _at_equal_times(ensembles: Rows) -> str:
    """The accuracy of the widest networks beside the NTK's at the last time."""
    time = max(row["time"] for row in ensembles)
    width = max(row["width"] for row in ensembles)
    last = [row for row in ensembles if (row["time"], row["width"]) == (time, width)]
    gaps = _ends([100 * row["accuracy_gap"] for row in last], 1)
    errors = [row["accuracy_gap_error"] for row in last if row["accuracy_gap_error"] is not None]
    several = len(last) > 1
    over = f" over {_over(last, ('architecture', 'size'))}" if several else ""
    up_to = ", each ± up to " if several else " ± "
    error = f"{up_to}{100 * max(errors):.1f} by the shared test images" if errors else ""
    return (
        f"At width {width:,} and t = {time_label(time)}, mean test accuracy is "
        f"{_ends([row['network_accuracy'] for row in last], 3)}, the NTK's "
        f"{_ends([row['limit_accuracy'] for row in last], 3)}{over}: a gap of {gaps} percentage "
        f"points{error}."
    )


def _limits(kernels: Rows) -> Iterator[str]:
    """What infinitely wide networks reach at the last time, on few and on many images."""
    if not kernels:
        return
    last = _at_last_time(kernels)
    score = _score(last)
    sizes = sorted({row["size"] for row in last})
    largest = [row for row in last if row["size"] == sizes[-1]]
    means = {
        kind: _Mean.of([row for row in largest if row["kernel"] == kind], score)
        for kind in sorted({row["kernel"] for row in largest})
    }
    values = ", ".join(f"{kind.upper()} {mean.text}" for kind, mean in means.items())
    fewest = [
        mean
        for kind in means
        for mean in _by_architecture(
            [row for row in last if (row["size"], row["kernel"]) == (sizes[0], kind)], score.column
        ).values()
    ]
    before = f"; {_ends(fewest, 3)} with {sizes[0]:,}" if len(sizes) > 1 and fewest else ""
    (first, *_) = means.values()
    yield (
        f"Infinite width, {counted(sizes[-1], 'training image')}, "
        f"t = {time_label(last[0]['time'])}: {score.name} {values}{first.over}{before}."
    )


def _networks(networks: Rows, kernels: Rows) -> Iterator[str]:
    """What the widest networks reach on most images, and how far that is from the limits."""
    if not networks:
        return
    score = _score(networks)
    size = max(row["size"] for row in networks)
    of_size = [row for row in networks if row["size"] == size]
    widths = sorted({row["width"] for row in of_size})
    widest = _Mean.of([row for row in of_size if row["width"] == widths[-1]], score)
    narrowest = _Mean.of([row for row in of_size if row["width"] == widths[0]], score)
    limits = {
        kind: _by_architecture(
            [row for row in _at_last_time(kernels) if (row["size"], row["kernel"]) == (size, kind)],
            score.column,
        )
        for kind in sorted({row["kernel"] for row in kernels})
    }

    def gap(mean: _Mean, kind: str) -> str:
        of_both = [
            score.scale * (value - limits[kind][architecture])
            for architecture, value in mean.values.items()
            if architecture in limits[kind]
        ]
        return _ends(of_both, score.digits) if of_both else ""

    far = {kind: found for kind in limits if (found := gap(widest, kind))}
    words = ", ".join(
        f"{found}{'' if i else score.unit} from the {kind.upper()}"
        for i, (kind, found) in enumerate(far.items())
    )
    yield (
        f"Finite width {widths[-1]:,}, {counted(size, 'training image')}: {score.name} "
        f"{widest.text}{widest.over}{f'; {words}' if far else ''}."
    )
    *_, kind = far or [""]
    if len(widths) > 1 and kind and (before := gap(narrowest, kind)):
        yield (
            f"From width {widths[0]:,} to {widths[-1]:,}, the gap to the {kind.upper()} goes from "
            f"{before} to {far[kind]}{score.unit}."
        )


def _cautions(networks: Rows) -> list[str]:
    """Why networks are not comparable with the limits, and which numbers have no spread."""
    if not networks:
        return []
    trained = [row["train_accuracy"] for row in networks if row["train_accuracy"] is not None]
    reasons = unlike(networks[0]["loss"], *((min(trained), max(trained)) if trained else ()))
    seeds = len({(row["seed"], row["draw"]) for row in networks})
    return [
        *([f"Not like for like: {'; '.join(reasons)}."] if reasons else []),
        *(
            ["One seed: how much a network varies between seeds is not known."]
            if seeds == 1
            else []
        ),
    ]


def _reproduced(rows: Rows) -> Iterator[str]:
    """How many published numbers came out again."""
    found = [row["verdict"] for row in rows]
    if not found:
        return
    words = {
        "equal": "equal to all decimals",
        "within": "within the 95 % interval of one more run",
        "differs": "different",
        "one run": "of one run of ours, which has no interval",
        "not run": "not run",
    }
    counts = [
        f"{found.count(verdict)} {text}" for verdict, text in words.items() if verdict in found
    ]
    yield f"Of {counted(len(found), 'published number')}, {', '.join(counts)}."


def _score(rows: Rows) -> _Score:
    real_valued = all(row["test_accuracy"] is None for row in rows)
    return _ERROR if real_valued else _ACCURACY


class _Mean(NamedTuple):
    """A mean for each architecture, and its standard error.

    Attributes:
        values: by architecture.
        text: the one value with its error, or the range of values.
        over: what the range is over and what the error is of, in brackets.
    """

    values: dict[tuple[Any, ...], float]
    text: str
    over: str

    @classmethod
    def of(cls, rows: Rows, score: _Score) -> "_Mean":
        """The means of rows of one size and width.

        Where there are several seeds or draws, the error is that over them.
        """
        runs: dict[tuple[Any, ...], list[float]] = {}
        for row in rows:
            runs.setdefault(_architecture(row), []).append(row[score.column])
        values = {architecture: statistics.fmean(own) for architecture, own in runs.items()}
        fewest = min(map(len, runs.values()))
        if fewest > 1:
            errors = [statistics.stdev(own) / math.sqrt(len(own)) for own in runs.values()]
            most = max(map(len, runs.values()))
            of = f"{fewest} runs" if fewest == most else f"{fewest} to {most} runs"
        elif score is _ACCURACY:
            images = rows[0]["test_size"]
            errors = [math.sqrt(p * (1 - p) / images) for p in values.values()]
            of = counted(images, "test image")
        else:
            errors, of = [], ""
        text = _ends(list(values.values()), 3) if len(values) > 1 else ""
        if not text:
            (value,) = values.values()
            text = format(value, score.number)
            text += f" ± {format(errors[0], score.number)}" if errors else ""
            return cls(values, text, f" (± standard error, of {of})" if errors else "")
        largest = format(max(errors, default=0.0), score.number)
        each = f"; standard errors up to {largest}, of {of}" if errors else ""
        return cls(values, text, f" (over {counted(len(values), 'architecture')}{each})")


def _at_last_time(kernels: Rows) -> Rows:
    last = max((row["time"] for row in kernels), default=math.inf)
    return [row for row in kernels if row["time"] == last]


def _by_architecture(rows: Rows, column: str) -> dict[tuple[Any, ...], float]:
    """The mean of a column by architecture."""
    values: dict[tuple[Any, ...], list[float]] = {}
    for row in rows:
        if row[column] is not None:
            values.setdefault(_architecture(row), []).append(row[column])
    return {architecture: statistics.fmean(own) for architecture, own in values.items()}


def _over(rows: Rows, axes: Iterable[str]) -> str:
    """What a range is taken over: ``2 architectures, 256 training images and 7 times``."""
    words = []
    for axis in axes:
        found = {_architecture(row) if axis == "architecture" else row[axis] for row in rows}
        if axis == "size" and len(found) == 1:
            words.append(counted(rows[0][axis], "training image"))
        else:
            noun = {"size": "training-set size"}.get(axis, axis)
            words.append(counted(len(found), noun))
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _ends(values: Sequence[float], digits: int) -> str:
    """The lowest and the highest of the values, or the one that they all round to."""
    ends = (signed(extreme(values), digits) for extreme in (min, max))
    return " … ".join(dict.fromkeys(ends))


def _architecture(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _ARCHITECTURE)


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*_architecture(row), row["size"], row["time"])
