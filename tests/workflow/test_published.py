"""Published numbers beside ours, and set-ups as papers have them, in real runs of Snakemake."""

from collections import Counter

import pytest
import yaml
from checkout import CONFIG, TABLES_AND_CHARTS, Checkout

PUBLISHED = """
title: Made up
citation: nowhere, table 0
explanation: There is none.
facts:
  - table: kernel
    where: {kernel: nngp, time: .inf}
    column: test_accuracy
    decimals: 2
    over: size
    values: {64: 0.5, 4096: 0.9}
  - table: network
    where: {width: 8}
    column: test_accuracy
    decimals: 3
    over: size
    values: {64: 0.1}
"""
#: Two architectures, of which one has its own sizes, draws and no network.
GROUPS = """
experiment: tiny
inputs:
  dataset: digits
  test_size: 100
  held_out: 200
  validation_size: 150
  selection: drawn_of_each_class
  subtract_mean: true
  preprocessing: standardized
  targets: zero_mean
grid: {size: 70, width: 8, seed: [0, 1], draw: [0, 1]}
architecture:
  - {activation: tanh, depth: 1}
  - {activation: relu, depth: 2, size: [50, 80], width: [], draw: 5}
training:
  {parameterization: glorot_uniform, loss: squared_error, optimizer: adam, step_size: 0.01,
   batch_size: 32, last_batch: partial, epochs: 30, until_train_accuracy: 1}
solve: {kinds: [nngp], times: []}
"""


def test_published_numbers_stand_beside_ours_and_a_changed_number_runs_no_cell(
    done: Checkout,
) -> None:
    (done.folder / "published.yaml").write_text(PUBLISHED)
    done.configure(CONFIG + "published: published.yaml\n")
    assert done.jobs() == Counter(reproduce=1, chart=1, page=1)
    rows = done.table("reproduction").to_pylist()
    kernels, networks = done.table("kernel").to_pylist(), done.table("network").to_pylist()
    (of_kernel,) = [
        row["test_accuracy"]
        for row in kernels
        if (row["kernel"], row["size"], row["time"]) == ("nngp", 64, float("inf"))
    ]
    (of_network,) = [
        row["test_accuracy"] for row in networks if (row["width"], row["size"]) == (8, 64)
    ]
    assert [row["ours"] for row in rows] == [of_kernel, None, of_network]
    assert rows[1]["verdict"] == "not run"
    assert done.jobs() == Counter()

    (done.folder / "published.yaml").write_text(PUBLISHED.replace("64: 0.1", "64: 0.2"))
    assert done.plan()[1]["Setting"] != set()
    assert done.jobs() == Counter(reproduce=1, chart=1, page=1)
    # Without published numbers, there is nothing to set beside them.
    done.configure(CONFIG)
    assert done.jobs() == Counter(page=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "published: published.yaml: No such file or directory"),
        (PUBLISHED.replace("decimals: 3", "digits: 3"), "unknown field `digits`"),
    ],
)
def test_a_fault_in_the_published_numbers_is_told_before_any_job(
    fresh: Checkout, text: str | None, message: str
) -> None:
    if text is not None:
        (fresh.folder / "published.yaml").write_text(text)
    fresh.configure(CONFIG + "published: published.yaml\n")
    result = fresh.snakemake()
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (fresh.folder / "data/prepared").exists()


def test_groups_of_architectures_have_their_own_sizes_draws_and_networks(fresh: Checkout) -> None:
    fresh.configure(GROUPS)
    cells = Counter(network=2, kernel=4)
    assert fresh.jobs() == Counter(prepare=1, **cells, **TABLES_AND_CHARTS)
    networks = fresh.table("network").to_pandas()
    key = ["activation", "width", "size", "draw", "seed"]
    assert networks[key].to_numpy().tolist() == [
        ["tanh", 8, 70, draw, seed] for draw in (0, 1) for seed in (0, 1)
    ]
    kernels = fresh.table("kernel").to_pandas().sort_values(["activation", "size", "draw"])
    assert kernels[["activation", "size", "draw"]].to_numpy().tolist() == [
        *(["relu", size, 5] for size in (50, 80)),
        *(["tanh", 70, draw] for draw in (0, 1)),
    ]
    for table in (networks, kernels):
        assert table["validation_accuracy"].between(0.3, 1).all()
    # A draw is trained by itself, and what was drawn before stays.
    fresh.edit("tiny.yaml", "draw: [0, 1]", "draw: [0, 1, 2]")
    assert fresh.jobs("networks", "kernels") == Counter(network=1, kernel=1)
    assert fresh.jobs("networks", "kernels") == Counter()


@pytest.mark.parametrize("of", ["architecture", "grid"])
def test_kernels_run_without_any_network(fresh: Checkout, of: str) -> None:
    without = yaml.safe_load(CONFIG)
    without[of] = without.get(of, {}) | {"width": []}
    fresh.configure(yaml.safe_dump(without))
    assert fresh.jobs() == Counter(prepare=1, kernel=2, table=2, chart=1, page=1)
    assert "network.parquet" not in " ".join(fresh.results())
    assert fresh.jobs() == Counter()


def test_a_number_of_several_things_is_refused_before_anything_runs(fresh: Checkout) -> None:
    (fresh.folder / "published.yaml").write_text(PUBLISHED.replace("{width: 8}", "{}"))
    fresh.configure(CONFIG + "published: published.yaml\n")
    refused = fresh.snakemake("-n")
    assert refused.returncode
    assert (
        "published: facts[1]: test_accuracy at size 64 is of rows with different width; add it to "
        "where"
    ) in refused.stderr + refused.stdout
    assert "Traceback" not in refused.stderr
