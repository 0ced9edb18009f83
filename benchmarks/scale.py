"""Planning and aggregation at 100, 1,000 and 10,000 networks.

    PYTHONPATH=src python -m benchmarks.scale

A cell is a width and a size, and its shard has a row a seed: 10,000 networks are 400 cells of 25
seeds. The networks and kernels are not computed. Their shards hold made-up rows under the records
of real ones, so that Snakemake finds what a complete grid leaves behind. Four figures are taken:

- plan: ``snakemake -n`` where nothing exists;
- done: ``snakemake -n`` of the complete grid, which finds nothing to do;
- aggregate: the table of all network shards, from the start of the process;
- memory: the peak of that process.

Writes ``scale.csv``, ``scale.md`` and ``scale.png``.
"""

import argparse
import tempfile
from collections.abc import Sequence
from itertools import product
from math import inf
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import altair as alt
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from msgspec.structs import asdict

from benchmarks.checkout import lay_out, write_config
from benchmarks.processes import RESULTS, run
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.declarations import declared
from ntk_mnist.measures import (
    CalibrationMeasures,
    KernelMeasures,
    KernelPredictionMeasures,
    Measures,
    NetworkMeasures,
)
from ntk_mnist.plan.cells import Cell, KernelCell, NetworkCell
from ntk_mnist.plan.experiment import Experiment, experiment_of
from ntk_mnist.store.schemas import SHARD_SCHEMAS
from ntk_mnist.store.shards import write

AnyMeasures = TypeVar("AnyMeasures", bound=Measures)

#: A value of each type, for measures that no chart needs to tell apart.
_MADE_UP: dict[type, Any] = {int: 1, float: 0.5, str: "made up", bool: True}
_GROUPS = 20
_TARGET = "Target: 10,000 networks, which are 400 cells, are planned in less than 5 s."


class Axes(NamedTuple):
    """How many values each axis of a grid has."""

    widths: int
    sizes: int
    seeds: int

    @classmethod
    def of(cls, text: str) -> "Axes":
        """Of a text such as ``20x20x25``."""
        widths, sizes, seeds = map(int, text.split("x"))
        return cls(widths, sizes, seeds)

    @property
    def networks(self) -> int:
        """Of the grid."""
        return self.widths * self.sizes * self.seeds


GRIDS = (Axes(5, 5, 4), Axes(10, 10, 10), Axes(20, 20, 25))


def main() -> None:
    """Measure each grid, and write."""
    parser = argparse.ArgumentParser(description="Planning and aggregation of large grids.")
    parser.add_argument(
        "--grids", type=Axes.of, nargs="+", default=GRIDS, metavar="WIDTHSxSIZESxSEEDS"
    )
    parser.add_argument("--targets", nargs="+", default=[], help="of Snakemake; by default all")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="of what is written")
    options = parser.parse_args()
    rows = []
    for axes in options.grids:
        with tempfile.TemporaryDirectory(prefix="ntk-mnist-scale-") as folder:
            rows.append(measure(Path(folder), axes, options.targets))
            print(rows[-1], flush=True)
    options.folder.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows)
    table.to_csv(options.folder / "scale.csv", index=False)
    (options.folder / "scale.md").write_text(report(table))
    chart(table).save(options.folder / "scale.png", ppi=150)


def measure(folder: Path, axes: Axes, targets: Sequence[str]) -> dict[str, float]:
    """One grid, from nothing to complete.

    Args:
        folder: an empty folder.
        axes: of the grid.
        targets: of Snakemake; if there are none, all tables and charts.

    Raises:
        SystemExit: Snakemake plans other cells, or a table lacks rows.
    """
    experiment = lay_out_grid(folder, axes)
    # --configfile takes every word that follows it.
    snakemake = ("snakemake", *targets, "--configfile", "scale.yaml")
    plan = run(folder, *snakemake, "-n")
    cells = len(experiment.networks)
    expect(f"To run: {cells:,} networks" in plan.stdout, plan.stdout)

    write_shards(folder / "results" / experiment.name, experiment)
    table = folder / "aggregated.parquet"
    aggregate = run(folder, *tabulate(experiment), "--output", str(table))
    found = pq.read_metadata(table).num_rows
    expect(found == axes.networks, f"{found} rows")

    # Only the tables and charts are computed.
    made = run(folder, *snakemake)
    planned = [line for line in made.stderr.splitlines() if line.startswith("To run: ")]
    expect(len(planned) == 1 and "network" not in planned[0], made.stderr)
    done = run(folder, *snakemake, "-n")
    expect("Everything is up to date" in done.stdout + done.stderr, done.stdout)
    return {
        "networks": axes.networks,
        "cells": cells,
        "plan_seconds": plan.seconds,
        "done_seconds": done.seconds,
        "aggregate_seconds": aggregate.seconds,
        "aggregate_mb": aggregate.peak_mb,
    }


