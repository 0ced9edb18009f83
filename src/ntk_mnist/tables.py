"""The shards of a grid, as one table; and what of it is a table of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from ntk_mnist.calibration import Calibration
from ntk_mnist.provenance import of_calibration, of_table
from ntk_mnist.shards import CALIBRATION_SCHEMA, KERNEL_SCHEMA, read, write_table

__all__ = ["aggregate", "tabulate_calibration"]


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


def tabulate_calibration(file: Path, kernels: Path) -> None:
    """Write the calibration of each kernel and size, a row a group of test images.

    Args:
        file: the calibration table.
        kernels: the kernel table, whose rows hold it as lists.

    Raises:
        TableError: the kernel table is missing, damaged or of another schema.
    """
    table, about = read(kernels, KERNEL_SCHEMA)
    rows = []
    for row in table.to_pylist():
        groups = [row[f"calibration_{name}"] for name in Calibration._fields]
        for values in zip(*groups, strict=True):
            rows.append(row | dict(zip(Calibration._fields, values, strict=True)))
    kept = [{name: row[name] for name in CALIBRATION_SCHEMA.names} for row in rows]
    table = pa.Table.from_pylist(kept, schema=CALIBRATION_SCHEMA)
    write_table(file, table, of_calibration(about.sha256))
