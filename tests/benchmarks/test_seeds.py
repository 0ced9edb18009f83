"""The benchmark of many seeds of one cell, with few."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest


@pytest.mark.slow
def test_compares_some_seeds_with_one(run_benchmark: Callable[..., Path]) -> None:
    results = run_benchmark("seeds", "--dataset", "digits", "--seeds", "3", "--rounds", "1")

    table = pd.read_csv(results / "seeds.csv")
    assert table["seeds"].tolist() == [1, 3]
    assert table["median"].between(0.1, 600).all()

    one, three = table["median"]
    assert f"The ratio is {three / one:.2f}" in (results / "seeds.md").read_text()
