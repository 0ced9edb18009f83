"""Planning and aggregation at 100, 1,000 and 10,000 network cells.

    PYTHONPATH=src python benchmarks/scale.py

The networks and kernels are not computed: their shards hold made-up rows, under the records of
real ones, so that Snakemake finds what a complete grid leaves behind. Four figures are taken:

- plan: ``snakemake -n`` where nothing stands;
- done: ``snakemake -n`` of the complete grid, which finds nothing to do;
- aggregate: the table of all network shards, from the start of the process;
- memory: the peak of that process.

Writes ``results/scale.csv``, ``results/scale.md`` and ``results/scale.png`` beside itself.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import yaml

from ntk_mnist import provenance
from ntk_mnist.calibration import Calibration
from ntk_mnist.cost import kernel_solver, kernel_threads, network_threads
from ntk_mnist.originals import prepare
from ntk_mnist.shards import KERNEL_SCHEMA, NETWORK_SCHEMA, write

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
#: Widths, sizes and seeds of a grid.
GRIDS = {100: (5, 5, 4), 1_000: (10, 10, 10), 10_000: (20, 20, 25)}


def main() -> None:
    """Measure each grid, and write."""
    parser = argparse.ArgumentParser(description="Planning and aggregation of large grids.")
    parser.add_argument("--cells", type=int, nargs="+", default=list(GRIDS), choices=list(GRIDS))
    rows = []
    for cells in parser.parse_args().cells:
        with tempfile.TemporaryDirectory(prefix="ntk-mnist-scale-") as folder:
            rows.append(measure(Path(folder), cells))
            print(rows[-1], flush=True)
    RESULTS.mkdir(exist_ok=True)
    table = pd.DataFrame(rows)
    table.to_csv(RESULTS / "scale.csv", index=False)
    (RESULTS / "scale.md").write_text(markdown(table))
    chart(table).save(RESULTS / "scale.png", ppi=150)


def measure(folder: Path, cells: int) -> dict[str, float]:
    """One grid, from nothing to complete."""
    config = lay_out(folder, cells)
    prepare("digits", [], folder / "data/prepared/digits")
    plan, _, said = run(folder, "snakemake", "-n", "--configfile", "scale.yaml")
    assert f"network {cells}" in " ".join(said.split()), said[-2000:]
    write_shards(folder, config)
    aggregate, memory, _ = run(folder, *tabulate(config))
    # The tables and charts, in truth.
    run(folder, "snakemake", "--configfile", "scale.yaml")
    done, _, said = run(folder, "snakemake", "-n", "--configfile", "scale.yaml")
    assert "Nothing to be done" in said, said[-2000:]
    return {
        "cells": cells,
        "plan_seconds": plan,
        "done_seconds": done,
        "aggregate_seconds": aggregate,
        "aggregate_mb": memory,
    }


def lay_out(folder: Path, cells: int) -> dict[str, Any]:
    """Put the workflow, and a config of so many network cells, into ``folder``."""
    for name in ("Snakefile", "workflow", "src", "config", "profiles", "environment.yml"):
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    widths, sizes, seeds = GRIDS[cells]
    overlay = {
        "experiment": "scale",
        "dataset": "digits",
        "test_size": 100,
        "sizes": [64 + 16 * i for i in range(sizes)],
        "network": {"widths": [8 + i for i in range(widths)], "seeds": list(range(seeds))},
    }
    (folder / "scale.yaml").write_text(yaml.safe_dump(overlay))
    config = yaml.safe_load((folder / "config/config.yaml").read_text())
    return config | overlay | {"network": config["network"] | overlay["network"]}


def write_shards(folder: Path, config: dict[str, Any]) -> None:
    """Write the shard of each cell, with a made-up row."""
    network, kernel = config["network"], config["kernel"]
    optimizer = network["optimizer"]
    common = {"dataset": "digits", "test_size": config["test_size"]} | {
        key: network[key] for key in ("depth", "activation", "W_std", "b_std")
    }
    training = {
        "parameterization": network["parameterization"],
        "optimizer": optimizer["name"],
        "step_size": optimizer["step_size"],
        "mass": optimizer["mass"],
        "epochs": network["epochs"],
        "batch_size": network["batch_size"],
    }
    accuracies = {"train_accuracy": 0.9, "test_accuracy": 0.9}
    trained = accuracies | {
        "train_loss": 0.1,
        "test_loss": 0.1,
        "epoch_train_loss": [0.1] * network["epochs"],
        "train_seconds": 1.0,
    }
    results = folder / "results/scale"
    for width, size, seed in product(network["widths"], config["sizes"], network["seeds"]):
        cell = common | training | {"width": width, "size": size, "seed": seed}
        made = provenance.of_network(cell | {"threads": network_threads(width)})
        shard = results / f"nn/width={width}/size={size}/seed={seed}.parquet"
        write(shard, NETWORK_SCHEMA, [cell | trained], made)
    solve = {
        "kinds": sorted(kernel["kinds"]),
        "times": sorted(kernel["times"]),
        "diag_reg": kernel["diag_reg"],
    }
    solved = accuracies | {
        "train_mse": 0.1,
        "test_mse": 0.1,
        "diag_reg": 0.0,
        "condition_number": 1.0,
        "residual": 1e-12,
        "prediction_error": 1e-12,
        "jitter": 0.0,
        "log_marginal_likelihood": 1.0,
        "log_marginal_likelihood_error": 0.0,
        **{f"calibration_{name}": [0.5] * 20 for name in Calibration._fields},
        "solve_seconds": 1.0,
    }
    for size in config["sizes"]:
        cell = common | {"size": size, "solver": kernel_solver(size)}
        rows = [
            cell | solved | {"kernel": kind, "time": t}
            for kind, t in product(kernel["kinds"], [*kernel["times"], float("inf")])
        ]
        shard = results / f"kernel/size={size}.parquet"
        write(
            shard,
            KERNEL_SCHEMA,
            rows,
            provenance.of_kernel(cell | solve | {"threads": kernel_threads(size)}),
        )


def tabulate(config: dict[str, Any]) -> list[str]:
    """The command of the rule ``network_table``, to a place of its own."""
    axes = {
        "sizes": config["sizes"],
        "widths": config["network"]["widths"],
        "seeds": config["network"]["seeds"],
    }
    grid = [word for axis, values in axes.items() for word in (f"--{axis}", *map(str, values))]
    command = ["python", "-m", "ntk_mnist", "tabulate", "--shards", "results/scale/nn"]
    return [*command, *grid, "--output", "aggregated.parquet"]


def run(folder: Path, *command: str) -> tuple[float, float, str]:
    """Run; returns seconds, the process's peak memory in MB, and what was printed."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY / "src"),
    }
    with (folder / "output").open("w+") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        output.seek(0)
        said = output.read()
    if status:
        raise SystemExit(f"{' '.join(command)} failed:\n{said[-5000:]}")
    return seconds, usage.ru_maxrss / 1024, said


