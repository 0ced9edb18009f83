"""Which of our rows stand beside a published number."""

from math import inf
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from ntk_mnist import UserError
from ntk_mnist.commands.reproduce import rows
from ntk_mnist.commands.reproductions import Reproduction, page
from ntk_mnist.plan.published import Facts, Picture, Published


def published(*facts: Facts) -> Published:
    return Published(title="T", citation="A paper, table 1", explanation="Why.", facts=facts)


def network(width: int, seed: int, accuracy: float | None, W_std: float = 1.5) -> dict[str, Any]:
    return {
        "dataset": "mnist",
        "width": width,
        "size": 64,
        "seed": seed,
        "W_std": W_std,
        "test_accuracy": accuracy,
    }


KERNELS = [
    {"dataset": "mnist", "kernel": kind, "time": time, "size": 64, "draw": None}
    | {"test_accuracy": accuracy}
    for kind, time, accuracy in (("nngp", inf, 0.61), ("nngp", 10.0, 0.3), ("ntk", inf, 0.7))
]
OF_KERNEL = Facts(
    table="kernel",
    where={"kernel": "nngp", "time": inf},
    column="test_accuracy",
    decimals=2,
    over="size",
    values={64: 0.61, 128: 0.7},
)
OF_NETWORK = Facts(
    table="network",
    where={"W_std": 1.5},
    column="test_accuracy",
    decimals=3,
    over="width",
    values={8: 0.5, 16: 0.9},
)


def test_a_kernel_is_found_by_its_kind_and_time() -> None:
    found, missing = rows(published(OF_KERNEL), {"kernel": KERNELS})
    assert (found.ours, found.runs, found.verdict) == (0.61, 1, "equal")
    assert (found.low, found.high) == (None, None)
    assert found.item == "nngp, t = ∞"
    assert (missing.ours, missing.runs, missing.verdict) == (None, 0, "not run")


def test_seeds_are_runs_and_other_architectures_are_not() -> None:
    ours = [network(8, seed, 0.4 + 0.1 * seed) for seed in range(3)]
    ours += [network(8, 0, 0.0, W_std=1.6), network(16, 0, 0.2), network(16, 1, 0.2)]
    first, second = rows(published(OF_NETWORK), {"network": ours})
    assert (first.runs, first.verdict) == (3, "equal")
    assert first.ours == pytest.approx(0.5)
    assert (second.runs, second.verdict) == (2, "differs")
    assert second.difference == pytest.approx(-0.7)


def test_a_setting_is_equal_to_the_digits_that_a_file_states() -> None:
    rounded = [network(8, 0, 0.5, W_std=1.5 * (1 + 1e-7))]
    assert next(rows(published(OF_NETWORK), {"network": rounded})).verdict == "equal"


def test_rows_that_differ_in_more_than_seed_and_draw_are_no_runs_of_one_number() -> None:
    several = structs.replace(OF_KERNEL, where={"kernel": "nngp"})
    with pytest.raises(UserError, match="size 64 is of rows with different time; add it to where"):
        list(rows(published(several), {"kernel": KERNELS}))
    several = structs.replace(OF_NETWORK, where={})
    ours = [network(8, 0, 0.1), network(8, 0, 0.1, W_std=1.6)]
    with pytest.raises(UserError, match="width 8 is of rows with different W_std; add it to where"):
        list(rows(published(several), {"network": ours}))


def test_without_any_row_it_says_so() -> None:
    with pytest.raises(UserError, match="no table of ours has a row"):
        list(rows(published(OF_KERNEL), {"kernel": []}))


def test_a_row_without_the_number_is_no_run() -> None:
    found = rows(published(OF_NETWORK), {"network": [network(8, 0, None)]})
    assert [row.verdict for row in found] == ["not run", "not run"]


def test_the_page_shows_each_number_with_ours_and_marks_what_differs() -> None:
    ours = [network(8, seed, 0.4 + 0.1 * seed) for seed in range(3)] + [network(16, 0, 0.2)]
    numbers = published(OF_KERNEL, OF_NETWORK)
    table = [structs.asdict(row) for row in rows(numbers, {"network": ours, "kernel": KERNELS})]
    text = page([Reproduction(Path("config/mine.yaml"), numbers, table, 300.0)])
    assert "| [mine](../config/mine.yaml) | 4 | 2 | 0 | 0 | 1 | 1 | 5 min |" in text
    assert "snakemake --configfile config/mine.yaml" in text
    assert "| nngp, t = ∞ | 0.61<br>0.61<br>+0.00 | 0.70<br>not run |" in text
    assert "0.500<br>0.500 ± 0.497<br>+0.000 | 0.900<br>0.200<br>−0.700 |" in text
    assert "A paper, table 1" in text
    nothing = page([Reproduction(Path("config/mine.yaml"), numbers, [], 0.0)])
    assert "| 4 | 0 | 0 | 0 | 0 | 4 | not run |" in nothing


def test_the_page_shows_our_chart_of_a_published_picture_and_its_command() -> None:
    pictures = [
        Picture(figure=f"Figure {i}", experiment=name, chart=chart, explanation="To see.")
        for i, (name, chart) in enumerate([("grid", "signal_propagation"), ("one", "calibration")])
    ]
    numbers = structs.replace(published(OF_KERNEL), pictures=tuple(pictures))
    drawn = {"grid_signal_propagation": Path("chart.svg")}
    every = [Reproduction(Path(f"config/{name}.yaml"), numbers, [], 0.0, drawn) for name in "ab"]
    text = page(every, "beside")
    assert text.count("**Figure 0**: To see.") == 1
    assert "snakemake evidence --configfile config/grid.yaml" in text
    assert "![Ours of Figure 0](beside/grid_signal_propagation.svg)" in text
    _, last = text.split("**Figure 1**: To see.")
    assert "snakemake --configfile config/one.yaml" in last
    assert "Not drawn." in last
