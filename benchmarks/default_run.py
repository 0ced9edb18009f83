"""The default experiment against the notebook's own procedure, and where its time goes.

    PYTHONPATH=src python -m benchmarks.default_run

Needs ``data/prepared/mnist`` (``snakemake data``). Every figure is the median of several rounds,
and in each round all figures are measured one after another. Writes ``default_run.md``,
``default_run.csv`` and ``gantt.png``, which shows the cells of the last warm run over time.

- notebook: ``notebook.py``, networks and kernels in one process, without its plots;
- cold, warm: ``snakemake`` from the prepared arrays to the rendered charts, without and with the
  compiled programs of an earlier run; and warm with three seeds;
- nothing to do, and an empty Snakefile;
- an added width, one and a half times the smallest, and the time that its cells alone take;
- one seed of the smallest cell, and five;
- a cell from the start of its process to its first training step or first tile, and ``import
  jax``;
- training steps of the two largest widths and, of the same shapes on as many threads, the matrix
  products that they consist of.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from benchmarks.checkout import cell_command, default_inputs, lay_out, write_config
from benchmarks.processes import RESULTS, bounded, run
from benchmarks.stages import STAGES
from benchmarks.steps import Steps
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.plan.cells import Cell
from ntk_mnist.plan.experiment import Experiment, experiment_of
from ntk_mnist.settings import Grid, Inputs


class Runs(NamedTuple):
    """The default experiment and its variants, in one copy of the workflow.

    Attributes:
        folder: the copy.
        experiments: by the names of their configs, without the ending: ``default``, ``width`` with
            one width more, ``three`` and ``seeds`` with three and five seeds.
        targets: of Snakemake; if there are none, all tables and charts.
    """

    folder: Path
    experiments: Mapping[str, Experiment]
    targets: Sequence[str]

    @property
    def default(self) -> Experiment:
        """The default experiment, perhaps of another dataset and a smaller grid."""
        return self.experiments["default"]

    @property
    def results(self) -> Path:
        """Where the files of all of them are."""
        return self.folder / "results" / self.default.name

    def snakemake(self, experiment: str, *targets: str) -> float:
        """Seconds of a run of Snakemake, of all targets unless some are given."""
        # --configfile takes every word that follows it.
        command = ("snakemake", *(targets or self.targets), "--configfile", f"{experiment}.yaml")
        return run(self.folder, *command).seconds


class Span(NamedTuple):
    """When a cell ran, in seconds since the epoch."""

    start: float
    end: float


def main() -> None:
    """Measure in rounds, and write."""
    parser = argparse.ArgumentParser(description="The default experiment against the notebook.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dataset", choices=list(CATALOGUE), default=Inputs().dataset)
    parser.add_argument("--widths", type=int, nargs="+", default=list(Grid().width))
    parser.add_argument("--sizes", type=int, nargs="+", default=list(Grid().size))
    parser.add_argument("--targets", nargs="+", default=[], help="of Snakemake; by default all")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="of what is written")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    measured: defaultdict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="ntk-mnist-default-") as name:
        runs = Runs(
            Path(name),
            set_up(Path(name), options.dataset, options.widths, options.sizes),
            options.targets,
        )
        for _ in range(options.rounds):
            figures, spans = one_round(runs)
            for what, value in figures.items():
                measured[what].append(value)
                print(f"{what}: {value:.2f}", flush=True)
    table = pd.DataFrame(
        {"what": what, "median": statistics.median(values), "min": min(values), "max": max(values)}
        for what, values in measured.items()
    )
    table.to_csv(options.folder / "default_run.csv", index=False)
    text = report(table.set_index("what")["median"], options.rounds)
    (options.folder / "default_run.md").write_text(text)
    gantt(spans).save(options.folder / "gantt.png", ppi=150)


def set_up(
    folder: Path, dataset: str, widths: Sequence[int], sizes: Sequence[int]
) -> dict[str, Experiment]:
    """Put the workflow, the prepared arrays and the configs of the experiments into ``folder``."""
    lay_out(folder, dataset)
    grid = {"size": list(sizes), "width": list(widths)}
    grids: dict[str, dict[str, Any]] = {
        "default": grid,
        "width": grid | {"width": sorted({*widths, 3 * min(widths) // 2})},
        "three": grid | {"seed": [0, 1, 2]},
        "seeds": grid | {"seed": [0, 1, 2, 3, 4]},
    }
    experiments = {}
    for name, axes in grids.items():
        overlay = {"inputs": default_inputs(dataset), "grid": axes}
        write_config(folder / f"{name}.yaml", overlay)
        experiments[name] = experiment_of(overlay)
    (folder / "empty").mkdir()
    (folder / "empty/Snakefile").write_text("rule all:\n    input: []\n")
    return experiments


def one_round(runs: Runs) -> tuple[dict[str, float], dict[Cell, Span]]:
    """Everything once: the figures, and when each cell of the warm run ran."""
    figures = {"notebook": seconds_of_notebook(runs)}
    shutil.rmtree(runs.folder / "data/compiled", ignore_errors=True)
    for what, experiment in (
        ("cold", "default"),
        ("three seeds, warm", "three"),
        ("warm", "default"),
    ):
        shutil.rmtree(runs.results, ignore_errors=True)
        figures[what] = runs.snakemake(experiment)
    spans = spans_of(runs, [*runs.default.networks, *runs.default.kernels])
    figures["nothing to do"] = runs.snakemake("default")
    figures["empty Snakefile"] = run(runs.folder / "empty", "snakemake", "--cores", "2").seconds
    figures |= added_width(runs)
    figures |= one_seed_and_five(runs)
    figures["import jax"] = run(runs.folder, sys.executable, "-c", "import jax").seconds
    figures |= stages(runs, runs.default.networks[0])
    figures |= stages(runs, runs.default.kernels[0])
    (grid,) = runs.default.groups
    largest = sorted(grid.widths)[-2:]
    for width, threads in (*((width, 1) for width in largest), (largest[-1], 2)):
        figures |= training_steps(runs, width, threads)
    return figures, spans


def seconds_of_notebook(runs: Runs) -> float:
    """The notebook's procedure on the same grid."""
    (grid,) = runs.default.groups
    axes = {"--widths": grid.widths, "--sizes": grid.sizes}
    words = [word for axis, values in axes.items() for word in (axis, *map(str, values))]
    arrays = f"data/prepared/{runs.default.inputs.dataset}"
    return run(runs.folder, sys.executable, "-m", "benchmarks.notebook", arrays, *words).seconds


