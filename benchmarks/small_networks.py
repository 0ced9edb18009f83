"""The start of a small cell, and ten thousand small networks, trained by real runs.

    PYTHONPATH=src python -m benchmarks.small_networks

Needs ``data/prepared/mnist`` (``snakemake data``). Two figures are taken:

- a network cell of one seed, from the start of its process to its shard, with its program compiled,
  against ``import jax``, each a fresh process, in turn;
- ``snakemake`` from the prepared arrays to the page, of a grid of the default settings with small
  widths and sizes and many seeds a cell, where nothing is compiled, and where its time goes.

Writes ``small_networks.csv`` and ``small_networks.md``.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmarks.checkout import cell_command, default_inputs, lay_out, write_config
from benchmarks.processes import RESULTS, Finished, run
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.plan.cells import NetworkCell
from ntk_mnist.plan.experiment import Experiment, experiment_of
from ntk_mnist.settings import Inputs

_WIDTHS = (8, 12, 16, 24, 32, 48, 64, 96)
_SIZES = (64, 128, 192, 256, 320)
_TARGET = 2.0
_EXPERIMENT = "small"


class Start(NamedTuple):
    """Medians of a cell of one seed, and of ``import jax``.

    Attributes:
        cell: its wall time.
        jax: likewise.
        cell_cpu: its processor time.
        jax_cpu: likewise.
    """

    cell: float
    jax: float
    cell_cpu: float
    jax_cpu: float


class Run(NamedTuple):
    """Where the time of one run of a grid goes.

    Attributes:
        networks: of the grid.
        cells: of networks.
        cores: that Snakemake has.
        total: wall time from the start of Snakemake to its end.
        plan: of a plan alone, before the run.
        of_cells: the wall time from the plan's end to the last shard.
        of_tables: from there to the last table.
        of_charts: from there to the end.
        training: core-seconds of training, without what the first seed of a cell takes longer.
        programs: core-seconds that the first seeds take longer, to compile or load a program.
    """

    networks: int
    cells: int
    cores: int
    total: float
    plan: float
    of_cells: float
    of_tables: float
    of_charts: float
    training: float
    programs: float


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(description="Small cells, and thousands of small networks.")
    parser.add_argument("--rounds", type=int, default=15, help="of the start of a cell")
    parser.add_argument("--widths", type=int, nargs="+", default=list(_WIDTHS))
    parser.add_argument("--sizes", type=int, nargs="+", default=list(_SIZES))
    parser.add_argument("--seeds", type=int, default=250)
    parser.add_argument("--dataset", choices=list(CATALOGUE), default=Inputs().dataset)
    parser.add_argument("--targets", nargs="+", default=[], help="of Snakemake; by default all")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="of what is written")
    options = parser.parse_args()
    overlay = {
        "experiment": _EXPERIMENT,
        "inputs": default_inputs(options.dataset),
        "grid": {
            "size": options.sizes,
            "width": options.widths,
            "seed": list(range(options.seeds)),
        },
    }
    experiment = experiment_of(overlay)
    with tempfile.TemporaryDirectory(prefix="ntk-mnist-small-") as name:
        folder = Path(name)
        lay_out(folder, options.dataset)
        write_config(folder / f"{_EXPERIMENT}.yaml", overlay)
        start = start_of(folder, options.dataset, options.rounds)
        print(start, flush=True)
        shutil.rmtree(folder / "data/compiled")
        measured = run_of(folder, experiment, options.targets)
        print(measured, flush=True)
    options.folder.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame([start._asdict() | measured._asdict()])
    table.to_csv(options.folder / "small_networks.csv", index=False)
    (options.folder / "small_networks.md").write_text(report(start, measured, options.rounds))


def start_of(folder: Path, dataset: str, rounds: int) -> Start:
    """Medians of several rounds; in each, a cell and ``import jax`` are measured in turn.

    The cell is that of width 64 on 64 images.
    """
    grid = {"size": [64], "width": [64]}
    (cell,) = experiment_of({"inputs": default_inputs(dataset), "grid": grid}).networks
    # Compile the program.
    run_cell(folder, cell)
    cells, imports = [], []
    for _ in range(rounds):
        imports.append(run(folder, sys.executable, "-c", "import jax"))
        cells.append(run_cell(folder, cell))
    return Start(
        statistics.median(found.seconds for found in cells),
        statistics.median(found.seconds for found in imports),
        statistics.median(found.cpu_seconds for found in cells),
        statistics.median(found.cpu_seconds for found in imports),
    )


def run_cell(folder: Path, cell: NetworkCell) -> Finished:
    """A cell's process, as its rule starts it, without a shard."""
    results = folder / "start"
    shard = results / cell.path("network")
    shard.unlink(missing_ok=True)
    found = run(folder, *cell_command("ntk_mnist", cell, cell.threads, results))
    if not shard.exists():
        raise SystemExit(f"{shard} was not written")
    return found


