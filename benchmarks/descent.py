"""Cells of full-batch networks and their linearizations against the matrix products in them.

    PYTHONPATH=src python -m benchmarks.descent

Each cell has the threads that it has in the workflow, and a process of its own. A cell's time is
put together from that of a step, an evaluation and a start, for the steps and times of
``config/width_convergence.yaml``. Writes ``descent.csv`` and ``descent.md``.
"""

import argparse
import json
import sys
from itertools import product
from pathlib import Path

import pandas as pd
import yaml

from benchmarks.descent_steps import DescentSteps
from benchmarks.processes import REPOSITORY, RESULTS, bounded, run
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.plan.cost import network_threads
from ntk_mnist.settings import Inputs

#: Of widths from the first and sizes from the second on.
_TARGET, _WIDE, _LARGE = 0.8, 512, 256


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(description="Full-batch steps against their products.")
    parser.add_argument("--widths", type=int, nargs="+", default=[512, 1024, 2048])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dataset", choices=list(CATALOGUE), default=Inputs().dataset)
    parser.add_argument("--folder", type=Path, default=RESULTS, help="of what is written")
    options = parser.parse_args()
    config = yaml.safe_load((REPOSITORY / "config/width_convergence.yaml").read_text())
    times = config["solve"]["times"]
    count = round(max(times) / config["training"]["step_size"])
    rows = []
    for width, size, linearized in product(options.widths, options.sizes, (False, True)):
        command = [sys.executable, "-m", "benchmarks.descent_steps", "--dataset", options.dataset]
        command += ["--width", str(width), "--size", str(size), "--rounds", str(options.rounds)]
        command += ["--linearized"] if linearized else []
        threads = network_threads(width)
        printed = run(REPOSITORY, *command, variables=bounded(threads)).stdout
        steps = DescentSteps(**json.loads(printed.splitlines()[-1]))
        cell = steps.start + count * steps.seconds + len(times) * steps.evaluation
        # At the start, it is evaluated once more.
        products = count * steps.products_seconds + (len(times) + 1) * steps.evaluation_products
        rows.append(
            {"width": width, "size": size, "linearized": linearized, "threads": threads}
            | steps._asdict()
            | {"fraction": steps.products_seconds / steps.seconds}
            | {"cell_seconds": cell, "cell_fraction": products / cell}
        )
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    options.folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.folder / "descent.csv", index=False)
    (options.folder / "descent.md").write_text(report(table, options.rounds, count, len(times)))


def report(table: pd.DataFrame, rounds: int, steps: int, times: int) -> str:
    """The table for the README of the benchmarks."""
    lines = [
        f"Medians of {rounds} round{'s' * (rounds > 1)}. Fractions are of the rate of the matrix "
        f"products, each repeated by itself; a network is {steps} steps and {times} evaluations.",
        "",
        "| width | images | linearization | step, ms | Gflop/s | fraction "
        "| evaluation, ms | fraction | network, s | fraction |",
        "|--:|--:|--|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in table.to_dict("records"):
        lines.append(
            f"| {row['width']:,} | {row['size']:,} | {'with' if row['linearized'] else 'without'} "
            f"| {1e3 * row['seconds']:.1f} | {row['flop'] / row['seconds'] / 1e9:.1f} "
            f"| {row['fraction']:.2f} | {1e3 * row['evaluation']:.0f} "
            f"| {row['evaluation_products'] / row['evaluation']:.2f} "
            f"| {row['cell_seconds']:.1f} | {row['cell_fraction']:.2f} |"
        )
    counted = table[(table["width"] >= _WIDE) & (table["size"] >= _LARGE)]
    if not counted.empty:
        lines += [
            "",
            f"From width {_WIDE} and {_LARGE} images on, the lowest fraction of a network is "
            f"{counted['cell_fraction'].min():.2f}; target: {_TARGET} or more.",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
