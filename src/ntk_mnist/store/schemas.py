"""The columns of each Parquet file, derived from the declared settings and measures.

A table is tidy (one observation a row) and self-describing: the settings that identify a cell are
columns, and each field's metadata ``description`` says what it holds.
"""

from collections.abc import Iterator, Mapping

import pyarrow as pa
from msgspec import Struct

from ntk_mnist.declarations import Field, declared
from ntk_mnist.measures import COMPARISONS, OUTPUTS, Measures, ReproductionMeasures
from ntk_mnist.settings import Architecture, Draw, Inputs, Size, Training, Width

__all__ = ["OPTIONAL", "SHARD_SCHEMAS", "TABLE_SCHEMAS", "columns"]


#: In the metadata of a column that may be null in a complete row.
OPTIONAL = b"optional"


class _NetworkAxes(Struct):
    width: Width
    size: Size
    draw: Draw


class _KernelAxes(Struct):
    size: Size
    draw: Draw


def _arrow_type(field: Field) -> pa.DataType:
    if "arrow" in (extra := field.bounds.extra or {}):
        item: pa.DataType = pa.type_for_alias(extra["arrow"].removeprefix("list<").rstrip(">"))
        return pa.list_(item)
    if field.type is int:
        # 32 bits where they hold every value, as readers infer from the names of folders.
        largest = field.bounds.le
        return pa.int32() if largest is not None and largest < 2**31 else pa.int64()
    return {float: pa.float64(), str: pa.string(), bool: pa.bool_()}[field.type]


def _fields(*structs: type[Struct]) -> Iterator[pa.Field]:
    for struct in structs:
        for field in declared(struct):
            metadata = {"description": field.description} | (
                {OPTIONAL: ""} if field.optional else {}
            )
            yield pa.field(field.name, _arrow_type(field), metadata=metadata)


#: What identifies a cell of each kind.
_IDENTITY: Mapping[str, tuple[type[Struct], ...]] = {
    "network": (Inputs, Architecture, _NetworkAxes, Training),
    "kernel": (Inputs, Architecture, _KernelAxes),
}


def _compared(measures: type[Measures]) -> tuple[type[Struct], ...]:
    """What identifies a row of a comparison; those over all widths have no width."""
    axes = _NetworkAxes if "width" in measures.ORDER else _KernelAxes
    return (Inputs, Architecture, axes, Training)


#: Of a shard, by the name of the output that it belongs to.
SHARD_SCHEMAS: Mapping[str, pa.Schema] = {
    output: pa.schema([*_fields(*_IDENTITY[kind], measures)])
    for kind, outputs in OUTPUTS.items()
    for output, measures in outputs.items()
}
#: Of a table, by its name.
TABLE_SCHEMAS: Mapping[str, pa.Schema] = {
    **{
        output: SHARD_SCHEMAS[output]
        for outputs in OUTPUTS.values()
        for output, measures in outputs.items()
        if measures.TABULATED
    },
    "evidence": SHARD_SCHEMAS["kernel"],
    **{
        name: pa.schema([*_fields(*_compared(measures), measures)])
        for name, measures in COMPARISONS.items()
    },
    "reproduction": pa.schema([*_fields(ReproductionMeasures)]),
}


def columns(schema: pa.Schema) -> dict[str, str]:
    """The types of a schema's columns by their names, as a record states them."""
    return {field.name: str(field.type) for field in schema}