def added_width(runs: Runs) -> dict[str, float]:
    """A run that adds a width, and its cells from the first's start to the last's end."""
    total = runs.snakemake("width")
    default = runs.default.networks
    spans = spans_of(
        runs, [cell for cell in runs.experiments["width"].networks if cell not in default]
    ).values()
    cells = max(span.end for span in spans) - min(span.start for span in spans)
    return {"added width": total, "its cells": cells}


def one_seed_and_five(runs: Runs) -> dict[str, float]:
    """The smallest network cell with one seed and with five, Snakemake included."""
    figures = {}
    for what, experiment in (("one seed", "default"), ("five seeds", "seeds")):
        shutil.rmtree(runs.results)
        cell = runs.experiments[experiment].networks[0]
        shard = runs.results.relative_to(runs.folder) / cell.path("network")
        figures[what] = runs.snakemake(experiment, str(shard))
    return figures


def stages(runs: Runs, cell: Cell) -> dict[str, float]:
    """Seconds that each stage of a cell's process takes."""
    folder = runs.folder / "stages"
    shutil.rmtree(folder, ignore_errors=True)
    command = cell_command("benchmarks.stages", cell, cell.threads, folder)
    started = time.time()
    ends: dict[str, float] = json.loads(run(runs.folder, *command).stdout.splitlines()[-1])
    ends["end"] = time.time()
    figures, before = {}, started
    for stage in (*STAGES, "end"):
        figures[f"{cell.KIND}: {stage}"] = ends[stage] - before
        before = ends[stage]
    figures[f"{cell.KIND}: to its first step"] = ends["load the program"] - started
    return figures


