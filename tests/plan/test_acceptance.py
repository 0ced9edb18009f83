"""A stale shard is accepted with its rows and a mark, if code and libraries alone differ."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from store.made_up_shards import row

from ntk_mnist.plan.acceptance import accept, refusals
from ntk_mnist.plan.cells import Cell, KernelCell, NetworkCell
from ntk_mnist.plan.experiment import experiment_of
from ntk_mnist.plan.stale import stale_cell
from ntk_mnist.store.records import Record, marks
from ntk_mnist.store.schemas import SHARD_SCHEMAS
from ntk_mnist.store.shards import about, read, write

EXPERIMENT = experiment_of(
    {"inputs": {"dataset": "digits"}, "grid": {"size": 64, "width": 8, "seed": [0, 1]}}
)
NETWORK: NetworkCell = EXPERIMENT.networks[0]
KERNEL: KernelCell = EXPERIMENT.kernels[0]
OLDER: dict[str, Any] = {
    "code": {"digest": "0123", "definitions": {}},
    "libraries": {"jax": "0.1", "pandas": "1"},
}


def write_shards(cell: Cell, results: Path, changed: Record, seeds: tuple[int, ...]) -> None:
    for output in cell.outputs:
        schema = SHARD_SCHEMAS[output]
        more = [{"seed": seed} for seed in seeds] if "seed" in schema.names else [{}]
        rows = [row(schema, **cell.identity, **values) for values in more]
        write(results / cell.path(output), schema, rows, cell.record(output) | changed)


@pytest.mark.parametrize("cell", [NETWORK, KERNEL], ids=lambda cell: cell.KIND)
def test_a_shard_of_other_code_and_libraries_is_accepted_with_its_rows(
    tmp_path: Path, cell: Cell
) -> None:
    write_shards(cell, tmp_path, OLDER, (0, 1))
    files = {output: tmp_path / cell.path(output) for output in cell.outputs}
    rows = {output: read(file, SHARD_SCHEMAS[output])[0] for output, file in files.items()}
    assert stale_cell(cell, tmp_path) != []
    assert refusals([cell], tmp_path) == []
    lines = accept([cell], tmp_path)
    assert len(lines) == len(cell.outputs)
    assert all("jax was 0.1, is " in line and "pandas is gone" in line for line in lines)
    assert stale_cell(cell, tmp_path) == []
    for output, file in files.items():
        table, said = read(file, SHARD_SCHEMAS[output])
        assert table == rows[output]
        (words,) = marks(said.made).values()
        assert "pandas is gone" in words
    # What is current is accepted as it is, without another mark.
    assert accept([cell], tmp_path) == []


def test_marks_accumulate(tmp_path: Path) -> None:
    write_shards(NETWORK, tmp_path, OLDER | {"accepted": {"2026-01-01": ["a changed"]}}, (0, 1))
    accept([NETWORK], tmp_path)
    found = marks(about(tmp_path / NETWORK.path("network")).made)
    assert found["2026-01-01"] == ["a changed"]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("changed", "seeds", "why"),
    [
        ({"settings": {"epochs": 3}}, (0, 1), "epochs was 3, is 20"),
        ({"columns": {"extra": "int32"}}, (0, 1), "column extra is gone"),
        ({}, (0,), "seed 1 is missing"),
        ({"settings": {"dataset": "mnist"}}, (0, 1), "dataset was mnist, is digits"),
    ],
)
def test_a_shard_that_differs_in_more_is_refused_in_words(
    tmp_path: Path, changed: Record, seeds: tuple[int, ...], why: str
) -> None:
    record = NETWORK.record("network")
    part = {name: record[name] | values for name, values in changed.items()}
    write_shards(NETWORK, tmp_path, OLDER | part, seeds)
    line, *_ = refusals([NETWORK], tmp_path)
    assert line.startswith(str(tmp_path / NETWORK.path("network")))
    assert why in line
    assert "jax" not in line


def test_a_damaged_shard_is_refused_and_a_missing_one_is_not_made(tmp_path: Path) -> None:
    assert (refusals([KERNEL], tmp_path), accept([KERNEL], tmp_path)) == ([], [])
    write_shards(KERNEL, tmp_path, OLDER, ())
    (tmp_path / KERNEL.path("calibration")).unlink()
    assert len(accept([KERNEL], tmp_path)) == len(KERNEL.outputs) - 1
    assert not (tmp_path / KERNEL.path("calibration")).exists()
    (tmp_path / KERNEL.path("kernel")).write_text("damaged")
    assert refusals([KERNEL], tmp_path)[0].endswith("size=64.parquet is damaged")


def test_a_network_of_other_epochs_is_not_accepted(tmp_path: Path) -> None:
    write_shards(NETWORK, tmp_path, OLDER, (0, 1))
    training = msgspec.structs.replace(NETWORK.training, epochs=30)
    longer = msgspec.structs.replace(NETWORK, training=training)
    assert "epochs was 20, is 30" in refusals([longer], tmp_path)[0]
