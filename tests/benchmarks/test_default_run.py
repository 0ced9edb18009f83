"""The benchmark of the default experiment, small."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.default_run import Runs, Span, spans_of
from ntk_mnist.plan.experiment import experiment_of

#: Figures that no other one contains, and bounds in seconds that hold on any machine.
SECONDS = [
    *(
        "notebook",
        "cold",
        "warm",
        "three seeds, warm",
        "nothing to do",
        "empty Snakefile",
        "added width",
        "its cells",
    ),
    *("one seed", "five seeds", "import jax"),
    *("network: to its first step", "kernel: to its first step"),
]


@pytest.mark.slow
def test_all_figures_are_measured_and_reported(run_benchmark: Callable[..., Path]) -> None:
    results = run_benchmark(
        "default_run",
        *("--dataset", "digits", "--widths", "8", "--sizes", "64", "--rounds", "1"),
        *("--targets", "networks", "kernels"),
    )

    figures = pd.read_csv(results / "default_run.csv").set_index("what")["median"]
    assert np.isfinite(figures).all()
    assert figures[SECONDS].between(0.1, 600).all(), figures[SECONDS]
    assert figures["added width"] > figures["its cells"]
    for cell in ("network", "kernel"):
        stages = figures.filter(regex=f"^{cell}: (?!to its)")
        assert len(stages) == 8
        assert (stages >= 0).all(), stages
        assert figures[f"{cell}: to its first step"] < stages.sum()
    for threads in ("1 thread", "2 threads"):
        assert figures[f"width 8, {threads}: its products, ms"] > 0

    report = (results / "default_run.md").read_text()
    assert "| five seeds / one seed |" in report
    assert all(f"| {what} | {value:.2f} |" in report for what, value in figures.items())
    assert (results / "gantt.png").read_bytes().startswith(b"\x89PNG")


def test_a_cell_starts_when_snakemake_starts_it_whenever_it_writes_to_its_log(
    tmp_path: Path,
) -> None:
    runs = Runs(tmp_path, {"default": experiment_of({"grid": {"size": 64, "width": 8}})}, [])
    cell = runs.default.kernels[0]
    log = (runs.results / "logs" / cell.path("kernel")).with_suffix(".log")
    last, *others = (runs.results / cell.path(output) for output in cell.outputs)
    for file, time in [(log, 105.0), (last, 107.0), *((other, 106.0) for other in others)]:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (time, time))
    # Snakemake keeps a long name in folders.
    record = tmp_path / ".snakemake/metadata/@a/long/name"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"log": [str(log.relative_to(tmp_path))], "starttime": 100.0}))
    assert spans_of(runs, [cell]) == {cell: Span(100.0, 107.0)}