def run_of(folder: Path, experiment: Experiment, targets: list[str]) -> Run:
    """Plan and run a grid, from the prepared arrays.

    Raises:
        SystemExit: a network is missing.
    """
    # --configfile takes every word that follows it.
    command = ("snakemake", *targets, "--configfile", f"{_EXPERIMENT}.yaml")
    plan = run(folder, *command, "-n").seconds
    started = time.time()
    total = run(folder, *command).seconds
    results = folder / "results" / experiment.name
    shards = [results / cell.path(o) for cell in experiment.networks for o in cell.outputs]
    shards += [results / cell.path(o) for cell in experiment.kernels for o in cell.outputs]
    cells_end = max(shard.stat().st_mtime for shard in shards if shard.exists()) - started
    tables_end = max(table.stat().st_mtime for table in results.glob("*.parquet")) - started
    trained = pd.read_parquet(results / "network.parquet")
    networks = sum(len(cell.seeds) for cell in experiment.networks)
    if len(trained) != networks:
        raise SystemExit(f"{len(trained):,} networks, not {networks:,}")
    training = programs = 0.0
    for _, cell in trained.groupby(["width", "size"]):
        seconds = cell.sort_values("seed")["train_seconds"]
        training += len(seconds) * seconds.median()
        programs += max(seconds.iloc[0] - seconds.median(), 0)
    return Run(
        networks=networks,
        cells=len(experiment.networks),
        cores=os.cpu_count() or 1,
        total=total,
        plan=plan,
        of_cells=cells_end - plan,
        of_tables=max(tables_end - cells_end, 0),
        of_charts=total - max(tables_end, cells_end),
        training=training,
        programs=programs,
    )


def report(start: Start, measured: Run, rounds: int) -> str:
    """The tables for the README of the benchmarks."""
    lines = [f"Medians of {rounds} round{'s' * (rounds > 1)}, each a fresh process.", ""]
    lines += ["| | wall time, s | processor time, s |", "|--|--:|--:|"]
    lines += [f"| `import jax` | {start.jax:.2f} | {start.jax_cpu:.2f} |"]
    lines += [f"| a network cell, from its start to its shard | {start.cell:.2f} "]
    lines[-1] += f"| {start.cell_cpu:.2f} |"
    lines += [f"| ratio | {start.cell / start.jax:.2f} | {start.cell_cpu / start.jax_cpu:.2f} |"]
    lines += ["", f"Target: a ratio of at most {_TARGET:g}.", ""]
    seconds = measured.total
    lines += [
        f"{measured.networks:,} networks in {measured.cells} cells, and their kernels, on "
        f"{measured.cores} cores, where nothing is compiled: {seconds:.0f} s, "
        f"{measured.networks / seconds:.0f} networks a second.",
        "",
        "| part | wall time, s | of the run |",
        "|--|--:|--:|",
    ]
    for part, value in (
        ("planning", measured.plan),
        ("cells", measured.of_cells),
        ("aggregation, after the last cell", measured.of_tables),
        ("charts and page, after the last table", measured.of_charts),
    ):
        lines.append(f"| {part} | {value:.1f} | {value / seconds:.0%} |")
    core_seconds = measured.cores * measured.of_cells
    starts = measured.cells * start.cell
    rest = core_seconds - starts - measured.programs - measured.training
    lines += ["", "| of the cores' time while cells run | s | share |", "|--|--:|--:|"]
    for part, value in (
        ("starts of processes: cells × the time above", starts),
        ("programs, compiled or loaded, beside that", measured.programs),
        ("training", measured.training),
        ("the rest: orders of batches, rows, kernels, Snakemake, idle cores", rest),
    ):
        lines.append(f"| {part} | {value:.0f} | {value / core_seconds:.0%} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