def markdown(table: pd.DataFrame) -> str:
    """The table for the README of the benchmarks."""
    lines = ["| cells | plan, s | nothing to do, s | aggregation, s | its peak memory, MB |"]
    lines += ["|---|---|---|---|---|"]
    for row in table.itertuples():
        lines.append(
            f"| {row.cells:,} | {row.plan_seconds:.1f} | {row.done_seconds:.1f} "
            f"| {row.aggregate_seconds:.1f} | {row.aggregate_mb:.0f} |"
        )
    return "\n".join(lines) + "\n"


def chart(table: pd.DataFrame) -> alt.Chart:
    """Seconds against cells, both logarithmic."""
    names = {
        "plan_seconds": "plan",
        "done_seconds": "nothing to do",
        "aggregate_seconds": "aggregation",
    }
    tidy = table.rename(columns=names).melt("cells", list(names.values()), "what", "seconds")
    return (
        alt.Chart(tidy, title="Growth with the grid (the cells themselves are made up)")
        .mark_line(point=True)
        .encode(
            x=alt.X("cells", title="network cells").scale(type="log"),
            y=alt.Y("seconds").scale(type="log"),
            color=alt.Color("what", title=None),
        )
        .properties(width=420, height=300)
    )


if __name__ == "__main__":
    main()
