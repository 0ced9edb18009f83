"""The shards of a grid, as one table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from ntk_mnist.provenance import Record
from ntk_mnist.shards import read, write_table

__all__ = ["aggregate"]


def aggregate(
    file: Path,
    schema: pa.Schema,
    shards: Sequence[Path],
    missing: Sequence[Mapping[str, int]],
    order: Sequence[str],
    made: Record,
) -> None:
    """Write the rows of all ``shards`` as one table, sorted by the columns of ``order``.

    Args:
        file: the table.
        schema: of the shards and of the table.
        shards: at least one.
        missing: cells without a shard, by the columns that identify them; each becomes a
            row in which all else is null.
        order: columns.
        made: what makes the table.

    Raises:
        TableError: a shard is missing, damaged or of another schema.
    """
    gaps = pa.Table.from_pylist(list(missing), schema=schema)
    table = pa.concat_tables([gaps, *(read(shard, schema) for shard in shards)])
    write_table(file, table.sort_by([(column, "ascending") for column in order]), made)
