"""Acceptance of a change that a person knows to be harmless: a stale shard becomes current.

Only code and libraries can be accepted. Settings, columns and seeds say what the rows are, so that
another file would claim what it does not hold. A mark stays in the record: when, and what differed.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ntk_mnist.plan.cells import Cell
from ntk_mnist.store.records import accepted, differences
from ntk_mnist.store.schemas import SHARD_SCHEMAS
from ntk_mnist.store.shards import TableError, about, read, write_table
from ntk_mnist.store.staleness import reasons

__all__ = ["accept", "refusals"]


def refusals(cells: Sequence[Cell], results: Path) -> list[str]:
    """Why shards cannot be accepted, a line for each; shards that do not exist need none.

    Args:
        cells: whose shards are to be accepted.
        results: folder of their experiment.
    """
    return [
        f"{results / cell.path(output)}: {', '.join(words)}"
        for cell in cells
        for output in cell.outputs
        if (words := _refused(cell, output, results / cell.path(output)))
    ]


def _refused(cell: Cell, output: str, file: Path) -> list[str]:
    if not file.exists():
        return []
    try:
        made = about(file).made
        same = {part: made.get(part, {}) for part in ("code", "libraries")}
        words = reasons(file, cell.record(output) | same, getattr(cell, "seeds", ()))
        if not words:
            read(file, SHARD_SCHEMAS[output])
    except TableError:
        return [f"{file.name} is damaged"]
    return words


def accept(cells: Sequence[Cell], results: Path) -> list[str]:
    """Make the shards of cells current, which :func:`refusals` does not refuse.

    Their rows stay as they are.

    Returns:
        A line for each shard that was accepted: what differed.
    """
    when = datetime.now(UTC).isoformat(timespec="seconds")
    lines = []
    for cell in cells:
        for output in cell.outputs:
            file, wanted = results / cell.path(output), cell.record(output)
            if not file.exists():
                continue
            table, said = read(file, SHARD_SCHEMAS[output])
            if words := differences(said.made, wanted):
                write_table(file, table, accepted(said.made, wanted, when), said.seeds)
                lines.append(f"{file}: {', '.join(words)}")
    return lines
