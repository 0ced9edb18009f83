"""The shards of a grid, as one table."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from ntk_mnist.provenance import Record
from ntk_mnist.shards import read, write_table

__all__ = ["aggregate"]


def aggregate(
    file: Path, schema: pa.Schema, shards: Sequence[Path], order: Sequence[str], made: Record
) -> None:
    """Write the rows of all ``shards`` as one table, sorted by the columns of ``order``.

    Raises:
        TableError: a shard is missing, damaged or of another schema.
    """
    table = pa.concat_tables(read(shard, schema) for shard in shards)
    write_table(file, table.sort_by([(column, "ascending") for column in order]), made)