def training_steps(runs: Runs, width: int, threads: int) -> dict[str, float]:
    """A training step, and the matrix products that it consists of."""
    command = [sys.executable, "-m", "benchmarks.steps"]
    command += ["--dataset", runs.default.inputs.dataset, "--width", str(width)]
    printed = run(runs.folder, *command, variables=bounded(threads)).stdout
    steps = Steps(**json.loads(printed.splitlines()[-1]))
    name = f"width {width}, {threads} thread{'s' * (threads > 1)}"
    return {
        f"{name}: step, ms": 1e3 * steps.seconds,
        f"{name}: its products, ms": 1e3 * steps.products_seconds,
        f"{name}: fraction of the products' rate": steps.products_seconds / steps.seconds,
        f"{name}: Gflop/s": steps.flop / steps.seconds / 1e9,
    }


def spans_of(runs: Runs, cells: Iterable[Cell]) -> dict[Cell, Span]:
    """When Snakemake started each cell, and when the last of its shards was written.

    A cell writes to its log while it runs, so that the time of the log does not tell its start.
    """
    metadata = (runs.folder / ".snakemake/metadata").rglob("*")
    records = [json.loads(file.read_text()) for file in metadata if file.is_file()]
    started = {log: record["starttime"] for record in records for log in record["log"]}
    spans = {}
    for cell in cells:
        log = (runs.results / "logs" / cell.path(cell.KIND)).with_suffix(".log")
        shards = [runs.results / cell.path(output) for output in cell.outputs]
        end = max(shard.stat().st_mtime for shard in shards)
        spans[cell] = Span(started[str(log.relative_to(runs.folder))], end)
    return spans


def gantt(spans: Mapping[Cell, Span]) -> alt.Chart:
    """The cells of a run over time."""
    first = min(span.start for span in spans.values())
    lanes: list[float] = []
    rows = []
    for cell, span in sorted(spans.items(), key=lambda item: item[1]):
        lane = next((i for i, free in enumerate(lanes) if free <= span.start + 0.05), len(lanes))
        lanes[lane : lane + 1] = [span.end]
        width = cell.key.get("width")
        rows.append(
            {
                "start": span.start - first,
                "end": span.end - first,
                "lane": lane + 1,
                "cell": f"width={width}" if width else cell.KIND,
            }
        )
    widths = sorted({int(cell.key["width"]) for cell in spans if "width" in cell.key})
    order = [*(f"width={width}" for width in widths), "kernel"]
    return (
        alt.Chart(pd.DataFrame(rows), title="Cells of the default run, by the core they ran on")
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("start", title="seconds"),
            x2="end",
            y=alt.Y("lane:O", title=None),
            color=alt.Color("cell", title=None, sort=order).scale(scheme="viridis"),
        )
        .properties(width=700, height=120)
    )


def report(median: "pd.Series[float]", rounds: int) -> str:
    """The tables for the README of the benchmarks."""
    ratios = [
        ("default run, cold / notebook", median["cold"] / median["notebook"], "≤ 0.5"),
        ("default run, warm / notebook", median["warm"] / median["notebook"], "≤ 0.4"),
        ("the same with three seeds", median["three seeds, warm"] / median["notebook"], ""),
        (
            "nothing to do − an empty Snakefile, s",
            median["nothing to do"] - median["empty Snakefile"],
            "≤ 1",
        ),
        ("added width − its cells, s", median["added width"] - median["its cells"], "≤ 8"),
        ("five seeds / one seed", median["five seeds"] / median["one seed"], "< 2"),
    ]
    for cell in ("network", "kernel"):
        fixed = median[f"{cell}: to its first step"] / median["import jax"]
        ratios.append((f"{cell} cell to its first step / import jax", fixed, "≤ 1.5"))
    rates = [what for what in median.index if "fraction" in what]
    ratios += [(f"step, {what}", median[what], "≥ 0.7") for what in rates]
    lines = [f"Medians of {rounds} round{'s' * (rounds > 1)}.", ""]
    lines += ["| ratio | measured | target |", "|---|---|---|"]
    lines += [f"| {what} | {value:.2f} | {target} |" for what, value, target in ratios]
    lines += ["", "| figure | median |", "|---|---|"]
    lines += [f"| {what} | {value:.2f} |" for what, value in median.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
