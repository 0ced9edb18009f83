"""An experiment's grids and tables follow from its config."""

import time
from itertools import product
from math import inf
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout import REPOSITORY

from ntk_mnist.measures import COMPARISONS
from ntk_mnist.plan.cells import Cell
from ntk_mnist.plan.experiment import TABLES, Experiment, experiment_of
from ntk_mnist.settings import Architecture, Inputs, Solve, Training
from ntk_mnist.store.schemas import SHARD_SCHEMAS, TABLE_SCHEMAS

CONFIGS = sorted((REPOSITORY / "config").glob("*.yaml"))
SMALL: dict[str, Any] = {
    "experiment": "small",
    "inputs": {"dataset": "digits", "test_size": 100},
    "grid": {"size": [96, 64], "width": [16, 8], "seed": [3, 1]},
    "architecture": {"activation": ["relu", "erf"], "W_std": [1, 1.5]},
    "solve": {"times": [1000, 10]},
    "evidence": {"size": 64, "depth": [2, 3], "W_std": 1, "b_std": [0, 0.5]},
}


def test_the_default_experiment_has_a_cell_for_each_width_and_size() -> None:
    experiment = experiment_of({})
    assert experiment.name == "ntk_mnist"
    assert len(experiment.networks) == 36
    assert len(experiment.kernels) == 6
    assert len(experiment.evidence) == 3 * 4 * 3
    assert experiment.inputs == Inputs()
    assert experiment.groups[0].architectures == (Architecture(),)
    assert experiment.training == Training()
    assert experiment.solve == Solve()


def test_the_grid_of_networks_is_every_architecture_width_and_size_with_all_seeds() -> None:
    experiment = experiment_of(SMALL)
    assert [
        (c.architecture.activation, c.architecture.W_std, c.width, c.size)
        for c in experiment.networks
    ] == list(product(["relu", "erf"], [1.0, 1.5], [16, 8], [96, 64]))
    assert {cell.seeds for cell in experiment.networks} == {(3, 1)}


def test_the_grid_of_kernels_is_every_architecture_and_size() -> None:
    experiment = experiment_of(SMALL)
    assert [
        (c.architecture.activation, c.architecture.W_std, c.size) for c in experiment.kernels
    ] == list(product(["relu", "erf"], [1.0, 1.5], [96, 64]))
    assert {cell.solve.times for cell in experiment.kernels} == {(1000.0, 10.0)}


def test_evidence_has_the_activations_of_the_architecture_and_axes_of_its_own() -> None:
    experiment = experiment_of(SMALL)
    found = [
        (
            c.architecture.activation,
            c.architecture.depth,
            c.architecture.W_std,
            c.architecture.b_std,
        )
        for c in experiment.evidence
    ]
    assert found == list(product(["relu", "erf"], [2, 3], [1.0], [0.0, 0.5]))
    assert {cell.size for cell in experiment.evidence} == {64}


def test_evidence_shares_the_cells_that_are_in_the_grid_of_kernels_too() -> None:
    experiment = experiment_of(SMALL)
    both = set(experiment.evidence) & set(experiment.kernels)
    assert {(c.architecture.activation, c.size) for c in both} == {("relu", 64), ("erf", 64)}
    paths = {cell.path("kernel"): cell for cell in experiment.kernels}
    for cell in experiment.evidence:
        assert (cell.path("kernel") in paths) == (cell in both)


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_an_experiment_survives_json_as_one_line(file: Path) -> None:
    experiment = experiment_of(yaml.safe_load(file.read_text()))
    text = experiment.to_json()
    assert Experiment.from_json(text) == experiment
    assert "\n" not in text


def test_numbers_of_the_config_become_the_declared_types() -> None:
    experiment = experiment_of(
        {"architecture": {"W_std": 1, "b_std": 0}, "solve": {"times": [10]}, "batch_minutes": 3}
    )
    (architecture,) = experiment.groups[0].architectures
    values = [architecture.W_std, architecture.b_std, *experiment.solve.times]
    assert [type(value) for value in (*values, experiment.batch_minutes)] == [float] * 4


@pytest.mark.parametrize("name", TABLES)
def test_a_table_gathers_one_shard_of_each_of_its_cells(name: str) -> None:
    experiment, table = experiment_of(SMALL), TABLES[name]
    cells: list[Cell] = getattr(experiment, table.cells)
    assert [cell for _, cell in experiment.shards(name)] == cells
    for path, cell in experiment.shards(name):
        assert path == cell.path(table.output)
        assert path.startswith(f"{table.output}/")
    assert TABLE_SCHEMAS[name].equals(SHARD_SCHEMAS[table.output])


def test_a_table_is_declared_for_each_schema() -> None:
    assert [*TABLES, *COMPARISONS, "reproduction"] == list(TABLE_SCHEMAS)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_sorted_and_filtered_by_columns_that_it_has(name: str) -> None:
    names = TABLE_SCHEMAS[name].names
    order = TABLES[name].order
    assert {column for column, _ in order} <= set(names)
    assert {direction for _, direction in order} <= {"ascending", "descending"}
    assert set(experiment_of(SMALL).only(name)) <= set(names)


def test_a_table_takes_the_rows_of_the_seeds_in_the_grid() -> None:
    experiment = experiment_of(SMALL)
    assert experiment.only("network") == {"seed": (3, 1)}
    assert experiment.only("kernel") == experiment.only("calibration") == {}
    assert experiment.only("evidence") == {"time": [inf]}


def test_a_grid_of_400_cells_with_25_seeds_is_built_in_half_a_second() -> None:
    config = {
        "grid": {
            "size": [64 * k for k in range(1, 21)],
            "width": [64 * k for k in range(1, 21)],
            "seed": list(range(25)),
        }
    }
    started = time.perf_counter()
    experiment = experiment_of(config)
    keys = {tuple(cell.key.values()) for cell in experiment.networks}
    paths = {path for path, _ in experiment.shards("network")}
    words = {cell.to_json() for cell in experiment.networks}
    elapsed = time.perf_counter() - started
    assert len(keys) == len(paths) == len(words) == 400
    assert sum(len(cell.seeds) for cell in experiment.networks) == 10_000
    assert elapsed < 0.5


def test_evidence_takes_what_it_does_not_vary_from_the_architecture() -> None:
    config = {"architecture": {"activation": ["erf", "relu"]}, "evidence": {"depth": 1}}
    found = experiment_of(config).evidence
    assert {cell.architecture.activation for cell in found} == {"erf", "relu"}
    assert {cell.architecture.depth for cell in found} == {1}


@pytest.mark.parametrize(
    "config",
    [
        {"evidence": {"size": 64}},
        {"batch_minutes": 3},
        {"training": {"optimizer": "sgd", "mass": 0.5}},
        {"grid": {"draw": 3}},
    ],
)
def test_what_changes_no_table_is_not_decisive(config: dict[str, Any]) -> None:
    plain = {"training": {"optimizer": "sgd"}} if "training" in config else {}
    assert experiment_of(config).decisive_json() == experiment_of(plain).decisive_json()


def test_what_changes_a_table_is_decisive() -> None:
    texts = {
        experiment_of(config).decisive_json()
        for config in ({}, {"grid": {"width": 8}}, {"training": {"mass": 0.5}}, {"published": "a"})
    }
    assert len(texts) == 4
