"""Rows of the tables: which ones a chart may draw together, and what they share, in words.

A table holds one row an observation. What identifies a row is its architecture (activation,
depth, ``W_std``, ``b_std``) and a few columns more, such as width, size and seed. A chart draws
one row of panels for each architecture. It averages over seeds and over nothing else, and it
compares a network with the kernel of the network's own architecture.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import pandas as pd
from msgspec.structs import asdict

from ntk_mnist import UserError
from ntk_mnist.charts.labels import counted, decimal
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.measures import OUTPUTS
from ntk_mnist.settings import Architecture, Inputs, Training

__all__ = [
    "ARCHITECTURE",
    "ChartError",
    "architectures_in",
    "at_infinity",
    "checked",
    "headings",
    "inputs_and_shared",
    "kernels_in",
    "of_architecture",
    "over_seeds",
    "setting_in_words",
    "subject",
    "training",
]

#: Columns that identify an architecture.
ARCHITECTURE: tuple[str, ...] = Architecture.__struct_fields__
#: Columns that identify a row of a table, beside its architecture.
_KEYS: Mapping[str, tuple[str, ...]] = {
    **{name: rows.ORDER for outputs in OUTPUTS.values() for name, rows in outputs.items()},
    "evidence": OUTPUTS["kernel"]["kernel"].ORDER,
}
#: Columns that have one value in all the tables of a chart.
_SHARED: tuple[str, ...] = (*Inputs.__struct_fields__, *Training.__struct_fields__)


class ChartError(UserError):
    """The rows of the tables cannot be drawn in one chart."""


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
        key = [*ARCHITECTURE, *_KEYS[name]]
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
    return list(drawn.values())


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


def over_seeds(networks: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean, lowest and highest of a column over the seeds of each architecture, width and size.

    Returns:
        The identifying columns with ``value``, ``low`` and ``high``.
    """
    groups = networks.groupby([*ARCHITECTURE, "width", "size"], as_index=False, dropna=False)
    return groups.agg(value=(column, "mean"), low=(column, "min"), high=(column, "max"))


def headings(architectures: Sequence[Architecture]) -> list[str]:
    """For each architecture the settings in which they differ, as in ``depth 3, W_std 1.5``.

    The heading of a single architecture is empty.
    """
    shared = _shared(architectures)

    def heading(architecture: Architecture, digits: int) -> str:
        values = asdict(architecture).items()
        return ", ".join(_words(name, v, digits) for name, v in values if name not in shared)

    short = [heading(architecture, 6) for architecture in architectures]
    if len(set(short)) == len(short):
        return short
    return [heading(architecture, 17) for architecture in architectures]


def subject(table: pd.DataFrame, architectures: Sequence[Architecture]) -> str:
    """Dataset, the settings that all architectures share, and the number of test images."""
    images = counted(table.iloc[0]["test_size"], "test image")
    return f"{inputs_and_shared(table, architectures)}, {images}"


def inputs_and_shared(table: pd.DataFrame, architectures: Sequence[Architecture]) -> str:
    """Dataset, and the settings that all architectures share."""
    title = CATALOGUE[table.iloc[0]["dataset"]].title
    shared = _shared(architectures).items()
    return ", ".join([title, *(setting_in_words(name, value) for name, value in shared)])


def setting_in_words(name: str, value: Any) -> str:
    """A setting of an architecture: ``relu``, ``2 hidden layers``, ``W_std 1.5``."""
    return counted(value, "hidden layer") if name == "depth" else _words(name, value)


def training(networks: pd.DataFrame) -> str:
    """How the networks were trained, and over how many seeds their mean is taken."""
    row = networks.iloc[0]
    text = (
        f"Networks: {row['parameterization']}, cross-entropy, {row['optimizer']}, "
        f"{counted(row['epochs'], 'epoch')}"
    )
    seeds = networks.groupby([*ARCHITECTURE, "width", "size"], dropna=False).size()
    fewest, most = seeds.min(), seeds.max()
    if most == 1:
        return f"{text}; 1 seed"
    seeds_of_each = counted(most, "seed") if fewest == most else f"{fewest} to {most} seeds"
    return f"{text}; mean and range over {seeds_of_each}"


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
