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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from ntk_mnist.charts.findings import NOT_CENTRED, range_in_words, unlike
from ntk_mnist.charts.labels import counted, time_label
from ntk_mnist.settings import Architecture

__all__ = ["COLUMNS", "Headline", "headline"]

Rows: TypeAlias = Sequence[Mapping[str, Any]]
_Key: TypeAlias = tuple[Any, ...]

_ARCHITECTURE: tuple[str, ...] = Architecture.__struct_fields__

_OF_BOTH = (*_ARCHITECTURE, "size", "draw", "time", "test_size", "test_accuracy", "test_mse")
_OF_ENSEMBLE = ("width", "size", "time", "centred", "network_accuracy", "limit_accuracy")

#: The columns of each table that a headline is made of; a table may be missing.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "kernel": (*_OF_BOTH, "kernel"),
    "network": (
        *(*_OF_BOTH, "width", "seed", "train_accuracy", "train_mse"),
        *("loss", "parameterization"),
    ),
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
        several = len({_architecture(row) for row in (*kernels, *networks)}) > 1

        def named(key: _Key) -> str:
            return _words(key) if several else ""

        lines = [*_limits(kernels, named), *_networks(networks, kernels, named)]
        warnings = _cautions(networks)
    warnings += _of_one_run(networks)
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
    return f"{range_in_words(slopes, 2)} (± {up_to}{half:.2f} at 95 %)"


def _at_equal_times(ensembles: Rows) -> str:
    """The accuracy of the widest networks beside the NTK's at the last time."""
    time = max(row["time"] for row in ensembles)
    width = max(row["width"] for row in ensembles)
    last = [row for row in ensembles if (row["time"], row["width"]) == (time, width)]
    gaps = range_in_words([100 * row["accuracy_gap"] for row in last], 1)
    errors = [row["accuracy_gap_error"] for row in last if row["accuracy_gap_error"] is not None]
    several = len(last) > 1
    over = f" over {_over(last, ('architecture', 'size'))}" if several else ""
    up_to = ", each ± up to " if several else " ± "
    error = f"{up_to}{100 * max(errors):.1f} by the shared test images" if errors else ""
    return (
        f"At width {width:,} and t = {time_label(time)}, mean test accuracy is "
        f"{range_in_words([row['network_accuracy'] for row in last], 3)}, the NTK's "
        f"{range_in_words([row['limit_accuracy'] for row in last], 3)}{over}: "
        f"a gap of {gaps} percentage points{error}."
    )


def _limits(kernels: Rows, named: Callable[[_Key], str]) -> Iterator[str]:
    """What infinitely wide networks reach at the last time, on few and on many images."""
    if not kernels:
        return
    last = _at_last_time(kernels)
    score = _score(last)
    sizes = sorted({row["size"] for row in last})
    largest, smallest = ([r for r in last if r["size"] == sizes[end]] for end in (-1, 0))
    # Of few images, the same architectures as of many.
    both = {_architecture(row) for row in largest} & {_architecture(row) for row in smallest}
    smallest = [row for row in smallest if _architecture(row) in both]
    values, over = _by_kind(largest, score, named)
    before = f"; with {sizes[0]:,}, {_by_kind(smallest, score, named)[0]}" if smallest else ""
    yield (
        f"Infinite width, {counted(sizes[-1], 'training image')}, "
        f"t = {time_label(last[0]['time'])}: {score.name} {values}{over}"
        f"{before if len(sizes) > 1 else ''}."
    )


def _by_kind(rows: Rows, score: _Score, named: Callable[[_Key], str]) -> tuple[str, str]:
    """The means of each kernel, and what they are over and their errors are of."""
    means = {
        kind: _Means.of_rows([row for row in rows if row["kernel"] == kind], score)
        for kind in sorted({row["kernel"] for row in rows})
    }
    # The kernels have the same architectures, draws and test images.
    (first, *_) = means.values()
    return ", ".join(f"{kind.upper()} {m.text}" for kind, m in means.items()), first.over(named)


def _networks(networks: Rows, kernels: Rows, named: Callable[[_Key], str]) -> Iterator[str]:
    """What the widest networks reach on most images, and how far that is from the limits."""
    if not networks:
        return
    score = _score(networks)
    size = max(row["size"] for row in networks)
    of_size = [row for row in networks if row["size"] == size]
    widths: dict[_Key, set[int]] = {}
    for row in of_size:
        widths.setdefault(_architecture(row), set()).add(row["width"])
    widest = [row for row in of_size if row["width"] == max(widths[_architecture(row)])]
    narrowest = [row for row in of_size if row["width"] == min(widths[_architecture(row)])]
    last = [row for row in _at_last_time(kernels) if row["size"] == size]
    gaps = {
        kind: found
        for kind in sorted({row["kernel"] for row in last})
        for limits in [[row for row in last if row["kernel"] == kind]]
        if (found := _gap(widest, limits, score))
    }
    words = ", ".join(
        f"{gap}{'' if i else score.unit} from the {kind.upper()}"
        for i, (kind, gap) in enumerate(gaps.items())
    )
    ends = sorted({row["width"] for row in widest})
    width = f"Finite width {ends[0]:,}"
    if len(ends) > 1:
        width = f"The widest networks of each architecture ({ends[0]:,} … {ends[-1]:,})"
    mean = _Means.of_rows(widest, score)
    yield (
        f"{width}, {counted(size, 'training image')}: {score.name} {mean.text}{mean.over(named)}"
        f"{f'; {words}' if words else ''}."
    )
    *_, kind = gaps or [""]
    of_kind = [row for row in last if row["kernel"] == kind]
    same = len({tuple(sorted(own)) for own in widths.values()}) == 1
    if same and min(ends) > narrowest[0]["width"] and kind:
        yield (
            f"From width {narrowest[0]['width']:,} to {ends[0]:,}, the gap to the {kind.upper()} "
            f"goes from {_gap(narrowest, of_kind, score)} to {gaps[kind]}{score.unit}."
        )


