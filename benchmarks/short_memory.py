"""A kernel cell whose tiles fit in memory, and the same cell where they do not.

    PYTHONPATH=src python -m benchmarks.short_memory

Needs ``data/prepared/mnist`` (``snakemake data``), and the right to make a control group with a
limit of its memory (root, as a rule). The cell is run by its own command, with all cores: of the
default settings, and one kernel. Within the limit, it keeps its tiles in a file, and the operating
system moves them between memory and disk. What it takes is compared with a run without a limit.

Writes ``short_memory.csv`` and ``short_memory.md``.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from benchmarks.checkout import cell_command, default_inputs, prepared_arrays
from benchmarks.processes import RESULTS, run
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.plan.cells import KernelCell
from ntk_mnist.plan.experiment import experiment_of
from ntk_mnist.settings import Inputs, Solve
from ntk_mnist.store.schemas import SHARD_SCHEMAS
from ntk_mnist.store.shards import read

_SIZE = 32000
_LIMIT_GB = 2.0
#: The first words of what a cell says when it keeps tiles in a file.
_IN_A_FILE = "memory is short"
#: Joins a group, and becomes the command.
_JOIN = 'echo $$ > "$0" && exec "$@"'


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(description="A kernel cell where memory is short.")
    parser.add_argument("--dataset", choices=list(CATALOGUE), default=Inputs().dataset)
    parser.add_argument("--size", type=int, default=_SIZE)
    parser.add_argument("--kind", choices=Solve().kinds, default="ntk")
    parser.add_argument("--limit", type=float, default=_LIMIT_GB, help="of memory, GB")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="of what is written")
    options = parser.parse_args()
    (cell,) = experiment_of(
        {
            "inputs": default_inputs(options.dataset),
            "grid": {"size": options.size},
            "solve": {"kinds": [options.kind]},
        }
    ).kernels
    if cell.solver != "exact":
        parser.error(f"--size: {options.size:,} images are diagonalized, without tiles")
    options.folder.mkdir(parents=True, exist_ok=True)
    # Beside the results, as the memory of some machines holds /tmp.
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        prepared_arrays(folder, options.dataset)
        rows = [measured(cell, folder, None)]
        print(rows[-1], flush=True)
        with group(options.limit) as limited:
            rows.append(measured(cell, folder, limited))
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows, index=pd.Index(["memory", "a file"], name="tiles"))
    table.to_csv(options.folder / "short_memory.csv")
    (options.folder / "short_memory.md").write_text(report(table, cell, options.limit))


def measured(cell: KernelCell, folder: Path, limited: Path | None) -> dict[str, float]:
    """One run of the cell, where nothing of it is stored.

    Args:
        cell: what is solved.
        folder: has the prepared arrays.
        limited: a control group to run in; None for that of this process.

    Raises:
        SystemExit: the cell does not keep its tiles in a file within the limit, or does without.
    """
    results = folder / "results"
    command = cell_command("ntk_mnist", cell, os.cpu_count() or 1, results)
    if limited is not None:
        command = ["sh", "-c", _JOIN, str(limited / "cgroup.procs"), *command]
    done = run(folder, *command)
    if (_IN_A_FILE in done.stderr) != (limited is not None):
        raise SystemExit(f"the tiles were not where they should be; the cell said:\n{done.stderr}")
    last = read(results / cell.path("kernel"), SHARD_SCHEMAS["kernel"])[0].to_pylist()[-1]
    shutil.rmtree(results)
    return {
        "seconds": done.seconds,
        "cpu_seconds": done.cpu_seconds,
        "peak_gb": done.peak_mb * 2**20 / 1e9,
        "residual": last["residual"],
        "test_accuracy": last["test_accuracy"],
    }


@contextmanager
def group(limit: float) -> Iterator[Path]:
    """A control group whose memory is limited, for as long as it is used.

    Args:
        limit: GB.

    Raises:
        SystemExit: this process may not make one.
    """
    root = Path("/sys/fs/cgroup")
    second = (root / "cgroup.controllers").exists()
    folder = (root if second else root / "memory") / f"ntk-mnist-{os.getpid()}"
    file = "memory.max" if second else "memory.limit_in_bytes"
    try:
        folder.mkdir()
        try:
            (folder / file).write_text(str(int(limit * 1e9)))
            yield folder
        finally:
            folder.rmdir()
    except OSError as fault:
        raise SystemExit(f"a limit of memory cannot be set here: {fault}") from fault


def report(table: pd.DataFrame, cell: KernelCell, limit: float) -> str:
    """The table for the README of the benchmarks."""
    free = table.loc["memory"]
    lines = [
        f"One cell: {cell.solve.kinds[0].upper()}, {cell.size:,} training and "
        f"{cell.inputs.test_size:,} test images, all cores; tiles in memory, without a limit, and "
        f"in a file, with {limit:g} GB of memory.",
        "",
        "| tiles in | time, s | / in memory | processor time, s | peak of the process, GB "
        "| residual | test accuracy |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for place, row in table.iterrows():
        lines.append(
            f"| {place} | {row['seconds']:.0f} | {row['seconds'] / free['seconds']:.2f} "
            f"| {row['cpu_seconds']:.0f} | {row['peak_gb']:.2f} | {row['residual']:.1e} "
            f"| {row['test_accuracy']:.4f} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
