"""What stands on the page of an experiment, as plain values: settings, tables and times."""

import base64
import csv
import gzip
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from ntk_mnist.charts.labels import counted, decimal
from ntk_mnist.charts.observations import ARCHITECTURE, setting_in_words
from ntk_mnist.declarations import declared
from ntk_mnist.plan.experiment import Experiment
from ntk_mnist.settings import Config
from ntk_mnist.terminal.words import duration

__all__ = [
    "CellTime",
    "Column",
    "Download",
    "Preview",
    "Setting",
    "cell_times",
    "downloads",
    "preview",
    "settings_of",
    "times_in_words",
]

#: How many rows of a table the page shows.
_SHOWN = 25
#: The most bytes of downloads of one table that are in the page; larger ones lie beside it.
LARGEST_DOWNLOAD = 600_000


class Setting(NamedTuple):
    """A setting of an experiment: its key in the config, its value and its sentence."""

    key: str
    value: str
    meaning: str


class Column(NamedTuple):
    """A column that is shown: its name and sentence, and whether it holds numbers."""

    name: str
    meaning: str
    number: bool


class Preview(NamedTuple):
    """The first rows of a table.

    Attributes:
        columns: those that have more than one value.
        rows: their values as text.
        left_out: what is not shown, in words.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    left_out: str


class Download(NamedTuple):
    """A file that a reader can store.

    Attributes:
        id: of the element that holds it.
        text: what it is, with its size.
        file: its name.
        content: its bytes as base64; empty if it lies beside the page.
        encoding: ``gzip`` if the bytes are compressed, or ``""``.
    """

    id: str
    text: str
    file: str
    content: str
    encoding: str


class CellTime(NamedTuple):
    """How long a cell took: its name, how many networks or kernels, and seconds."""

    name: str
    runs: int
    seconds: float


def settings_of(experiment: Experiment) -> Iterator[Setting]:
    """Every setting that decides the results of an experiment, with its value."""
    sections = {field.name: field for field in declared(Config)}
    for name in ("inputs", "training", "solve"):
        values = getattr(experiment, name)
        unused: frozenset[str] = getattr(values, "unused", frozenset())
        for field in declared(sections[name].type):
            if field.name not in unused:
                value = getattr(values, field.name)
                yield Setting(f"{name}.{field.name}", _text(value), field.description)
    grid = {field.name: field.description for field in declared(sections["grid"].type)}
    for i, group in enumerate(experiment.groups):
        of_group = f" (group {i + 1})" if len(experiment.groups) > 1 else ""
        architectures = "; ".join(
            ", ".join(setting_in_words(name, getattr(a, name)) for name in ARCHITECTURE)
            for a in group.architectures
        )
        yield Setting(f"architecture{of_group}", architectures, "of both sides")
        yield Setting(f"grid.size{of_group}", _text(group.sizes), grid["size"])
        yield Setting(f"grid.width{of_group}", _text(group.widths), grid["width"])
        if experiment.inputs.draws:
            yield Setting(f"grid.draw{of_group}", _text(group.draws), grid["draw"])
    if experiment.networks:
        yield Setting("grid.seed", _text(experiment.seeds), grid["seed"])
    if experiment.published:
        yield Setting("published", experiment.published, "published numbers beside the results")


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return decimal(value) if isinstance(value, float) and math.isfinite(value) else str(value)


def preview(table: pa.Table) -> Preview:
    """The first rows of a table, without the columns that have one value in all of them.

    Args:
        table: its fields' metadata hold their sentences.
    """
    kept = []
    for field in table.schema:
        if not pa.types.is_list(field.type):
            values = table[field.name].unique()
            if len(values) > 1 or table.num_rows == 1:
                kept.append(field)
    columns = [
        Column(
            field.name,
            (field.metadata or {}).get(b"description", b"").decode(),
            pa.types.is_integer(field.type) or pa.types.is_floating(field.type),
        )
        for field in kept
    ]
    shown = table.select([column.name for column in columns]).slice(0, _SHOWN)
    rows = [[_cell(value) for value in row.values()] for row in shown.to_pylist()]
    more = f"The first {_SHOWN} of " if table.num_rows > _SHOWN else ""
    constant = len(table.schema) - len(columns)
    left_out = f"{more}{counted(table.num_rows, 'row')}."
    if constant:
        left_out += f" {counted(constant, 'column')} with one value, or with lists, not shown."
    return Preview(columns, rows, left_out)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return decimal(value, 5) if math.isfinite(value) else str(value).replace("inf", "∞")
    return str(value)


def downloads(name: str, table: pa.Table, parquet: bytes) -> list[Download]:
    """A table as CSV and as Parquet.

    Args:
        name: of the table.
        table: its rows. In CSV, a list is JSON.
        parquet: the file as it is.
    """
    text = csv_of(table)
    # Without the time of now, so that equal tables make equal pages.
    packed = gzip.compress(text, compresslevel=9, mtime=0)
    found = []
    for ending, content, size, encoding in (
        ("csv", packed, len(text), "gzip"),
        ("parquet", parquet, len(parquet), ""),
    ):
        inside = len(content) <= LARGEST_DOWNLOAD
        # Beside the page lies the table itself; its CSV is nowhere.
        if inside or ending == "parquet":
            found.append(
                Download(
                    f"download-{name}-{ending}",
                    f"{ending.upper() if ending == 'csv' else 'Parquet'} ({_bytes(size)})",
                    f"{name}.{ending}",
                    base64.b64encode(content).decode() if inside else "",
                    encoding,
                )
            )
    return found


def csv_of(table: pa.Table) -> bytes:
    """A table as CSV; an infinite number is ``inf``, a missing value is empty, a list is JSON."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in table.to_pylist():
        writer.writerow(
            [json.dumps(value) if isinstance(value, list) else value for value in row.values()]
        )
    return out.getvalue().encode()


