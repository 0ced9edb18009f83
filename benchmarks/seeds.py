"""Sixty seeds of one small cell against one seed.

    PYTHONPATH=src python -m benchmarks.seeds

Needs ``data/prepared/mnist`` (``snakemake data``). The cell is that of width 64 on 64 images, with
the default settings; it is made by ``snakemake``, whose own time counts, and finds its compiled
program. Writes ``seeds.csv`` and ``seeds.md``.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.checkout import default_inputs, lay_out, write_config
from benchmarks.processes import RESULTS, run
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.plan.experiment import experiment_of
from ntk_mnist.settings import Inputs
from ntk_mnist.store.shards import about

_WIDTH = _SIZE = 64


def main() -> None:
    """Measure in rounds, and write."""
    parser = argparse.ArgumentParser(description="Many seeds of one small cell against one seed.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--dataset", choices=list(CATALOGUE), default=Inputs().dataset)
    parser.add_argument("--folder", type=Path, default=RESULTS, help="of what is written")
    options = parser.parse_args()
    counts = (1, options.seeds)
    measured: dict[int, list[float]] = {count: [] for count in counts}
    with tempfile.TemporaryDirectory(prefix="ntk-mnist-seeds-") as name:
        folder = Path(name)
        lay_out(folder, options.dataset)
        # Compile the program.
        run_cell(folder, options.dataset, 1)
        for _ in range(options.rounds):
            for count in counts:
                measured[count].append(run_cell(folder, options.dataset, count))
                print(f"seeds: {count}, seconds: {measured[count][-1]:.2f}", flush=True)
    table = pd.DataFrame(
        {"seeds": count, "median": statistics.median(v), "min": min(v), "max": max(v)}
        for count, v in measured.items()
    )
    options.folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.folder / "seeds.csv", index=False)
    (options.folder / "seeds.md").write_text(report(table, options.rounds))


def run_cell(folder: Path, dataset: str, seeds: int) -> float:
    """Seconds in which Snakemake makes the cell with so many seeds, from no results.

    Raises:
        SystemExit: the shard does not hold these seeds.
    """
    overlay = {
        "inputs": default_inputs(dataset),
        "grid": {"width": [_WIDTH], "size": [_SIZE], "seed": list(range(seeds))},
    }
    write_config(folder / "seeds.yaml", overlay)
    experiment = experiment_of(overlay)
    (cell,) = experiment.networks
    shard = f"results/{experiment.name}/{cell.path('network')}"
    shutil.rmtree(folder / "results", ignore_errors=True)
    seconds = run(folder, "snakemake", shard, "--configfile", "seeds.yaml").seconds
    if (found := about(folder / shard).seeds) != cell.seeds:
        raise SystemExit(f"{shard} holds the seeds {found}")
    return seconds


def report(table: pd.DataFrame, rounds: int) -> str:
    """The table for the README of the benchmarks."""
    one, many = table["median"]
    lines = [f"Medians of {rounds} round{'s' * (rounds > 1)}.", ""]
    lines += ["| seeds of one cell | time, s |", "|--:|--:|"]
    lines += [f"| {row.seeds} | {row.median:.2f} |" for row in table.itertuples()]
    lines += ["", f"The ratio is {many / one:.2f}; target: less than 2."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
