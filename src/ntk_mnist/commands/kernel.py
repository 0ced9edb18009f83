"""``kernel``: one cell, the infinite-width kernels of one architecture and size."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

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
from ntk_mnist.kernels.cell import solve_cell
from ntk_mnist.kernels.solver import Services, in_memory
from ntk_mnist.plan.cells import KernelCell
from ntk_mnist.store.checkpoint import Checkpoint
from ntk_mnist.store.memory import Shape, bytes_of, mapped, memory_left
from ntk_mnist.store.programs import StoredPrograms
from ntk_mnist.store.progress import ProgressLines
from ntk_mnist.store.records import Record
from ntk_mnist.store.schemas import SHARD_SCHEMAS
from ntk_mnist.store.shards import is_current, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_cell_arguments(parser, KernelCell)


def run(options: argparse.Namespace) -> None:
    """Solve each kernel at every time, and write the shards."""
    cell: KernelCell = options.cell
    shards = shards_of(options)
    made = {output: cell.record(output) for output in cell.outputs}
    if options.attempt > 1 and all(is_current(shards[name], made[name]) for name in shards):
        return
    folder = checkpoint_folder(options)
    services = Services(
        programs=StoredPrograms(compiled_folder(options), made["kernel"]),
        progress=lambda kind: ProgressLines(f"{kind}, {cell.size:,} images", sys.stderr),
    )
    if cell.solver == "exact":
        # Only a solve of minutes is worth storing parts of.
        checkpoint = partial(_checkpoint, folder, made["kernel"])
        services = replace(services, checkpoint=checkpoint, arrays=partial(_arrays, folder))
    prepared = prepared_folder(options)
    dataset = load(cell.description, cell.inputs, prepared, cell.size, cell.draw)
    solved = solve_cell(
        *(cell.architecture, cell.solve.kinds, cell.solve.times, cell.solve.diag_reg),
        *(cell.solver, dataset, services, cell.step_size),
    )
    for output, rows in solved._asdict().items():
        observations = [cell.identity | msgspec.structs.asdict(row) for row in rows]
        write(shards[output], SHARD_SCHEMAS[output], observations, made[output])
    shutil.rmtree(folder, ignore_errors=True)


def _arrays(folder: Path, shapes: Sequence[Shape]) -> Sequence[NDArray[np.float32]]:
    """In memory, if they leave a quarter of it to all else; or else in a file."""
    needed, left = bytes_of(shapes), memory_left()
    if needed <= 0.75 * left:
        return in_memory(shapes)
    print(
        f"memory is short: {needed / 1e9:.1f} GB of tiles are kept in {folder}, as only "
        f"{left / 1e9:.1f} GB of memory are left",
        file=sys.stderr,
    )
    return mapped(folder, shapes)


def _checkpoint(folder: Path, made: Record, kind: str) -> Checkpoint:
    return Checkpoint(folder / kind, made, linked=True)
