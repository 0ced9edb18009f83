"""The arguments of the commands that run a cell."""

import argparse
from pathlib import Path

from ntk_mnist import UserError
from ntk_mnist.commands.data_folder import add_data_folder
from ntk_mnist.plan.cells import Cell

__all__ = [
    "add_cell_arguments",
    "checkpoint_folder",
    "prepared_folder",
    "shards_of",
]


def add_cell_arguments(parser: argparse.ArgumentParser, kind: type[Cell]) -> None:
    """Add them: the cell, where data is, and one file for each output of the cell, in order."""
    parser.add_argument("--cell", required=True, type=kind.from_json, help="the cell, as JSON")
    parser.add_argument(
        "--attempt", type=int, default=1, help="after the first, current shards are not replaced"
    )
    add_data_folder(parser)
    parser.add_argument(
        "--output",
        required=True,
        nargs="+",
        type=Path,
        help="the shards",
    )


def shards_of(options: argparse.Namespace) -> dict[str, Path]:
    """The file of each output of the cell.

    Raises:
        UserError: there is another number of files.
    """
    outputs = options.cell.outputs
    if len(outputs) != len(options.output):
        raise UserError(f"--output: {len(options.output)} files; needed: {', '.join(outputs)}")
    return dict(zip(outputs, options.output, strict=True))


def prepared_folder(options: argparse.Namespace) -> Path:
    """Where the arrays of the cell's dataset are."""
    return Path(options.data) / "prepared" / options.cell.prepared


def checkpoint_folder(options: argparse.Namespace) -> Path:
    """Where the cell stores what it has finished."""
    shard: Path = options.output[0]
    return Path(options.data) / "checkpoints" / shard.relative_to(shard.anchor)
