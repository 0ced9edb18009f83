"""The benchmark of small networks, with few."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest


@pytest.mark.slow
def test_a_start_and_the_parts_of_a_run_are_measured_and_reported(
    run_benchmark: Callable[..., Path],
) -> None:
    results = run_benchmark(
        "small_networks",
        *("--dataset", "digits", "--rounds", "1", "--seeds", "3", "--targets", "tables"),
        *("--widths", "8", "16", "--sizes", "64"),
    )

    (found,) = pd.read_csv(results / "small_networks.csv").to_dict("records")
    assert (found["networks"], found["cells"]) == (6, 2)
    for figure in ("jax", "jax_cpu", "cell", "cell_cpu"):
        assert 0.1 < found[figure] < 600
    parts = [found[part] for part in ("plan", "of_cells", "of_tables", "of_charts")]
    assert all(part >= 0 for part in parts), parts
    # The clocks of files and of processes differ by less than a tenth of a second.
    assert abs(sum(parts) - found["total"]) < 0.1
    assert 0 < found["training"] < found["cores"] * found["total"]

    report = (results / "small_networks.md").read_text()
    assert f"| ratio | {found['cell'] / found['jax']:.2f} |" in report
    assert "6 networks in 2 cells" in report
