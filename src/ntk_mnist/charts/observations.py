"""Rows of the tables: which ones a chart may draw together, and what they share, in words.

A table holds one row an observation. What identifies a row is its architecture (activation,
depth, ``W_std``, ``b_std``) and a few columns more, such as width, size and seed. A chart draws
one row of panels for each architecture. It averages over seeds and over nothing else, and it
compares a network with the kernel of the network's own architecture.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd
from msgspec.structs import asdict
from scipy.special import stdtrit

from ntk_mnist import UserError
from ntk_mnist.charts.findings import LOSSES, NOT_CENTRED, unlike
from ntk_mnist.charts.labels import counted, decimal
from ntk_mnist.data.own import title_of
from ntk_mnist.measures import COMPARISONS, OUTPUTS
from ntk_mnist.settings import Architecture, Inputs, Training

__all__ = [
    "ARCHITECTURE",
    "ChartError",
    "Score",
    "architectures_in",
    "at_infinity",
    "averaged",
    "cautions",
    "checked",
    "checked_like_for_like",
    "gaps_to_limit",
    "geometric_over_seeds",
    "gradient_descent",
    "half_interval",
    "headings",
    "inputs_and_shared",
    "kernels_in",
    "of_architecture",
    "over_seeds",
    "run_noun",
    "score_of",
    "seeds_in_words",
    "setting_in_words",
    "subject",
    "training",
]

#: Columns that identify an architecture.
ARCHITECTURE: tuple[str, ...] = Architecture.__struct_fields__
#: Columns that identify a row of a table, beside its architecture.
_KEYS: Mapping[str, tuple[str, ...]] = {
    **{
        name: rows.ORDER for made in (*OUTPUTS.values(), COMPARISONS) for name, rows in made.items()
    },
    "evidence": OUTPUTS["kernel"]["kernel"].ORDER,
}
#: Columns that have one value in all the tables of a chart.
_SHARED: tuple[str, ...] = tuple(
    dict.fromkeys([*Inputs.__struct_fields__, *Training.__struct_fields__, "loss"])
)
#: What a network must share with the NTK, so that what is left between them is width.
_LIKE_FOR_LIKE: Mapping[str, str] = {"loss": "squared_error", "parameterization": "ntk"}


#: Columns that identify a network up to its seed.
_CELL: tuple[str, ...] = (*ARCHITECTURE, "width", "size")


class ChartError(UserError):
    """The rows of the tables cannot be drawn in one chart."""


class Score(NamedTuple):
    """How well networks and kernels predict test images: their accuracy, or its stand-in.

    Attributes:
        column: of both tables.
        title: in words, the first one capitalized.
        largest: upper end of an axis from 0 on.
        number: format of a value.
    """

    column: str
    title: str
    largest: float
    number: str


def score_of(*tables: pd.DataFrame) -> Score:
    """The test accuracy; of real-valued targets, which have none, the squared error."""
    if not all(table["test_accuracy"].isna().all() for table in tables):
        return Score("test_accuracy", "Test accuracy", 1.0, ".3f")
    largest = max(table["test_mse"].max() for table in tables)
    return Score("test_mse", "Test squared error", float(largest) or 1.0, ".4g")


def checked(tables: Mapping[str, pd.DataFrame], names: Iterable[str]) -> list[pd.DataFrame]:
    """The named tables, in which every row is one observation and all rows are comparable.

    Raises:
        ChartError: a table is empty; two of its rows have the same architecture, kernel, width,
            size, time and seed; or rows differ in how the inputs were made or the networks
            trained.
    """
    drawn = {name: tables[name] for name in names}
    for name, table in drawn.items():
        if table.empty:
            raise ChartError(f"the {name} table has no rows")
        # A network that is evaluated at several times has a row for each.
        more = [column for column in ("time", "draw") if column in table]
        key = list(dict.fromkeys([*ARCHITECTURE, *_KEYS[name], *more]))
        repeated = table[table.duplicated(key)]
        if not repeated.empty:
            row = ", ".join(f"{column} {repeated.iloc[0][column]}" for column in key)
            raise ChartError(f"the {name} table has two rows for {row}")
    for column in _SHARED:
        columns = [table[column] for table in drawn.values() if column in table]
        values = pd.concat(columns).unique() if columns else []
        if len(values) > 1:
            raise ChartError(
                f"rows with different {column} cannot share a chart: {', '.join(map(str, values))}"
            )
    return [_over_draws(table, [*ARCHITECTURE, *_KEYS[n]]) for n, table in drawn.items()]


def _over_draws(table: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """One observation of several draws of training images.

    Networks of a further draw count as of further seeds. Kernels are averaged. The column
    ``draws`` says how many there are.
    """
    draws = table["draw"].nunique()
    if draws < 2:
        return table
    if "seed" in table:
        seeds = table.groupby(["draw", "seed"]).ngroup()
        return table.assign(seed=seeds, draws=draws)
    by = list(dict.fromkeys([*key, *(["time"] if "time" in table else [])]))
    averaged = {
        column: "mean" if pd.api.types.is_float_dtype(table[column]) else "first"
        for column in table
        if column not in by
    }
    return table.groupby(by, as_index=False, sort=False).agg(averaged).assign(draws=draws)


def checked_like_for_like(
    tables: Mapping[str, pd.DataFrame], names: Sequence[str]
) -> list[pd.DataFrame]:
    """As :func:`checked`, and the networks share the loss and the parameterization of the NTK.

    Args:
        tables: data frames by their names.
        names: the tables to draw; the first has rows of networks.

    Raises:
        ChartError: as of :func:`checked`; or the networks minimize another loss than the NTK, or
            have a parameterization in which the NTK is not their limit.
    """
    drawn = checked(tables, names)
    for column, needed in _LIKE_FOR_LIKE.items():
        found = drawn[0][column].iloc[0] if column in drawn[0] else "another one"
        if found != needed:
            raise ChartError(
                f"not like for like: the NTK has {column} {needed}, the networks {found}"
            )
    return drawn


def architectures_in(*tables: pd.DataFrame) -> list[Architecture]:
    """Every architecture that occurs in a table, sorted by activation, depth, W_std and b_std."""
    columns = list(ARCHITECTURE)
    every = pd.concat([table[columns] for table in tables]).drop_duplicates().sort_values(columns)
    return msgspec.convert(every.to_dict("records"), list[Architecture])


def of_architecture(table: pd.DataFrame, architecture: Architecture) -> pd.DataFrame:
    """The rows of one architecture."""
    chosen = pd.Series(True, index=table.index)
    for name, value in asdict(architecture).items():
        chosen &= table[name] == value
    return table[chosen]


def kernels_in(table: pd.DataFrame) -> list[str]:
    """The kernels of a table, sorted by name."""
    return sorted(table["kernel"].unique())


def at_infinity(kernels: pd.DataFrame) -> pd.DataFrame:
    """The rows of the kernel table at gradient-flow time ∞."""
    return kernels[kernels["time"] == math.inf]


def gaps_to_limit(
    networks: pd.DataFrame, kernels: pd.DataFrame, score: Score, kind: str
) -> pd.DataFrame:
    """The networks with the column ``gap``: their score minus a kernel's at infinite time.

    Each is compared with the kernel of its own draw of training images.

    Args:
        networks: a row a run.
        kernels: the table as it is, not averaged over draws.
        score: of both.
        kind: of the kernel.

    Raises:
        ChartError: a network has no limit.
    """
    shared = [*ARCHITECTURE, "size", "draw"]
    limits = at_infinity(kernels[kernels["kernel"] == kind])[[*shared, score.column]]
    pairs = networks.merge(
        limits.rename(columns={score.column: "limit"}), on=shared, how="left", validate="m:1"
    )
    without = pairs[pairs["limit"].isna()]
    if not without.empty:
        row = ", ".join(f"{name} {without.iloc[0][name]}" for name in shared)
        raise ChartError(f"the kernel table has no {kind} at infinite time for {row}")
    return pairs.assign(gap=pairs[score.column] - pairs["limit"])


def over_seeds(networks: pd.DataFrame, column: str, by: Sequence[str] = ()) -> pd.DataFrame:
    """Mean, lowest and highest of a column over the seeds of each architecture, width and size.

    Args:
        networks: a row a seed.
        column: what is averaged.
        by: further columns whose values are kept apart, such as ``time``.

    Returns:
        The identifying columns with ``value``, ``low`` and ``high``.
    """
    groups = networks.groupby([*_CELL, *by], as_index=False, dropna=False)
    return groups.agg(value=(column, "mean"), low=(column, "min"), high=(column, "max"))


def geometric_over_seeds(table: pd.DataFrame, column: str, by: Sequence[str] = ()) -> pd.DataFrame:
    """Geometric mean of a column over seeds, and its 95 % confidence interval.

    The interval is that of the mean logarithm by Student's t, exp(mean ± t s / √seeds); a mean of
    one seed has one of no length. On a log-log chart the least-squares line of all networks is
    that of these means, if all widths have equally many seeds. A mean over a value that is 0 or
    not finite is left out, as a log axis has no place for it.

    Args:
        table: a row a seed.
        column: what is averaged, positive.
        by: further columns whose values are kept apart, such as ``time``.

    Returns:
        The identifying columns with ``value``, ``low``, ``high`` and ``seeds``.
    """
    keys = [*_CELL, *by]
    usable = (table[column] > 0) & np.isfinite(table[column])
    whole = usable.groupby([table[key] for key in keys], dropna=False).transform("all")
    logs = table.loc[whole, keys].assign(log=np.log(table.loc[whole, column]))
    groups = logs.groupby(keys, as_index=False, dropna=False)
    means = groups.agg(mean=("log", "mean"), deviation=("log", "std"), seeds=("log", "size"))
    half = half_interval(means["deviation"] / np.sqrt(means["seeds"]), means["seeds"])
    return means[[*keys, "seeds"]].assign(
        value=np.exp(means["mean"]),
        low=np.exp(means["mean"] - half),
        high=np.exp(means["mean"] + half),
    )


def half_interval(errors: pd.Series, seeds: pd.Series) -> pd.Series:
    """Half of the 95 % confidence interval of a mean over seeds, by Student's t.

    Args:
        errors: the standard error of each mean; null for one seed, whose interval has no length.
        seeds: how many each mean is of.
    """
    quantiles = stdtrit((seeds - 1).clip(lower=1), 0.975)
    half: pd.Series = errors.mul(quantiles).fillna(0.0)
    return half


def headings(architectures: Sequence[Architecture]) -> list[str]:
    """For each architecture the settings in which they differ, as in ``depth 3, W_std 1.5``.

    The heading of a single architecture is empty.
    """
    shared = _shared(architectures)

    def heading(architecture: Architecture, digits: int) -> str:
        values = asdict(architecture).items()
        return ", ".join(_words(name, v, digits) for name, v in values if name not in shared)

    for digits in (4, 6):
        short = [heading(architecture, digits) for architecture in architectures]
        if len(set(short)) == len(short):
            return short
    return [heading(architecture, 17) for architecture in architectures]


def subject(table: pd.DataFrame, architectures: Sequence[Architecture]) -> str:
    """Dataset, the settings that all architectures share, and the number of test images."""
    images = counted(table.iloc[0]["test_size"], "test image")
    return f"{inputs_and_shared(table, architectures)}, {images}"


def inputs_and_shared(table: pd.DataFrame, architectures: Sequence[Architecture]) -> str:
    """Dataset, and the settings that all architectures share."""
    title = title_of(table.iloc[0]["dataset"])
    shared = _shared(architectures).items()
    words = [title, *(setting_in_words(name, value) for name, value in shared)]
    if "draws" in table:
        words.append(f"mean over {counted(table['draws'].iloc[0], 'draw')} of the training images")
    return ", ".join(words)


def setting_in_words(name: str, value: Any) -> str:
    """A setting of an architecture: ``relu``, ``2 hidden layers``, ``W_std 1.5``."""
    return counted(value, "hidden layer") if name == "depth" else _words(name, value)


def training(networks: pd.DataFrame) -> str:
    """How the networks were trained, and over how many seeds their mean is taken."""
    row = networks.iloc[0]
    text = (
        f"Networks: {row['parameterization']}, {LOSSES[row['loss']]}, {row['optimizer']}, "
        f"{counted(row['epochs'], 'epoch')}"
    )
    return f"{text}; {averaged(networks, 'mean and range')}"


def cautions(networks: pd.DataFrame) -> list[str]:
    """Why networks are not comparable with the limits, a line of a subtitle; or nothing."""
    faults = unlike(
        networks["loss"].iloc[0],
        networks["parameterization"].iloc[0],
        networks["train_accuracy"].dropna().tolist(),
        networks["train_mse"].dropna().tolist(),
        networks["test_mse"].mean(),
    )
    return [f"Not like for like: {'; '.join(faults)}"] if faults else []


def gradient_descent(networks: pd.DataFrame) -> list[str]:
    """How networks were trained on the NTK's terms, and what keeps them from it; lines."""
    step_size = decimal(networks["step_size"].iloc[0], 6)
    lines = [
        "Networks: NTK parameterization, squared error, full-batch gradient descent, "
        f"step size {step_size}"
    ]
    return lines if networks["centred"].all() else [*lines, NOT_CENTRED]


