"""The benchmark of compilation, small."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest


@pytest.mark.slow
def test_programs_are_compiled_and_run_at_both_levels_with_the_same_bits(
    run_benchmark: Callable[..., Path],
) -> None:
    results = run_benchmark(
        "compilation",
        *("--dataset", "digits", "--widths", "16", "--activations", "relu", "--size", "64"),
        *("--rounds", "2"),
    )
    table = pd.read_csv(results / "compilation.csv")
    assert table["program"].tolist() == ["network of width 16", "kernels of relu"]
    seconds = table.drop(columns=["program", "same_bits"])
    assert seconds.shape == (2, 4)
    assert (seconds > 0).all(axis=None)
    assert table["same_bits"].all()
    assert "| kernels of relu |" in (results / "compilation.md").read_text()
