"""``compare``: networks against the infinite-width limit, from the predictions of both sides.

The shards follow from the experiment, as for ``tabulate``.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from msgspec.structs import asdict
from numpy.typing import NDArray

from ntk_mnist.comparison.tables import AtTime, convergence, distances, ensemble
from ntk_mnist.data.inputs import Dataset, load
from ntk_mnist.measures import COMPARISONS
from ntk_mnist.plan.cells import Cell, NetworkCell
from ntk_mnist.plan.experiment import Experiment
from ntk_mnist.plan.stale import MADE_BY
from ntk_mnist.settings import Architecture
from ntk_mnist.store.records import marks, table_record
from ntk_mnist.store.schemas import SHARD_SCHEMAS, TABLE_SCHEMAS, columns
from ntk_mnist.store.shards import About, read, write_table

Rows: TypeAlias = list[dict[str, Any]]
#: From the path of a shard below the results and its output, its rows.
RowsOf: TypeAlias = Callable[[str, str], Rows]
#: What a network and its limit have in common.
Place: TypeAlias = tuple[Architecture, int, int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--experiment", required=True, type=Experiment.from_json, help="the experiment, as JSON"
    )
    parser.add_argument("--results", required=True, type=Path, help="the experiment's folder")
    parser.add_argument("--data", required=True, type=Path, help="folder of the prepared arrays")
    parser.add_argument(
        "--output", required=True, nargs=len(COMPARISONS), type=Path, help="the tables"
    )


def run(options: argparse.Namespace) -> None:
    """Compare every network with the kernel of its architecture and size, and write the tables."""
    experiment: Experiment = options.experiment
    about: dict[str, About] = {}

    def rows_of(path: str, output: str) -> Rows:
        table, about[path] = read(options.results / path, SHARD_SCHEMAS[output])
        rows: Rows = table.to_pylist()
        return rows

    folder = options.data / "prepared" / experiment.prepared

    def dataset_of(cell: Cell) -> Dataset:
        return load(cell.description, cell.inputs, folder, cell.size, cell.draw)

    compared = compare(experiment, rows_of, dataset_of)
    digests = {path: said.sha256 for path, said in about.items()}
    accepted = {path: marks(said.made) for path, said in about.items()}
    for name, file in zip(COMPARISONS, options.output, strict=True):
        schema, only = TABLE_SCHEMAS[name], repr(experiment.only(name))
        made = table_record(columns(schema), digests, only, accepted, MADE_BY)
        write_table(file, pa.Table.from_pylist(compared[name], schema=schema), made)


def compare(
    experiment: Experiment, rows_of: RowsOf, dataset_of: Callable[[Cell], Dataset]
) -> dict[str, Rows]:
    """The rows of each table of comparisons.

    Args:
        experiment: whose networks are evaluated at the kernels' times.
        rows_of: reads a shard.
        dataset_of: loads the images of a cell.
    """
    # The offset of its targets, and one-hot labels of the test images.
    outputs_of = {_place(cell): _Outputs.of(dataset_of(cell)) for cell in experiment.kernels}
    limits = {
        _place(cell): {
            row["time"]: outputs_of[_place(cell)](row["prediction"])
            for row in rows_of(cell.path("kernel_prediction"), "kernel_prediction")
            if row["kernel"] == "ntk"
        }
        for cell in experiment.kernels
    }
    variances = {
        (_place(cell), row["time"]): row["trained_variance"]
        for cell in experiment.kernels
        for row in rows_of(cell.path("kernel"), "kernel")
        if row["kernel"] == "ntk"
    }
    compared: dict[str, Rows] = {name: [] for name in COMPARISONS}
    values: dict[Any, list[tuple[int, float]]] = defaultdict(list)
    for cell in experiment.networks:
        outputs, limit = outputs_of[_place(cell)], limits[_place(cell)]
        networks = _networks(cell, rows_of, outputs)
        # Of a row that is not of one width.
        shared = {name: value for name, value in cell.identity.items() if name != "width"}
        for (seed, time), network in networks.items():
            for row in distances(seed, time, network, limit[time]):
                compared["distance"].append(cell.identity | asdict(row))
                key = (*sorted(shared.items()), time, row.quantity)
                values[key].append((cell.width, row.rms))
        for time in cell.times:
            of_seeds = [networks[seed, time].prediction for seed in cell.seeds]
            variance = 0.0 if experiment.training.centred else variances[_place(cell), time]
            found = ensemble(time, of_seeds, limit[time], variance, outputs.one_hot)
            compared["ensemble"].append(cell.identity | asdict(found))
    for (*shared_items, time, quantity), of_networks in values.items():
        for fitted in convergence(time, quantity, of_networks):
            compared["convergence"].append(dict(shared_items) | asdict(fitted))
    return compared


def _place(cell: Cell) -> Place:
    return cell.architecture, cell.size, cell.draw


class _Outputs(NamedTuple):
    """Makes outputs of the stored numbers, of which the largest is the predicted class.

    Both sides get the offset of the targets, which changes no distance between them.

    Attributes:
        one_hot: labels of the test images, shape (m, k).
        offset: of the targets, shape (k,).
    """

    one_hot: NDArray[np.float64]
    offset: NDArray[np.float32]

    @classmethod
    def of(cls, dataset: Dataset) -> "_Outputs":
        """Those of the test images of a cell."""
        targets = dataset.targets(dataset.test_labels)
        return cls(targets + dataset.offset, np.asarray(dataset.offset, np.float32))

    def __call__(self, values: list[float]) -> NDArray[np.float32]:
        return np.reshape(np.array(values, np.float32), self.one_hot.shape) + self.offset


def _networks(
    cell: NetworkCell, rows_of: RowsOf, outputs: _Outputs
) -> dict[tuple[int, float], AtTime]:
    """The networks of the experiment's seeds, by seed and time."""
    measured = {(row["seed"], row["time"]): row for row in rows_of(cell.path("network"), "network")}
    predicted = rows_of(cell.path("network_prediction"), "network_prediction")
    return {
        (row["seed"], row["time"]): AtTime(
            prediction=outputs(row["prediction"]),
            linearized=outputs(row["linearization"]) if row["linearization"] else None,
            ntk_to_limit=measured[row["seed"], row["time"]]["ntk_to_limit"],
            ntk_change=measured[row["seed"], row["time"]]["ntk_change"],
        )
        for row in predicted
        if row["seed"] in cell.seeds
    }