def averaged(networks: pd.DataFrame, average: str) -> str:
    """Over how many seeds an average is taken: ``mean and range over 3 seeds``, or ``1 seed``.

    Networks of several draws of training images are runs, as these differ in more than a seed.
    """
    noun = run_noun(networks)
    seeds = networks.groupby(list(_CELL), dropna=False)["seed"].nunique()
    return f"1 {noun}" if seeds.max() == 1 else f"{average} over {seeds_in_words(seeds, noun)}"


def run_noun(networks: pd.DataFrame) -> str:
    """What networks of one cell differ in: ``seed``, or ``run`` if they have several draws too."""
    return "run" if "draws" in networks else "seed"


def seeds_in_words(seeds: pd.Series, noun: str = "seed") -> str:
    """How many there are of each: ``3 seeds``, or ``2 to 3 seeds``."""
    fewest, most = seeds.min(), seeds.max()
    return counted(most, noun) if fewest == most else f"{fewest} to {most} {noun}s"


def _shared(architectures: Sequence[Architecture]) -> dict[str, Any]:
    """The settings that all architectures have in common."""
    first, *others = map(asdict, architectures)
    return {
        name: value
        for name, value in first.items()
        if all(other[name] == value for other in others)
    }


def _words(name: str, value: Any, digits: int = 6) -> str:
    return value if isinstance(value, str) else f"{name} {decimal(value, digits)}"
