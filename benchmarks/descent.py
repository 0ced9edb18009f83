"""Full-batch steps of networks and their linearizations against the matrix products in them.

    PYTHONPATH=src python -m benchmarks.descent

Each cell has the threads that it has in the workflow, and a process of its own. Writes
``descent.csv`` and ``descent.md``.
"""

import argparse
import json
import sys
from itertools import product
from pathlib import Path

import pandas as pd

from benchmarks.descent_steps import DescentSteps
from benchmarks.processes import REPOSITORY, RESULTS, bounded, run
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.plan.cost import network_threads
from ntk_mnist.settings import Inputs

#: Of widths from the first and sizes from the second on.
_TARGET, _WIDE, _LARGE = 0.7, 512, 256


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(description="Full-batch steps against their products.")
    parser.add_argument("--widths", type=int, nargs="+", default=[512, 1024, 2048])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dataset", choices=list(CATALOGUE), default=Inputs().dataset)
    parser.add_argument("--folder", type=Path, default=RESULTS, help="of what is written")
    options = parser.parse_args()
    rows = []
    for width, size, linearized in product(options.widths, options.sizes, (False, True)):
        command = [sys.executable, "-m", "benchmarks.descent_steps", "--dataset", options.dataset]
        command += ["--width", str(width), "--size", str(size), "--rounds", str(options.rounds)]
        command += ["--linearized"] if linearized else []
        threads = network_threads(width)
        printed = run(REPOSITORY, *command, variables=bounded(threads)).stdout
        steps = DescentSteps(**json.loads(printed.splitlines()[-1]))
        rows.append(
            {"width": width, "size": size, "linearized": linearized, "threads": threads}
            | steps._asdict()
            | {"fraction": steps.products_seconds / steps.seconds}
        )
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    options.folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.folder / "descent.csv", index=False)
    (options.folder / "descent.md").write_text(report(table, options.rounds))


def report(table: pd.DataFrame, rounds: int) -> str:
    """The table for the README of the benchmarks."""
    lines = [f"Medians of {rounds} round{'s' * (rounds > 1)}.", ""]
    lines += ["| width | images | linearization | step, ms | Gflop/s | of the products' rate |"]
    lines += ["|--:|--:|--|--:|--:|--:|"]
    for row in table.to_dict("records"):
        lines.append(
            f"| {row['width']:,} | {row['size']:,} | {'with' if row['linearized'] else 'without'} "
            f"| {1e3 * row['seconds']:.1f} | {row['flop'] / row['seconds'] / 1e9:.1f} "
            f"| {row['fraction']:.2f} |"
        )
    counted = table[(table["width"] >= _WIDE) & (table["size"] >= _LARGE)]
    if not counted.empty:
        lines += [
            "",
            f"From width {_WIDE} and {_LARGE} images on, the lowest fraction is "
            f"{counted['fraction'].min():.2f}; target: {_TARGET} or more.",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
