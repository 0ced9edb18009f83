"""Parquet files of this project: written completely, and checked when they are read.

The file's metadata under the key ``ntk_mnist`` holds the record of what made it (``records``), a
SHA-256 of its rows, by which damage is found, and the seeds that a network's shard has.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ntk_mnist import UserError
from ntk_mnist.store.records import Record, differences
from ntk_mnist.store.whole_files import write_whole

__all__ = ["About", "TableError", "about", "is_current", "read", "write", "write_table"]

_METADATA_KEY = b"ntk_mnist"


class TableError(UserError):
    """A shard or table is missing, damaged, or does not have the declared columns."""


class About(NamedTuple):
    """What a file says about itself.

    Attributes:
        made: the record of what made it.
        sha256: of its rows.
        seeds: in its rows, ascending; none if it has no such column.
    """

    made: Record
    sha256: str
    seeds: tuple[int, ...] = ()


def write(file: Path, schema: pa.Schema, rows: Iterable[Mapping[str, Any]], made: Record) -> None:
    """Write rows; the file appears only when it is complete and on disk.

    Raises:
        TableError: a row lacks a column, has one that the schema lacks, or has a value of another
            type.
    """
    rows = list(rows)
    for row in rows:
        if unknown := sorted(set(row) - set(schema.names)):
            raise TableError(f"{file}: the schema has no column {', '.join(unknown)}")
    try:
        table = pa.Table.from_pylist(rows, schema=schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise TableError(f"{file}: {error}") from None
    for field in schema:
        if table[field.name].null_count:
            raise TableError(f"{file}: a row lacks the column {field.name}")
    write_table(file, table, made)


def write_table(file: Path, table: pa.Table, made: Record) -> None:
    """Write a table; the file appears only when it is complete and on disk."""
    seeds = set(table["seed"].to_pylist()) if "seed" in table.column_names else set()
    said = About(made, _digest(table), tuple(sorted(seeds)))
    stamped = table.replace_schema_metadata({_METADATA_KEY: json.dumps(said._asdict())})
    write_whole(file, lambda stream: pq.write_table(stamped, stream))


def _digest(table: pa.Table) -> str:
    return hashlib.sha256(json.dumps(table.to_pydict()).encode()).hexdigest()


def about(file: Path) -> About:
    """What a file says about itself, from its last few kilobytes.

    Raises:
        TableError: it is missing, damaged there, or not a file of this project.
    """
    try:
        return _said(pq.read_metadata(file).metadata)
    except _DAMAGE as error:
        raise _unreadable(file, error) from None


def is_current(file: Path, made: Record) -> bool:
    """Whether a file exists and ``made`` is the record of what made it."""
    try:
        return not differences(about(file).made, made)
    except TableError:
        return False


def read(file: Path, schema: pa.Schema) -> tuple[pa.Table, About]:
    """Read a shard or table, check every row, and return what it says about itself too.

    Raises:
        TableError: the file is missing, damaged or of another schema.
    """
    try:
        # ParquetFile and not read_table, which would add the folders' names as columns.
        with pq.ParquetFile(file) as stream:
            table = stream.read()
        if not table.schema.equals(schema):
            raise TableError(
                f"{file}: has the columns {', '.join(table.schema.names)}; "
                f"expected {', '.join(schema.names)}; delete it, and it is computed again"
            )
        said = _said(table.schema.metadata)
    except _DAMAGE as error:
        raise _unreadable(file, error) from None
    if said.sha256 != _digest(table):
        raise TableError(f"{file}: checksum mismatch; delete it, and it is computed again")
    return table.replace_schema_metadata(), said


_DAMAGE = (OSError, ValueError, KeyError, TypeError, pa.ArrowException)


def _said(metadata: Mapping[bytes, bytes] | None) -> About:
    said = json.loads((metadata or {})[_METADATA_KEY])
    return About(**{**said, "seeds": tuple(said["seeds"])})


def _unreadable(file: Path, error: Exception) -> TableError:
    reason = (str(error).splitlines() or ["empty"])[0]
    return TableError(
        f"{file}: not a complete Parquet file of this project ({reason}); "
        "delete it, and it is computed again"
    )
