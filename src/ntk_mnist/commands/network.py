"""``network``: one cell, finite networks of one width and size; a row a seed.

Seeds that the shard already has, made as they would be made now, are not trained again. Seeds that
a killed process had finished are in the cell's checkpoint.
"""

import argparse
from pathlib import Path

import msgspec
import numpy as np

from ntk_mnist.commands.cell_arguments import (
    add_cell_arguments,
    checkpoint_folder,
    compiled_folder,
    prepared_folder,
)
from ntk_mnist.data.inputs import load
from ntk_mnist.measures import NetworkMeasures
from ntk_mnist.networks.training import Diverged, Trainer
from ntk_mnist.plan.cells import NetworkCell
from ntk_mnist.store.checkpoint import Checkpoint
from ntk_mnist.store.programs import KeptPrograms
from ntk_mnist.store.records import Record
from ntk_mnist.store.schemas import SHARD_SCHEMAS
from ntk_mnist.store.shards import TableError, is_current, read, write

_SCHEMA = SHARD_SCHEMAS["network"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_cell_arguments(parser, NetworkCell)


def run(options: argparse.Namespace) -> None:
    """Train the seeds that are missing, and write the shard."""
    cell: NetworkCell = options.cell
    (shard,) = options.output
    made = cell.record("network")
    rows = _finished_rows(shard, made)
    missing = [seed for seed in cell.seeds if seed not in rows]
    if not missing:
        if options.attempt > 1:
            return
        # Asked to run although nothing is missing: a forced run, which starts from nothing.
        rows, missing = {}, list(cell.seeds)

    folder = checkpoint_folder(options)
    checkpoint = Checkpoint(folder, made) if len(missing) > 1 or folder.exists() else {}
    dataset = load(cell.inputs, prepared_folder(options), cell.size)
    programs = KeptPrograms(compiled_folder(options), made)
    trainer = Trainer(cell.architecture, cell.training, cell.width, dataset, programs)
    diverged: list[Diverged] = []
    for seed in missing:
        name = f"seed={seed}"
        if name not in checkpoint:
            try:
                measures = trainer(seed)
            except Diverged as error:
                # The other seeds are trained and stored all the same.
                diverged.append(error)
                continue
            checkpoint[name] = np.array(msgspec.json.encode(measures).decode())
        stored = msgspec.json.decode(str(checkpoint[name]), type=NetworkMeasures)
        rows[seed] = cell.identity | msgspec.structs.asdict(stored)
    if diverged:
        more = f" (and {len(diverged) - 1} other seeds)" if len(diverged) > 1 else ""
        raise Diverged(f"{diverged[0]}{more}")
    write(shard, _SCHEMA, [rows[seed] for seed in sorted(rows)], made)
    if isinstance(checkpoint, Checkpoint):
        checkpoint.remove()


def _finished_rows(shard: Path, made: Record) -> dict[int, dict[str, object]]:
    """The rows of a shard by their seeds; none if it is missing, damaged or stale."""
    if not is_current(shard, made):
        return {}
    try:
        table, _ = read(shard, _SCHEMA)
    except TableError:
        return {}
    return {row["seed"]: row for row in table.to_pylist()}
