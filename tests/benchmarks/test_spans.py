"""When the cells of a run started and ended."""

import json
import os
from pathlib import Path

from benchmarks.default_run import Runs, Span, spans_of
from ntk_mnist.plan.experiment import experiment_of


def test_a_cell_starts_when_snakemake_starts_it_whenever_it_writes_to_its_log(
    tmp_path: Path,
) -> None:
    experiment = experiment_of({"grid": {"size": 64, "width": 8}})
    runs = Runs(tmp_path, {"default": experiment}, [])
    cell = experiment.kernels[0]
    log = (runs.results / "logs" / cell.path("kernel")).with_suffix(".log")
    ends = dict(zip(cell.outputs, (107.0, *[106.0] * len(cell.outputs)), strict=False))
    for file, time in {log: 105.0, **{runs.results / cell.path(o): ends[o] for o in ends}}.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("factorization, 3 of 9")
        os.utime(file, (time, time))
    # Snakemake keeps a long name in folders.
    record = tmp_path / ".snakemake/metadata/@a/long/name"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"log": [str(log.relative_to(tmp_path))], "starttime": 100.0}))
    assert spans_of(runs, [cell]) == {cell: Span(100.0, 107.0)}
