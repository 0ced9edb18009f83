"""The shards of a grid, as one table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ntk_mnist.store.records import marks
from ntk_mnist.store.shards import read

__all__ = ["Gathered", "aggregate"]


class Gathered(NamedTuple):
    """A table, and of the shards that it was made of the digests and the marks, by their names."""

    table: pa.Table
    digests: dict[str, str]
    accepted: dict[str, dict[str, list[str]]]


def aggregate(
    schema: pa.Schema,
    shards: Mapping[str, Path],
    missing: Sequence[Mapping[str, Any]],
    order: Sequence[tuple[str, str]],
    only: Mapping[str, Sequence[Any]],
) -> Gathered:
    """The rows of all shards as one table.

    Args:
        schema: of the shards and of the table.
        shards: files by their names.
        missing: for each observation without a shard, the columns that identify it; it becomes a
            row in which all other columns are null.
        order: columns to sort by, each ``ascending`` or ``descending``.
        only: by column, the values whose rows are taken.

    Raises:
        TableError: a shard is missing, damaged or of another schema.
    """
    tables, digests, accepted = [], {}, {}
    for name, shard in shards.items():
        rows, said = read(shard, schema)
        tables.append(rows)
        digests[name], accepted[name] = said.sha256, marks(said.made)
    table = pa.concat_tables([schema.empty_table(), *tables])
    for column, values in only.items():
        wanted = pc.is_in(table[column], value_set=pa.array(values, schema.field(column).type))
        table = table.filter(wanted)
    table = pa.concat_tables([table, pa.Table.from_pylist(list(missing), schema=schema)])
    return Gathered(table.sort_by(list(order)), digests, accepted)
