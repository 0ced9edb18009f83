"""The benchmark of full-batch steps, small."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest


@pytest.mark.slow
def test_steps_and_their_products_are_measured_and_reported(
    run_benchmark: Callable[..., Path],
) -> None:
    results = run_benchmark(
        "descent",
        *("--dataset", "digits", "--widths", "512", "--sizes", "256", "--rounds", "1"),
    )
    table = pd.read_csv(results / "descent.csv")
    assert table["linearized"].tolist() == [False, True]
    # 256 images, two products of the pixels and three of the layers, in multiply-adds of 2 flop.
    assert table["flop"][0] == 2 * 256 * (2 * 64 * 512 + 3 * 512**2)
    assert table["flop"][1] == 2 * table["flop"][0] + 2 * 256 * 512**2
    measured = ["seconds", "products_seconds", "evaluation_products", "cell_seconds"]
    assert (table[measured] > 0).all(axis=None)
    report = (results / "descent.md").read_text()
    assert "| 512 | 256 | with |" in report
    assert "target: 0.8 or more" in report
