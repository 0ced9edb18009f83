"""The benchmark of exact solves, on few images."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from checkout import REPOSITORY


@pytest.mark.slow
def test_solves_by_all_three_ways_and_compares_them(run_benchmark: Callable[..., Path]) -> None:
    results = run_benchmark(
        "exact_solve",
        *("--dataset", "digits", "--sizes", "128", "--deep", "96", "--kinds", "nngp"),
        *("--rows", "64", "128", "--before", str(REPOSITORY)),
    )

    both = pd.read_csv(results / "exact_solve.csv").set_index("solver")
    deep, table = (both[both["depth"] == depth] for depth in (7, 3))
    assert (deep["size"] == 96).all()
    assert list(deep.index) == list(table.index)
    assert list(table.index) == ["exact", "exact, before", "spectral", "neural-tangents"]
    assert "failed" not in both
    assert table["seconds"].between(0.01, 600).all()
    assert table["peak_gb"].between(0.1, 10).all()
    assert table["test_accuracy"].between(0.7, 1).all()
    assert table["test_accuracy"].nunique() == 1
    assert (table["residual"].dropna() < 1e-8).all()
    for name in ("exact", "exact, before"):
        exact = table.loc[name]
        stages = exact.filter(regex="^seconds: ")
        assert (stages > 0).all(), stages
        assert stages.sum() < exact["seconds"]
        assert exact["fraction_of_rate"] > 0
        assert exact["of_products"] > 1

    report = (results / "exact_solve.md").read_text()
    assert f"| 128 | 3 | NNGP | exact, before | {exact['seconds']:.1f} |" in report
    assert (results / "exact_solve.png").read_bytes().startswith(b"\x89PNG")