def _bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{math.ceil(size / 1e3):,} kB"


def cell_times(tables: Mapping[str, pd.DataFrame]) -> list[CellTime]:
    """How long each cell took, the longest first.

    The time of a network cell is that of compiling, training and evaluating; that of a kernel cell
    is of its matrices, solve and predictions. The start of a process is in neither.

    Args:
        tables: ``network`` and ``kernel``, if the experiment has them.
    """
    found: list[CellTime] = []
    for name, seconds, run, axes in (
        ("network", "train_seconds", ["seed"], ["width", "size"]),
        ("kernel", "solve_seconds", ["kernel"], ["size"]),
    ):
        if name not in tables:
            continue
        table = tables[name]
        drawn = ["draw"] if table["draw"].notna().any() else []
        keys = [*ARCHITECTURE, *axes, *drawn]
        # A run has a row for each time, all with its whole time.
        runs = table.groupby([*keys, *run], as_index=False).agg({seconds: "max"})
        cells = runs.groupby(keys, as_index=False).agg(
            runs=(seconds, "size"), seconds=(seconds, "sum")
        )
        for row in cells.to_dict("records"):
            of_axes = ", ".join(f"{axis} {row[axis]:,}" for axis in [*axes, *drawn])
            architecture = ", ".join(setting_in_words(k, row[k]) for k in ARCHITECTURE)
            found.append(
                CellTime(f"{name}, {of_axes}, {architecture}", row["runs"], row["seconds"])
            )
    return sorted(found, key=lambda cell: -cell.seconds)


def times_in_words(cells: Iterable[CellTime]) -> str:
    """All cells together, and the longest."""
    found = list(cells)
    if not found:
        return "No cell states a time."
    total = sum(cell.seconds for cell in found)
    return (
        f"{counted(len(found), 'cell')} took {duration(total)} together, one after another, "
        f"without the starts of their processes; the longest took {duration(found[0].seconds)}: "
        f"{found[0].name}."
    )
