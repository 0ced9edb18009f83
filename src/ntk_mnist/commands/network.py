"""``network``: one cell, finite networks of one width and size; every row belongs to a seed.

Seeds that the shards already have, made as they would be made now, are not trained again. Seeds
that a killed process had finished are in the cell's checkpoint, but for those of its last second.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from ntk_mnist.commands.cell_arguments import (
    add_cell_arguments,
    checkpoint_folder,
    prepared_folder,
    shards_of,
)
from ntk_mnist.commands.data_folder import compiled_folder
from ntk_mnist.data.inputs import load
from ntk_mnist.networks.descent import DescentTrainer
from ntk_mnist.networks.training import Diverged, Trained, Trainer
from ntk_mnist.plan.cells import NetworkCell
from ntk_mnist.store.checkpoint import Checkpoint
from ntk_mnist.store.programs import StoredPrograms
from ntk_mnist.store.progress import ProgressLines, Stage
from ntk_mnist.store.records import Record, marks
from ntk_mnist.store.schemas import SHARD_SCHEMAS
from ntk_mnist.store.shards import TableError, about, is_current, read, write

#: A cell that takes no longer, in seconds, says nothing of its progress.
_SHORT = 10.0
#: Seconds of training after which seeds are stored.
_UNSTORED = 1.0
#: Rows of each output, by its name.
Rows: TypeAlias = dict[str, list[dict[str, Any]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_cell_arguments(parser, NetworkCell)


def run(options: argparse.Namespace) -> None:
    """Train the seeds that are missing, and write the shards."""
    cell: NetworkCell = options.cell
    shards = shards_of(options)
    made = {output: cell.record(output) for output in cell.outputs}
    rows = _finished_rows(shards, made)
    missing = [seed for seed in cell.seeds if seed not in rows]
    if not missing:
        if options.attempt > 1:
            return
        # Asked to run although nothing is missing: a forced run, which starts from nothing.
        rows, missing = {}, list(cell.seeds)
    # The marks of the rows that stay.
    kept = {o: {"accepted": marks(about(shards[o]).made)} if rows else {} for o in shards}

    folder, record = checkpoint_folder(options), made[cell.outputs[0]]
    checkpoint: MutableMapping[str, NDArray[Any]] = (
        Checkpoint(folder, record) if len(missing) > 1 or folder.exists() else {}
    )
    prepared = prepared_folder(options)
    dataset = load(cell.description, cell.inputs, prepared, cell.size, cell.draw)
    programs = StoredPrograms(compiled_folder(options), record)
    what = cell.architecture, cell.training, cell.width, dataset
    trainer: Callable[[int], Trained]
    if cell.times:
        # It imports SciPy, which takes as long as a small network.
        from ntk_mnist.kernels.limit import limit_of_descent

        step_size = cell.training.step_size
        limit = limit_of_descent(cell.architecture, dataset, step_size, programs)
        trainer = DescentTrainer(*what, cell.times, limit, programs)
    else:
        trainer = Trainer(*what, programs)
    finished = _FinishedSeeds(checkpoint)
    diverged: list[Diverged] = []
    # A seed is one compiled program, from which nothing comes before its end.
    what_of_each = f"width {cell.width:,}, {cell.size:,} images, {cell.epochs:,} epochs each"
    progress = ProgressLines(what_of_each, sys.stderr, quiet=_SHORT)
    for done, seed in enumerate(missing):
        if done:
            progress(Stage.SEEDS, done, len(missing))
        if seed not in finished.rows:
            try:
                finished.add(seed, trainer(seed))
            except Diverged as error:
                # The other seeds are trained and stored all the same.
                diverged.append(error)
                continue
        measures = finished.rows[seed]
        rows[seed] = {o: [cell.identity | row for row in measures[o]] for o in cell.outputs}
    progress(Stage.SEEDS, len(missing), len(missing))
    if diverged:
        finished.store()
        more = f" (and {len(diverged) - 1} other seeds)" if len(diverged) > 1 else ""
        raise Diverged(f"{diverged[0]}{more}")
    for output, shard in shards.items():
        of_seeds = [row for seed in sorted(rows) for row in rows[seed][output]]
        write(shard, SHARD_SCHEMAS[output], of_seeds, made[output] | kept[output], rows)
    if isinstance(checkpoint, Checkpoint):
        checkpoint.remove()


class _FinishedSeeds:
    """Seeds that are trained, in a checkpoint.

    To store and remove a file takes as long as to train a small network, so that the seeds of a
    second share one.

    Attributes:
        rows: of all of these seeds.
    """

    def __init__(self, checkpoint: MutableMapping[str, NDArray[Any]]) -> None:
        self._checkpoint = checkpoint
        self.rows: dict[int, Rows] = {}
        for name in checkpoint:
            for output, found in msgspec.json.decode(str(checkpoint[name])).items():
                for row in found:
                    of_seed = self.rows.setdefault(row["seed"], {o: [] for o in Trained._fields})
                    of_seed[output].append(row)
        self._unstored: list[int] = []
        self._stored = time.monotonic()

    def add(self, seed: int, trained: Trained) -> None:
        """Add a seed."""
        self.rows[seed] = msgspec.json.decode(msgspec.json.encode(trained._asdict()))
        self._unstored.append(seed)
        if time.monotonic() - self._stored > _UNSTORED:
            self.store()

    def store(self) -> None:
        """Store the seeds that are not stored yet, in a file that the first of them names."""
        if self._unstored:
            rows = [self.rows[seed] for seed in self._unstored]
            stored = {o: [row for of_seed in rows for row in of_seed[o]] for o in Trained._fields}
            name = f"seed={self._unstored[0]}"
            self._checkpoint[name] = np.array(msgspec.json.encode(stored).decode())
        self._unstored, self._stored = [], time.monotonic()


def _finished_rows(shards: Mapping[str, Path], made: Mapping[str, Record]) -> dict[int, Rows]:
    """The rows of all outputs by the seeds that each of them is complete for.

    Nothing if one is missing, damaged or stale.
    """
    if not all(is_current(shards[output], made[output]) for output in shards):
        return {}
    try:
        found = {output: read(shard, SHARD_SCHEMAS[output]) for output, shard in shards.items()}
    except TableError:
        return {}
    # Of each seed, an output may have no rows.
    seeds = set.intersection(*(set(said.seeds) for _, said in found.values()))
    rows: dict[int, Rows] = {seed: {output: [] for output in shards} for seed in seeds}
    for output, (table, _) in found.items():
        for row in table.to_pylist():
            if row["seed"] in seeds:
                rows[row["seed"]][output].append(row)
    return rows
