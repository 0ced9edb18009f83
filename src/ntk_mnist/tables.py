"""The tables: their schemas, how a cell's shard is written, how shards become one table.

A table is tidy (one observation a row) and self-describing: every setting that identifies
a cell is a column, and the file's metadata under the key ``ntk_mnist`` holds the versions
of the libraries that decided its numbers and a digest of its rows, by which a damaged file
is told from a whole one. A cell writes one shard of few rows; the
aggregated table is its shards' rows, sorted, and nothing else.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ntk_mnist import UserError

__all__ = [
    "KERNEL_SCHEMA",
    "NETWORK_SCHEMA",
    "TableError",
    "aggregate",
    "read",
    "write",
]

# 32-bit, as pyarrow and polars infer the hive partitions `width=…/size=…` of the same name.
_COUNT = pa.int32()
_DETERMINING = ("jax", "jaxlib", "neural-tangents", "numpy", "scipy")
_METADATA_KEY = b"ntk_mnist"


class TableError(UserError):
    """A shard or table is missing or not what it should be."""


def _schema(*columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    return pa.schema(
        [
            pa.field(name, kind, nullable=False, metadata={"description": description})
            for name, kind, description in columns
        ]
    )


_DATASET = ("dataset", pa.string(), "name of the dataset")
_ACTIVATION = ("activation", pa.string(), "of the hidden layers")
_DEPTH = ("depth", _COUNT, "number of hidden layers")
_SIZE = ("size", _COUNT, "training-set size, images")
_TEST_SIZE = ("test_size", _COUNT, "test images")
_W_STD = ("W_std", pa.float64(), "standard deviation of the limit's weights")
_B_STD = ("b_std", pa.float64(), "standard deviation of the limit's biases")
_TRAIN_ACCURACY = ("train_accuracy", pa.float64(), "fraction of the training images")
_TEST_ACCURACY = ("test_accuracy", pa.float64(), "fraction of the test images")

#: A row a network: one width, size and seed.
NETWORK_SCHEMA = _schema(
    _DATASET,
    _ACTIVATION,
    _DEPTH,
    ("width", _COUNT, "units of each hidden layer"),
    _SIZE,
    ("seed", pa.int64(), "of the initial parameters and of the order of batches"),
    _TEST_SIZE,
    ("parameterization", pa.string(), "glorot, standard or ntk"),
    _W_STD,
    _B_STD,
    ("optimizer", pa.string(), "sgd, momentum or nesterov"),
    ("step_size", pa.float64(), "of the optimizer"),
    ("mass", pa.float64(), "of the momentum"),
    ("batch_size", _COUNT, "images a step"),
    ("epochs", _COUNT, "passes over the training images"),
    _TRAIN_ACCURACY,
    _TEST_ACCURACY,
    ("train_loss", pa.float64(), "mean cross-entropy, nats, after training"),
    ("test_loss", pa.float64(), "mean cross-entropy, nats, after training"),
    ("epoch_train_loss", pa.list_(pa.float32()), "mean loss of each epoch's batches, nats"),
    ("train_seconds", pa.float64(), "wall time of compiling, training and evaluating"),
)

#: A row an observation: one kernel, size and gradient-flow time.
KERNEL_SCHEMA = _schema(
    _DATASET,
    _ACTIVATION,
    _DEPTH,
    ("kernel", pa.string(), "nngp or ntk"),
    _SIZE,
    ("time", pa.float64(), "gradient-flow time; inf for the limit"),
    _TEST_SIZE,
    _W_STD,
    _B_STD,
    _TRAIN_ACCURACY,
    _TEST_ACCURACY,
    ("train_mse", pa.float64(), "mean over images and outputs of the squared error"),
    ("test_mse", pa.float64(), "mean over images and outputs of the squared error"),
    ("diag_reg", pa.float64(), "regularization in use, units of the mean diagonal"),
    ("condition_number", pa.float64(), "of the training Gram matrix, regularized"),
    ("solve_seconds", pa.float64(), "wall time of this kernel's solve and predictions"),
)


def write(file: Path, schema: pa.Schema, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write ``rows`` as ``file``, which appears only when it is whole and on disk.

    Raises:
        TableError: a row lacks a column or has one of another type.
    """
    rows = list(rows)
    try:
        table = pa.Table.from_pylist(rows, schema=schema)
        table.validate(full=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise TableError(f"{file}: {error}") from None
    for column in schema.names:
        if table[column].null_count:
            raise TableError(f"{file}: a row lacks {column}")
    _write_whole(file, table)


def _write_whole(file: Path, table: pa.Table) -> None:
    versions = {name: version(name) for name in _DETERMINING}
    about = {"versions": versions, "sha256": _digest(table)}
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".incoming-", suffix=file.name)
    try:
        with os.fdopen(handle, "wb") as stream:
            pq.write_table(
                table.replace_schema_metadata({_METADATA_KEY: json.dumps(about)}), stream
            )
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise


def _digest(table: pa.Table) -> str:
    return hashlib.sha256(json.dumps(table.to_pydict()).encode()).hexdigest()


def read(file: Path, schema: pa.Schema) -> pa.Table:
    """Read one shard or table.

    Raises:
        TableError: the file is missing, damaged or of another schema.
    """
    try:
        # ParquetFile and not read_table, which would add the folders' names as columns.
        with pq.ParquetFile(file) as stream:
            table = stream.read()
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise TableError(f"{file}: not a readable Parquet file ({reason})") from None
    if not table.schema.equals(schema):
        raise TableError(
            f"{file}: has the columns {', '.join(table.schema.names)}; "
            f"expected {', '.join(schema.names)}; delete it to have it computed anew"
        )
    about = (table.schema.metadata or {}).get(_METADATA_KEY, b"")
    if _digest(table).encode() not in about:
        raise TableError(f"{file}: its rows are not those that were written; delete it")
    return table


def aggregate(file: Path, schema: pa.Schema, shards: Sequence[Path], order: Sequence[str]) -> None:
    """Write the rows of all ``shards`` as one table, sorted by the columns of ``order``.

    Raises:
        TableError: a shard is missing, damaged or of another schema.
    """
    table = pa.concat_tables(read(shard, schema) for shard in shards)
    _write_whole(file, table.sort_by([(column, "ascending") for column in order]))
