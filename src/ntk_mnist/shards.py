"""The Parquet files: their schemas, how one is written whole and read with suspicion.

A table is tidy (one observation a row) and self-describing: every setting that identifies
a cell is a column, and the file's metadata under the key ``ntk_mnist`` holds what made it
(``provenance``) and a digest of its rows, by which a damaged file is told from a whole one.
A cell writes one shard of few rows; ``tables`` makes one table of them, in the same schema.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ntk_mnist import UserError
from ntk_mnist.provenance import Record, differences
from ntk_mnist.whole_files import write_whole

__all__ = [
    "CALIBRATION_SCHEMA",
    "KERNEL_SCHEMA",
    "NETWORK_SCHEMA",
    "About",
    "TableError",
    "about",
    "read",
    "stands",
    "write",
    "write_table",
]

# 32-bit, as pyarrow and polars infer the hive partitions `width=…/size=…` of the same name.
_COUNT = pa.int32()
_LIST = pa.list_(pa.float64())
_METADATA_KEY = b"ntk_mnist"


class TableError(UserError):
    """A shard or table is missing or not what it should be."""


def _schema(*columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    return pa.schema(
        [
            pa.field(name, kind, metadata={"description": description})
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
    ("solver", pa.string(), "spectral, or exact where that is too large to diagonalize"),
    ("residual", pa.float64(), "|K a - Y| / |Y| of the solve at infinity"),
    ("prediction_error", pa.float64(), "estimated error of any test prediction"),
    ("jitter", pa.float64(), "on the exact solve's preconditioner, units of the mean diagonal"),
    ("log_marginal_likelihood", pa.float64(), "of the training labels, all outputs, nats"),
    ("log_marginal_likelihood_error", pa.float64(), "estimated error of that, nats"),
    ("calibration_fraction", _LIST, "at infinity: most certain test images, cumulative"),
    ("calibration_variance", _LIST, "at infinity: mean predictive variance of each group"),
    ("calibration_squared_error", _LIST, "at infinity: mean squared error of each group"),
    ("calibration_accuracy", _LIST, "at infinity: accuracy of that fraction"),
    ("solve_seconds", pa.float64(), "wall time of this kernel's solve and predictions"),
)

#: A row a group of test images: the lists of a kernel at infinity, side by side.
CALIBRATION_SCHEMA = _schema(
    _DATASET,
    _ACTIVATION,
    _DEPTH,
    ("kernel", pa.string(), "nngp or ntk"),
    _SIZE,
    _TEST_SIZE,
    _W_STD,
    _B_STD,
    ("fraction", pa.float64(), "of the test images: this group and the more certain ones"),
    ("variance", pa.float64(), "mean predictive variance in the group"),
    ("squared_error", pa.float64(), "mean squared error in the group, over images and outputs"),
    ("accuracy", pa.float64(), "of that fraction"),
)


class About(NamedTuple):
    """What a file says of itself: what made it, and the digest of its rows."""

    made: Record
    sha256: str


def write(file: Path, schema: pa.Schema, rows: Iterable[Mapping[str, Any]], made: Record) -> None:
    """Write ``rows`` as ``file``, which appears only when it is whole and on disk.

    Raises:
        TableError: a row lacks a column or has one of another type.
    """
    try:
        table = pa.Table.from_pylist(list(rows), schema=schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise TableError(f"{file}: {error}") from None
    for field in schema:
        if table[field.name].null_count:
            raise TableError(f"{file}: a row lacks {field.name}")
    write_table(file, table, made)


def write_table(file: Path, table: pa.Table, made: Record) -> None:
    """Write ``table`` as ``file``, which appears only when it is whole and on disk."""
    about = json.dumps({"made": made, "sha256": _digest(table)})
    stamped = table.replace_schema_metadata({_METADATA_KEY: about})
    write_whole(file, lambda stream: pq.write_table(stamped, stream))


def _digest(table: pa.Table) -> str:
    return hashlib.sha256(json.dumps(table.to_pydict()).encode()).hexdigest()


def about(file: Path) -> About:
    """What ``file`` says of itself, from its last few kilobytes.

    Raises:
        TableError: it is missing, damaged there, or none of this project's.
    """
    try:
        return _said(pq.read_metadata(file).metadata)
    except _DAMAGE as error:
        raise _unreadable(file, error) from None


def stands(file: Path, made: Record) -> bool:
    """Whether ``file`` is there and says that just ``made`` made it."""
    try:
        return not differences(about(file).made, made)
    except TableError:
        return False


def read(file: Path, schema: pa.Schema) -> tuple[pa.Table, About]:
    """Read one shard or table, every row of it checked; and what it says of itself.

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
                f"expected {', '.join(schema.names)}; delete it to have it computed anew"
            )
        said = _said(table.schema.metadata)
    except _DAMAGE as error:
        raise _unreadable(file, error) from None
    if said.sha256 != _digest(table):
        raise TableError(
            f"{file}: its rows are not those that were written; delete it to have it computed anew"
        )
    return table.replace_schema_metadata(), said


_DAMAGE = (OSError, ValueError, KeyError, TypeError, pa.ArrowException)


def _said(metadata: Mapping[bytes, bytes] | None) -> About:
    return About(**json.loads((metadata or {})[_METADATA_KEY]))


def _unreadable(file: Path, error: Exception) -> TableError:
    reason = (str(error).splitlines() or ["empty"])[0]
    return TableError(
        f"{file}: not a whole Parquet file of this project ({reason}); "
        "delete it to have it computed anew"
    )
