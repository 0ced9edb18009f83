"""Parquet files of this project: written completely, and checked whole whenever they are opened.

The file's metadata under the key ``ntk_mnist`` holds the record of what made it (``records``), the
SHA-256 of the file (``stated_digest``), by which damage of any byte is found, and the seeds that a
network's shard has. Equal rows with an equal record make equal files.
"""

import io
import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ntk_mnist import UserError
from ntk_mnist.store.records import Record, differences
from ntk_mnist.store.schemas import OPTIONAL
from ntk_mnist.store.stated_digest import PLACE, state_digest, stated_digest
from ntk_mnist.store.whole_files import write_whole

__all__ = [
    "About",
    "TableError",
    "about",
    "is_current",
    "read",
    "rows_of",
    "write",
    "write_table",
]

_METADATA_KEY = b"ntk_mnist"


class TableError(UserError):
    """A shard or table is missing, damaged, or does not have the declared columns."""


class About(NamedTuple):
    """What a file says about itself.

    Attributes:
        made: the record of what made it.
        sha256: of the file.
        seeds: that it is complete for, ascending; none if it has no such column.
    """

    made: Record
    sha256: str
    seeds: tuple[int, ...] = ()


def write(
    file: Path,
    schema: pa.Schema,
    rows: Iterable[Mapping[str, Any]],
    made: Record,
    seeds: Iterable[int] | None = None,
) -> None:
    """Write rows; the file appears only when it is complete and on disk.

    Args:
        file: where.
        schema: its columns.
        rows: values by column; only those of optional columns may be null.
        made: the record of what made it.
        seeds: that it is complete for; those in its rows if None.

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
        # It may show a whole list of predictions.
        raise TableError(f"{file}: {textwrap.shorten(str(error), 200)}") from None
    for field in schema:
        if table[field.name].null_count and OPTIONAL not in (field.metadata or {}):
            raise TableError(f"{file}: a row lacks the column {field.name}")
    write_table(file, table, made, seeds)


def write_table(
    file: Path, table: pa.Table, made: Record, seeds: Iterable[int] | None = None
) -> None:
    """Write a table; the file appears only when it is complete and on disk.

    Args:
        file: where.
        table: what.
        made: the record of what made it.
        seeds: that it is complete for; those in its rows if None.
    """
    if seeds is None:
        seeds = set(table["seed"].to_pylist()) if "seed" in table.column_names else set()
    said = About(made, PLACE, tuple(sorted(seeds)))
    buffer = io.BytesIO()
    # Added to the file's metadata and not to the schema's, which the file would hold twice.
    with pq.ParquetWriter(buffer, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({_METADATA_KEY: json.dumps(said._asdict())})
    content = state_digest(buffer.getvalue())
    write_whole(file, lambda stream: stream.write(content))


def about(file: Path) -> About:
    """What a file says about itself.

    Raises:
        TableError: it is missing, damaged, or not a file of this project.
    """
    try:
        content = file.read_bytes()
        digest = stated_digest(content)
        return _said(pq.read_metadata(pa.BufferReader(content)).metadata, digest)
    except _DAMAGE as error:
        raise _unreadable(file, error) from None


def is_current(file: Path, made: Record) -> bool:
    """Whether a file exists and ``made`` is the record of what made it."""
    try:
        return not differences(about(file).made, made)
    except TableError:
        return False


def read(file: Path, schema: pa.Schema) -> tuple[pa.Table, About]:
    """Read a shard or table, and return what it says about itself too.

    Raises:
        TableError: the file is missing, damaged or of another schema.
    """
    try:
        content = file.read_bytes()
        digest = stated_digest(content)
        # ParquetFile and not read_table, which would add the folders' names as columns.
        table = pq.ParquetFile(pa.BufferReader(content)).read()
        said = _said(table.schema.metadata, digest)
    except _DAMAGE as error:
        raise _unreadable(file, error) from None
    if not table.schema.equals(schema):
        raise TableError(
            f"{file}: has the columns {', '.join(table.schema.names)}; expected "
            f"{', '.join(schema.names)}; {_REMEDY}"
        )
    return table.replace_schema_metadata(), said


def rows_of(file: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The rows of a file that was checked; of all columns if none are named."""
    rows: list[dict[str, Any]] = pq.ParquetFile(file).read(columns).to_pylist()
    return rows


_DAMAGE = (OSError, ValueError, KeyError, TypeError, pa.ArrowException)
_REMEDY = "run snakemake again, and it is computed again"


def _said(metadata: Mapping[bytes, bytes] | None, digest: str) -> About:
    said = json.loads((metadata or {})[_METADATA_KEY])
    return About(said["made"], digest, tuple(said["seeds"]))


def _unreadable(file: Path, error: Exception) -> TableError:
    reason = (str(error).splitlines() or ["empty"])[0]
    return TableError(f"{file}: not a complete Parquet file of this project ({reason}); {_REMEDY}")
