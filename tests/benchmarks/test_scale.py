"""The benchmark of large grids, on a small one."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest


@pytest.mark.slow
def test_plans_and_aggregates_a_grid_of_made_up_shards(run_benchmark: Callable[..., Path]) -> None:
    results = run_benchmark("scale", "--grids", "2x1x3", "--targets", "tables")

    (row,) = pd.read_csv(results / "scale.csv").to_dict("records")
    assert (row["networks"], row["cells"]) == (6, 2)
    for figure in ("plan_seconds", "done_seconds", "aggregate_seconds"):
        assert 0.1 < row[figure] < 600
    assert 20 < row["aggregate_mb"] < 5000

    assert f"| 6 | 2 | {row['plan_seconds']:.1f} |" in (results / "scale.md").read_text()
    assert (results / "scale.png").read_bytes().startswith(b"\x89PNG")
