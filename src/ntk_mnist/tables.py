"""The shards of a grid, as one table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from ntk_mnist.provenance import of_table
from ntk_mnist.shards import read, write_table

__all__ = ["aggregate"]


def aggregate(
    file: Path,
    schema: pa.Schema,
    shards: Mapping[str, Path],
    missing: Mapping[str, Mapping[str, int]],
    order: Sequence[tuple[str, str]],
) -> None:
    """Write the rows of all ``shards`` as one table, sorted by ``order``.

    Args:
        file: the table.
        schema: of the shards and of the table.
        shards: by their names, as the table's record knows them.
        missing: by the names of their shards, cells without one, by the columns that identify
            them; each becomes a row in which all else is null.
        order: columns, each ``ascending`` or ``descending``.

    Raises:
        TableError: a shard is missing, damaged or of another schema.
    """
    tables = [pa.Table.from_pylist(list(missing.values()), schema=schema)]
    digests = dict.fromkeys(missing, "missing")
    for name, shard in shards.items():
        rows, about = read(shard, schema)
        tables.append(rows)
        digests[name] = about.sha256
    table = pa.concat_tables(tables).sort_by(list(order))
    write_table(file, table, of_table(digests))
