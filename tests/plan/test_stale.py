"""Reasons of stale shards and tables, from files and without Snakemake."""

from pathlib import Path

import msgspec
from store.made_up_shards import row

from ntk_mnist.plan.cells import Cell
from ntk_mnist.plan.experiment import Experiment, experiment_of
from ntk_mnist.plan.stale import stale_cell, stale_table
from ntk_mnist.store.schemas import SHARD_SCHEMAS
from ntk_mnist.store.shards import write

CONFIG = {"inputs": {"dataset": "digits"}, "grid": {"size": 64, "width": 8, "seed": [0, 1]}}


def write_shards(cell: Cell, results: Path, seeds: tuple[int, ...] = (0,)) -> None:
    for output in cell.OUTPUTS:
        schema = SHARD_SCHEMAS[output]
        more = [{"seed": seed} for seed in seeds] if "seed" in schema.names else [{}]
        rows = [row(schema, **cell.identity, **values) for values in more]
        write(results / cell.path(output), schema, rows, cell.record(output))


def test_a_cell_without_shards_has_no_reason(tmp_path: Path) -> None:
    assert stale_cell(experiment_of(CONFIG).networks[0], tmp_path) == []


def test_a_current_shard_is_stale_only_for_the_seeds_that_it_lacks(tmp_path: Path) -> None:
    cell = experiment_of(CONFIG).networks[0]
    write_shards(cell, tmp_path, seeds=(0, 1, 5))
    assert stale_cell(cell, tmp_path) == []
    write_shards(cell, tmp_path, seeds=(0,))
    assert stale_cell(cell, tmp_path) == ["seed 1 is missing"]


def test_the_reason_of_one_output_of_two_names_it(tmp_path: Path) -> None:
    cell = experiment_of(CONFIG).kernels[0]
    write_shards(cell, tmp_path)
    (tmp_path / cell.path("calibration")).write_text("damaged")
    assert stale_cell(cell, tmp_path) == ["calibration - size=64.parquet is damaged"]


def test_a_changed_setting_is_the_reason(tmp_path: Path) -> None:
    cell = experiment_of(CONFIG).networks[0]
    write_shards(cell, tmp_path, seeds=(0, 1))
    training = msgspec.structs.replace(cell.training, epochs=21)
    other = msgspec.structs.replace(cell, training=training)
    assert stale_cell(other, tmp_path) == ["epochs was 20, is 21"]


def test_a_table_that_does_not_exist_has_no_reason(tmp_path: Path) -> None:
    experiment: Experiment = experiment_of(CONFIG)
    assert stale_table(experiment, "network", tmp_path, tmp_path / "network.parquet") == []
