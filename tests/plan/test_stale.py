"""Reasons of stale shards and tables, from files and without Snakemake."""

import json
from pathlib import Path

import msgspec
from store.made_up_shards import row

from ntk_mnist.plan.cells import Cell
from ntk_mnist.plan.experiment import TABLES, Experiment, experiment_of
from ntk_mnist.plan.stale import stale_cell, stale_figure, stale_table
from ntk_mnist.store.records import chart_record, table_record
from ntk_mnist.store.schemas import SHARD_SCHEMAS, TABLE_SCHEMAS, columns
from ntk_mnist.store.shards import about, write, write_table
from ntk_mnist.store.stated_digest import PLACE, state_digest
from ntk_mnist.store.tables import aggregate

CONFIG = {"inputs": {"dataset": "digits"}, "grid": {"size": 64, "width": 8, "seed": [0, 1]}}


def write_shards(cell: Cell, results: Path, seeds: tuple[int, ...] = (0,)) -> None:
    for output in cell.outputs:
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


def write_figure(experiment: Experiment, results: Path) -> Path:
    """The calibration with all that it is made from."""
    schema, only = TABLE_SCHEMAS["calibration"], experiment.only("calibration")
    for cell in experiment.kernels:
        write_shards(cell, results)
    shards = {path: results / path for path, _ in experiment.shards("calibration")}
    found = aggregate(schema, shards, [], TABLES["calibration"].order, only)
    table = results / "calibration.parquet"
    write_table(table, found.table, table_record(columns(schema), found.digests, repr(only)))
    made = chart_record("calibration", {"calibration": about(table).sha256}, "digits")
    figure = results / "figures/calibration.html"
    figure.parent.mkdir(exist_ok=True)
    stated = json.dumps({**made, "files": {}, "sha256": PLACE})
    figure.write_bytes(state_digest(f'"usermeta": {{"ntk_mnist": {stated}}}'.encode()))
    return figure


def why_not(experiment: Experiment, results: Path) -> list[str]:
    file = results / "figures/calibration.html"
    return stale_figure(experiment, "calibration", ["calibration"], results, file)


def test_a_figure_that_is_current_from_its_shards_on_shows_its_experiment(tmp_path: Path) -> None:
    experiment = experiment_of(CONFIG)
    write_figure(experiment, tmp_path)
    assert why_not(experiment, tmp_path) == []


def test_a_figure_of_other_settings_is_told_the_setting_alone(tmp_path: Path) -> None:
    experiment = experiment_of(CONFIG)
    write_figure(experiment, tmp_path)
    other = experiment_of(CONFIG | {"solve": {"diag_reg": 0.5}})
    assert why_not(other, tmp_path) == ["diag_reg was 0.0, is 0.5"]
    # A setting of the networks decides nothing in it.
    trained = experiment_of(CONFIG | {"training": {"epochs": 3}})
    assert why_not(trained, tmp_path) == []


def test_a_figure_of_files_that_were_made_again_or_are_missing_is_stale(tmp_path: Path) -> None:
    experiment = experiment_of(CONFIG)
    figure = write_figure(experiment, tmp_path)
    (path, cell) = experiment.shards("calibration")[0]
    schema = SHARD_SCHEMAS["calibration"]
    rows = [row(schema, **cell.identity) | {"accuracy": 0.25}]
    write(tmp_path / path, schema, rows, cell.record("calibration"))
    assert why_not(experiment, tmp_path) == ["shards: 1 changed"]
    (tmp_path / path).unlink()
    assert why_not(experiment, tmp_path) == [f"{path} is missing"]
    write_figure(experiment, tmp_path)
    assert why_not(experiment, tmp_path) == []
    figure.write_text("damaged")
    assert why_not(experiment, tmp_path) == ["calibration.html is damaged"]
    figure.unlink()
    assert why_not(experiment, tmp_path) == ["calibration.html is missing"]
    (tmp_path / "calibration.parquet").unlink()
    assert why_not(experiment, tmp_path) == ["calibration.parquet is missing"]