def _gap(networks: Rows, limits: Rows, score: _Score) -> str:
    """Networks less a limit with its standard error, each on its own draw of training images.

    Of one run, the error takes the test images of both sides as independent; they are the same, so
    that it is an upper bound.
    """
    of_limit = {(_architecture(r), r["draw"]): r[score.column] for r in limits}
    runs: dict[_Key, list[tuple[float, float]]] = {}
    for row in networks:
        place = (_architecture(row), row["draw"])
        if place in of_limit:
            runs.setdefault(place[0], []).append((row[score.column], of_limit[place]))
    means, errors = [], []
    for pairs in runs.values():
        own = [score.scale * (network - limit) for network, limit in pairs]
        means.append(statistics.fmean(own))
        if len(own) > 1:
            errors.append(statistics.stdev(own) / math.sqrt(len(own)))
        elif score is _ACCURACY:
            variance = sum(p * (1 - p) / networks[0]["test_size"] for p in pairs[0])
            errors.append(score.scale * math.sqrt(variance))
    if not means:
        return ""
    up_to = "up to " if len(means) > 1 else ""
    error = f" ± {up_to}{max(errors):.{score.digits}f}" if errors else ""
    return f"{range_in_words(means, score.digits)}{error}"


def _cautions(networks: Rows) -> list[str]:
    """Why networks are not comparable with the limits."""
    if not networks:
        return []
    reasons = unlike(
        networks[0]["loss"],
        networks[0]["parameterization"],
        [row["train_accuracy"] for row in networks if row["train_accuracy"] is not None],
        [row["train_mse"] for row in networks if row["train_mse"] is not None],
        statistics.fmean(row["test_mse"] or 0.0 for row in networks),
    )
    return [f"Not like for like: {'; '.join(reasons)}."] if reasons else []


def _of_one_run(networks: Rows) -> list[str]:
    """That the spread of networks is not known, if there is one of each cell."""
    runs = {(row["seed"], row["draw"]) for row in networks}
    return ["One seed: how much a network varies between seeds is not known."] * (len(runs) == 1)


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


class _Means(NamedTuple):
    """A mean for each architecture, and its standard error.

    Attributes:
        values: by architecture.
        errors: of each; none if they are not known.
        of: what the errors are of, in words.
        score: of the values.
    """

    values: dict[_Key, float]
    errors: Sequence[float]
    of: str
    score: _Score

    @classmethod
    def of_rows(cls, rows: Rows, score: _Score) -> "_Means":
        """The means of rows of one size.

        Where there are several seeds or draws, the error is that over them.
        """
        runs: dict[_Key, list[float]] = {}
        for row in rows:
            runs.setdefault(_architecture(row), []).append(row[score.column])
        values = {architecture: statistics.fmean(own) for architecture, own in runs.items()}
        numbers = sorted({len(own) for own in runs.values()})
        if numbers[0] > 1:
            errors = [statistics.stdev(own) / math.sqrt(len(own)) for own in runs.values()]
            return cls(values, errors, f"{' to '.join(map(str, numbers))} runs", score)
        if score is _ACCURACY:
            images = rows[0]["test_size"]
            errors = [math.sqrt(p * (1 - p) / images) for p in values.values()]
            return cls(values, errors, counted(images, "test image"), score)
        return cls(values, [], "", score)

    @property
    def text(self) -> str:
        """The one value with its error, or the range of values."""
        if len(self.values) > 1:
            return range_in_words(list(self.values.values()), 3)
        (value,) = self.values.values()
        error = f" ± {format(self.errors[0], self.score.number)}" if self.errors else ""
        return f"{format(value, self.score.number)}{error}"

    def over(self, named: Callable[[_Key], str]) -> str:
        """What the values are over and what their errors are of, in brackets."""
        if len(self.values) > 1:
            words = [f"over {counted(len(self.values), 'architecture')}"]
            if self.errors:
                largest = format(max(self.errors), self.score.number)
                words.append(f"standard errors up to {largest}, of {self.of}")
        else:
            words = [name for name in map(named, self.values) if name]
            words += [f"± standard error, of {self.of}"] if self.errors else []
        return f" ({'; '.join(words)})" if words else ""


def _at_last_time(kernels: Rows) -> Rows:
    last = max((row["time"] for row in kernels), default=math.inf)
    return [row for row in kernels if row["time"] == last]


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


def _architecture(row: Mapping[str, Any]) -> _Key:
    return tuple(row[name] for name in _ARCHITECTURE)


def _words(key: _Key) -> str:
    """An architecture, as in ``relu, depth 2, W_std 1.5, b_std 0.1``."""
    named = dict(zip(_ARCHITECTURE, key, strict=True))
    return ", ".join(
        [str(named.pop("activation")), *(f"{name} {value:g}" for name, value in named.items())]
    )


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*_architecture(row), row["size"], row["time"])
