"""Published numbers, as a file in ``config/published/`` states them.

title: what it is, in a few words
citation: paper and table, or repository, file and commit
explanation: where our results differ, and why
facts:
  - table: kernel                     # or network
    where: {kernel: nngp, time: .inf} # which rows of that table
    column: test_accuracy             # what was published
    decimals: 3
    over: size                        # the column that each value belongs to
    values: {20: 0.505, 100: 0.657}
pictures:                             # of which no number was published
  - figure: Figure 3                  # as the citation numbers it
    experiment: lee2018_uncertainty   # of config/
    chart: calibration                # of that experiment, which shows the same
    explanation: what to see in both
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pyarrow as pa
import yaml
from msgspec import Meta, Struct

from ntk_mnist import UserError
from ntk_mnist.plan.config_sources import file_faults
from ntk_mnist.plan.experiment import Experiment
from ntk_mnist.settings import Architecture
from ntk_mnist.store.schemas import TABLE_SCHEMAS

__all__ = [
    "Facts",
    "Picture",
    "Published",
    "check_published",
    "digest_of_published",
    "matching",
    "read_published",
]

#: Columns that tell our rows apart, but for the seed and the draw of training images.
_IDENTITY = (*Architecture.__struct_fields__, "size", "width", "kernel", "time")


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Published values of one column.

    Attributes:
        table: that has our values.
        where: by column, the value of the rows that they are in.
        column: of the values.
        decimals: number of decimals that were published.
        over: the column that the keys of ``values`` are values of.
        values: the published values.
    """

    table: Literal["kernel", "network"]
    where: Mapping[str, str | float]
    column: str
    decimals: Annotated[int, Meta(ge=0, le=15)]
    over: str
    values: Annotated[Mapping[int, float], Meta(min_length=1)]


class Picture(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A published picture that a chart of ours is to show again.

    Attributes:
        figure: its number.
        experiment: that has the chart.
        chart: one of ``charts.CHARTS``.
        explanation: what it shows, and how ours differs.
    """

    figure: str
    experiment: str
    chart: str
    explanation: str


class Published(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of published numbers; see the module."""

    title: str
    citation: str
    explanation: str
    facts: Annotated[tuple[Facts, ...], Meta(min_length=1)]
    pictures: tuple[Picture, ...] = ()


def read_published(file: Path) -> Published:
    """Read a file of published numbers.

    Raises:
        UserError: it cannot be read, or is not such a file, has a key twice, names a column that
            the table lacks or that has other values, or states a number twice.
    """
    try:
        found = msgspec.convert(yaml.safe_load(file.read_text("utf-8")), Published)
        for fault in file_faults(file, f"published: {file}", numbers=False):
            raise UserError(fault)
    except OSError as error:
        raise UserError(f"published: {file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UserError(f"published: {file}: not a text in UTF-8") from None
    except yaml.YAMLError as error:
        raise UserError(f"published: {file}: not YAML ({' '.join(str(error).split())})") from None
    except msgspec.ValidationError as error:
        raise UserError(f"published: {file}: {error}") from None
    stated = set()
    for i, facts in enumerate(found.facts):
        for fault in _faults(facts):
            raise UserError(f"published: {file}: facts[{i}]: {fault}")
        where = frozenset(facts.where.items())
        for at in facts.values:
            key = facts.table, where, facts.column, facts.over, at
            if key in stated:
                raise UserError(
                    f"published: {file}: facts[{i}]: {facts.column} at {facts.over} {at} is there "
                    "twice; keep one"
                )
            stated.add(key)
    return found


def _faults(facts: Facts) -> Iterator[str]:
    """What the table's columns do not allow."""
    schema = TABLE_SCHEMAS[facts.table]
    for name in (*facts.where, facts.column, facts.over):
        if name not in schema.names:
            yield f"the table {facts.table} has no column {name!r}; results/README.md lists them"
            return
    for name, value in facts.where.items():
        if pa.types.is_string(schema.field(name).type) != isinstance(value, str):
            kind = "numbers" if isinstance(value, str) else "text"
            yield f"where.{name}: {value!r} is not allowed, as the column has {kind}"
    if not pa.types.is_floating(schema.field(facts.column).type):
        yield f"column: {facts.column} is no measured number"
    if not pa.types.is_integer(schema.field(facts.over).type) or facts.over in ("seed", "draw"):
        yield f"over: {facts.over} is not allowed; allowed: a column of whole numbers, as size"
    for at, value in facts.values.items():
        if not math.isfinite(value):
            yield f"values.{at}: {value} is not a finite number"


def matching(facts: Facts, rows: Sequence[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    """Our rows that published values are of, by these values' places.

    Args:
        facts: the published values.
        rows: of our table.

    Raises:
        UserError: rows of one value differ in more than seed and draw, so that they are no runs of
            one thing.
    """
    found: dict[int, list[Mapping[str, Any]]] = {at: [] for at in facts.values}
    for row in rows:
        if row[facts.over] in found and _is_of(facts, row):
            found[row[facts.over]].append(row)
    for at, runs in found.items():
        several = [
            name
            for name in _IDENTITY
            if len({row.get(name) for row in runs}) > 1 and name not in facts.where
        ]
        if several:
            raise UserError(
                f"{facts.column} at {facts.over} {at} is of rows with different "
                f"{' and '.join(several)}; add {'it' if len(several) == 1 else 'them'} to where"
            )
    return found


def _is_of(facts: Facts, row: Mapping[str, Any]) -> bool:
    """Whether a row has the values of some facts; numbers to the digits that files state."""
    for column, value in facts.where.items():
        found = row[column]
        equal = (
            found is not None and math.isclose(found, value, rel_tol=1e-5)
            if isinstance(value, float)
            else found == value
        )
        if not equal:
            return False
    return True


def check_published(published: Published, experiment: Experiment) -> None:
    """Check that each number is of one thing that the experiment computes, before it does.

    Raises:
        UserError: rows of a number would differ in more than seed and draw.
    """
    solve = experiment.solve
    of_kernels = [
        {"kernel": kind, "time": time} for kind in solve.kinds for time in (*solve.times, inf)
    ]
    step_size = experiment.training.step_size
    untimed: list[dict[str, Any]] = [{"time": None}]
    rows: dict[str, list[dict[str, Any]]] = {
        "kernel": [cell.identity | row for cell in experiment.kernels for row in of_kernels],
        "network": [
            cell.identity | row
            for cell in experiment.networks
            for row in [{"time": t, "steps": round(t / step_size)} for t in cell.times] or untimed
        ],
    }
    for i, facts in enumerate(published.facts):
        planned = rows[facts.table]
        # What the numbers themselves decide is told when they are there.
        if not planned or not {*facts.where, facts.over} <= {*planned[0]}:
            continue
        try:
            matching(facts, planned)
        except UserError as error:
            raise UserError(f"published: facts[{i}]: {error}") from None


def digest_of_published(file: Path) -> str:
    """The SHA-256 of a file of published numbers; empty if it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