def expect(fulfilled: bool, found: str) -> None:
    """End everything if what was measured is not what it should be."""
    if not fulfilled:
        raise SystemExit(f"not what was to be measured:\n{found[-2000:]}")


def lay_out_grid(folder: Path, axes: Axes) -> Experiment:
    """Put the workflow, the digits and the config of a grid into an empty folder."""
    lay_out(folder, "digits")
    overlay = {
        "experiment": "scale",
        "inputs": {"dataset": "digits", "test_size": 100},
        "grid": {
            "size": [64 + 16 * i for i in range(axes.sizes)],
            "width": [8 + i for i in range(axes.widths)],
            "seed": list(range(axes.seeds)),
        },
    }
    write_config(folder / "scale.yaml", overlay)
    return experiment_of(overlay)


def write_shards(results: Path, experiment: Experiment) -> None:
    """Write all shards of each cell, with made-up rows."""
    for network in experiment.networks:
        write_shard(results, network, "network", network_rows(network))
    for kernel in experiment.kernels:
        write_shard(results, kernel, "kernel", kernel_rows(kernel))
        write_shard(results, kernel, "calibration", calibration_rows(kernel))
        write_shard(results, kernel, "kernel_prediction", prediction_rows(kernel))


def write_shard(results: Path, cell: Cell, output: str, measures: list[Measures]) -> None:
    """Write one output of a cell under the record that it would have now."""
    rows = [cell.identity | asdict(row) for row in measures]
    write(results / cell.path(output), SHARD_SCHEMAS[output], rows, cell.record(output))


def network_rows(cell: NetworkCell) -> list[Measures]:
    """A row a seed."""
    losses = (0.5,) * cell.training.epochs
    return [made_up(NetworkMeasures, seed=seed, epoch_train_loss=losses) for seed in cell.seeds]


def kernel_rows(cell: KernelCell) -> list[Measures]:
    """A row a kind and time."""
    return [
        made_up(KernelMeasures, kernel=kind, time=time, solver=cell.solver)
        for kind, time in product(cell.solve.kinds, (*cell.solve.times, inf))
    ]


def prediction_rows(cell: KernelCell) -> list[Measures]:
    """A row a kind and time, as long as a real one."""
    rng = np.random.default_rng(0)
    outputs = cell.inputs.test_size * CATALOGUE[cell.inputs.dataset].outputs
    return [
        made_up(
            KernelPredictionMeasures,
            kernel=kind,
            time=time,
            prediction=tuple(rng.random(outputs).tolist()),
        )
        for kind, time in product(cell.solve.kinds, (*cell.solve.times, inf))
    ]


def calibration_rows(cell: KernelCell) -> list[Measures]:
    """A row a kind and group of test images."""
    return [
        made_up(CalibrationMeasures, kernel=kind, fraction=(group + 1) / _GROUPS)
        for kind, group in product(cell.solve.kinds, range(_GROUPS))
    ]


def made_up(measures: type[AnyMeasures], **given: Any) -> AnyMeasures:
    """A row of the declared measures, in which those that are not given are made up."""
    others = {field.name: _MADE_UP[field.type] for field in declared(measures)}
    return measures(**others | given)


def tabulate(experiment: Experiment) -> list[str]:
    """The command of the rule ``table`` for the networks, but for its output."""
    command = ["python", "-m", "ntk_mnist", "tabulate", "--table", "network"]
    results = f"results/{experiment.name}"
    return [*command, "--results", results, "--experiment", experiment.to_json()]


def report(table: pd.DataFrame) -> str:
    """The table for the README of the benchmarks."""
    heads = ("networks", "cells", "plan, s", "nothing to do, s", "aggregation, s")
    lines = ["| " + " | ".join([*heads, "its peak memory, MB"]) + " |", "|--:" * 6 + "|"]
    for row in table.itertuples():
        lines.append(
            f"| {row.networks:,} | {row.cells:,} | {row.plan_seconds:.1f} "
            f"| {row.done_seconds:.1f} | {row.aggregate_seconds:.1f} | {row.aggregate_mb:.0f} |"
        )
    return "\n".join([*lines, "", _TARGET]) + "\n"


def chart(table: pd.DataFrame) -> alt.Chart:
    """Seconds against networks, both logarithmic."""
    names = {
        "plan_seconds": "plan",
        "done_seconds": "nothing to do",
        "aggregate_seconds": "aggregation",
    }
    tidy = table.rename(columns=names).melt("networks", list(names.values()), "what", "seconds")
    return (
        alt.Chart(tidy, title="Growth with the grid (the networks themselves are made up)")
        .mark_line(point=True)
        .encode(
            x=alt.X("networks").scale(type="log"),
            y=alt.Y("seconds").scale(type="log"),
            color=alt.Color("what", title=None),
        )
        .properties(width=420, height=300)
    )


if __name__ == "__main__":
    main()
