"""Cells are values: they survive JSON, and their paths and records follow from their settings."""

import json
import re
from itertools import chain, product
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from data.own_files import as_archive, classified
from hypothesis import given
from msgspec.structs import replace
from plan.made_up_cells import CELLS, KERNEL, NETWORK, settings

from ntk_mnist.declarations import Field, declared
from ntk_mnist.measures import OUTPUTS, Measures
from ntk_mnist.plan import cells
from ntk_mnist.plan.cells import Cell, KernelCell, NetworkCell, architecture_key
from ntk_mnist.plan.experiment import Experiment, experiment_of
from ntk_mnist.registries import names_in
from ntk_mnist.settings import Architecture, Training
from ntk_mnist.store.records import differences
from ntk_mnist.store.schemas import SHARD_SCHEMAS

BOTH = [NETWORK, KERNEL]
MEASURES: dict[str, type[Measures]] = {
    output: measures for outputs in OUTPUTS.values() for output, measures in outputs.items()
}


@given(CELLS)
def test_any_cell_survives_json_and_is_one_line(cell: Cell) -> None:
    text = cell.to_json()
    assert type(cell).from_json(text) == cell
    assert "\n" not in text


def test_json_of_another_kind_of_cell_is_refused() -> None:
    for text in (KERNEL.to_json(), "{}", "64"):
        with pytest.raises(msgspec.ValidationError):
            NetworkCell.from_json(text)
    with pytest.raises(msgspec.ValidationError):
        KernelCell.from_json(NETWORK.to_json())
    with pytest.raises(msgspec.ValidationError, match="depth"):
        KernelCell.from_json(KERNEL.to_json().replace('"depth":2', '"depth":0'))


@given(CELLS)
def test_the_wildcards_in_the_path_of_any_cell_give_its_key(cell: Cell) -> None:
    for output in cell.outputs:
        pattern = re.escape(cell.pattern(output)).replace(r"\{", "(?P<").replace(r"\}", ">[^/,]+)")
        found = re.fullmatch(pattern, cell.path(output))
        assert found
        assert found.groupdict() == cell.key


@given(settings(Architecture), settings(Architecture))
def test_two_architectures_have_the_same_key_only_if_they_are_equal(
    one: Architecture, other: Architecture
) -> None:
    assert (architecture_key(one) == architecture_key(other)) == (one == other)


def test_the_paths_are_folders_of_hive_partitions() -> None:
    relu = "architecture=relu-depth2-W_std1.0-b_std0.0"
    assert NETWORK.path("network") == f"network/{relu}/width=512,size=1024.parquet"
    assert KERNEL.path("kernel") == f"kernel/{relu}/size=1024.parquet"
    assert KERNEL.path("calibration") == f"calibration/{relu}/size=1024.parquet"


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ({"grid": {"width": 64}}, {"grid": {"width": [64, 128]}}),
        ({"grid": {"size": 64}}, {"grid": {"size": [64, 128]}}),
        ({"grid": {"seed": 0}}, {"grid": {"seed": [0, 1]}}),
        (
            {"architecture": {"activation": "erf"}},
            {"architecture": {"activation": ["relu", "erf"]}},
        ),
        ({"architecture": {"depth": 3}}, {"architecture": {"depth": [1, 3]}}),
        ({"architecture": {"W_std": 1}}, {"architecture": {"W_std": [1.0, 1.5]}}),
        ({"architecture": {"b_std": 0}}, {"architecture": {"b_std": [0.0, 0.1]}}),
    ],
)
def test_the_path_of_a_cell_is_the_same_for_one_value_of_an_axis_and_for_a_list(
    one: dict[str, Any], many: dict[str, Any]
) -> None:
    few, more = experiment_of(one), experiment_of(many)
    for table in ("network", "kernel", "calibration"):
        paths = [path for path, _ in few.shards(table)]
        assert paths
        assert set(paths) <= {path for path, _ in more.shards(table)}


def test_the_keys_of_a_grid_are_unique() -> None:
    experiment = experiment_of(
        {
            "grid": {"width": [1, 11, 111], "size": [64, 641], "seed": [0, 1]},
            "architecture": {
                "activation": ["relu", "erf"],
                "depth": [1, 11],
                "W_std": [1, 1.1, 1e-7, 1e22],
                "b_std": [0, 0.1],
            },
        }
    )
    for grid, count in ((experiment.networks, 3 * 2 * 32), (experiment.kernels, 2 * 32)):
        keys = [tuple(cell.key.values()) for cell in grid]
        assert len(set(keys)) == len(keys) == count
        outputs = grid[0].outputs
        paths = list(chain(*([cell.path(output) for output in outputs] for cell in grid)))
        assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("cell", BOTH)
def test_a_shard_has_the_columns_that_identify_the_cell_and_its_measures_and_no_other(
    cell: Cell,
) -> None:
    for output in cell.outputs:
        measured = MEASURES[output].__struct_fields__
        assert {*cell.identity, *measured} == set(SHARD_SCHEMAS[output].names)
        assert not set(cell.identity) & set(measured)


def test_the_identity_holds_the_settings_and_axes_of_the_cell() -> None:
    assert NETWORK.identity["dataset"] == "mnist"
    assert NETWORK.identity["W_std"] == 1.0
    assert NETWORK.identity["epochs"] == 20
    assert (NETWORK.identity["width"], NETWORK.identity["size"]) == (512, 1024)
    assert "epochs" not in KERNEL.identity
    assert "times" not in KERNEL.identity


#: Networks that take the kernels' steps, in every other setting as the notebook's.
LIKE_FOR_LIKE = replace(
    NETWORK,
    training=replace(
        NETWORK.training,
        parameterization="ntk",
        loss="squared_error",
        optimizer="gradient_descent",
    ),
    times=(1.0, 10.0),
)
#: Each cell with the settings that change nothing in it.
UNUSED = [
    (NETWORK, set()),
    (replace(NETWORK, training=replace(NETWORK.training, optimizer="sgd")), {"mass"}),
    (replace(NETWORK, training=replace(NETWORK.training, optimizer="adam")), {"mass"}),
    (
        replace(NETWORK, training=replace(NETWORK.training, optimizer="gradient_descent")),
        {"mass", "batch_size", "last_batch"},
    ),
    (
        LIKE_FOR_LIKE,
        {
            *("mass", "batch_size", "last_batch"),
            *("epochs", "until_train_accuracy", "until_train_loss"),
        },
    ),
]


@pytest.mark.parametrize(("cell", "unused"), UNUSED)
def test_a_setting_that_changes_nothing_is_null_in_the_rows_and_runs_nothing_again(
    cell: NetworkCell, unused: set[str]
) -> None:
    assert {name for name, value in cell.identity.items() if value is None} == unused | {"draw"}
    for field in declared(Training):
        now = other_value(field, getattr(cell.training, field.name))
        changed = replace(cell, training=replace(cell.training, **{field.name: now}))
        words = differences(cell.record("network"), changed.record("network"))
        assert bool(words) == (field.name not in unused)
        if field.name not in ("optimizer", "loss", "parameterization"):
            assert words == [
                f"{field.name} was {getattr(cell.training, field.name)}, is {now}"
            ] or (field.name in unused and not words)


def test_only_a_column_that_a_row_may_lack_is_null_for_an_unused_setting() -> None:
    choices = (names_in(f"{where}") for where in (
        "architecture.PARAMETERIZATIONS", "networks.losses.LOSSES", "networks.training.OPTIMIZERS"
    ))  # fmt: skip
    found: set[str] = set()
    for parameterization, loss, optimizer in product(*choices):
        found |= Training(parameterization=parameterization, loss=loss, optimizer=optimizer).unused
    assert found == {field.name for field in declared(Training) if field.optional}


def other_value(field: Field, value: Any) -> Any:
    """Another value that is allowed of a setting."""
    if field.many:
        return value[1:]
    if field.choices:
        return next(name for name in names_in(field.choices) if name != value)
    return value + 1 if field.type is int else value / 2 + 0.1


CHANGES = [
    (cell, group, field)
    for cell in BOTH
    for group in ("inputs", "architecture", "training", "solve")
    if hasattr(cell, group)
    for field in declared(type(getattr(cell, group)))
    if not field.choices or field.many or len(names_in(field.choices)) > 1
]


@pytest.mark.parametrize(
    ("cell", "group", "field"), CHANGES, ids=[f"{c.KIND}-{f.name}" for c, _, f in CHANGES]
)
def test_each_setting_changes_the_record_and_the_words_name_it(
    cell: Cell, group: str, field: Field
) -> None:
    settings = getattr(cell, group)
    before = getattr(settings, field.name)
    now = other_value(field, before)
    changed = replace(cell, **{group: replace(settings, **{field.name: now})})
    for output in cell.outputs:
        words = differences(cell.record(output), changed.record(output))
        assert any(word.startswith(f"{field.name} was ") for word in words)
        assert not [word for word in words if " was " in word and field.name not in word]


@pytest.mark.parametrize(
    ("cell", "axis"), [(NETWORK, "width"), (NETWORK, "size"), (KERNEL, "size")]
)
def test_each_axis_changes_the_record(cell: Cell, axis: str) -> None:
    changed = replace(cell, **{axis: 1025})
    before = getattr(cell, axis)
    for output in cell.outputs:
        words = differences(cell.record(output), changed.record(output))
        assert words == [f"{axis} was {before}, is 1025"]


def test_seeds_are_not_in_the_record_of_a_network_cell() -> None:
    other = replace(NETWORK, seeds=(7,))
    assert other.record("network") == NETWORK.record("network")
    assert other.path("network") == NETWORK.path("network")


@pytest.mark.parametrize("place", ["elsewhere/own.npz", "./own.npz"])
def test_of_a_users_own_dataset_the_content_counts_and_not_where_it_lies(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("elsewhere").mkdir()
    config: dict[str, Any] = {"grid": {"size": 40}, "inputs": {"dataset": "own.npz"}}
    as_archive(Path("own.npz"), classified())
    before = experiment_of(config)
    cell = before.networks[0]
    assert NetworkCell.from_json(cell.to_json()) == cell
    assert Experiment.from_json(before.to_json()) == before
    assert (cell.identity["dataset"], cell.description.outputs) == ("own.npz", 3)
    as_archive(Path(place), classified())
    moved = experiment_of(config | {"inputs": {"dataset": place}})
    for one, other in ((before.networks, moved.networks), (before.kernels, moved.kernels)):
        for output in one[0].outputs:
            assert differences(one[0].record(output), other[0].record(output)) == []
    as_archive(Path(place), classified(train=61))
    changed = experiment_of(config | {"inputs": {"dataset": place}})
    for output in before.kernels[0].outputs:
        words = differences(before.kernels[0].record(output), changed.kernels[0].record(output))
        assert words == ["data changed"]
    assert before.prepared != changed.prepared


def test_the_order_of_kinds_and_times_is_not_in_the_record_of_a_kernel_cell() -> None:
    solve = replace(KERNEL.solve, kinds=KERNEL.solve.kinds[::-1], times=KERNEL.solve.times[::-1])
    assert solve != KERNEL.solve
    for output in KERNEL.outputs:
        assert replace(KERNEL, solve=solve).record(output) == KERNEL.record(output)


def test_threads_are_in_the_record_except_of_an_exact_solve() -> None:
    assert NETWORK.record("network")["settings"]["threads"] == 1
    assert KERNEL.record("kernel")["settings"]["threads"] == 1
    exact = replace(KERNEL, size=8192).record("kernel")["settings"]
    assert exact["solver"] == "exact"
    assert "threads" not in exact


@pytest.mark.parametrize("cell", BOTH)
def test_a_new_column_changes_the_record_of_its_output_alone(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {output: cell.record(output) for output in cell.outputs}
    for output in cell.outputs:
        schema = SHARD_SCHEMAS[output].append(pa.field("brightness", pa.float64()))
        monkeypatch.setattr(cells, "SHARD_SCHEMAS", {**SHARD_SCHEMAS, output: schema})
        for other in cell.outputs:
            words = differences(before[other], cell.record(other))
            assert words == (["column brightness is new"] if other == output else [])


@pytest.mark.parametrize("cell", BOTH)
def test_a_record_that_was_read_from_a_file_equals_the_record(cell: Cell) -> None:
    for output in cell.outputs:
        made = cell.record(output)
        assert json.loads(json.dumps(made)) == made
        assert differences(json.loads(json.dumps(made)), made) == []


def test_the_outputs_of_a_kernel_cell_have_the_same_record_except_for_their_columns() -> None:
    kernel, calibration, _ = (KERNEL.record(output) for output in KERNEL.outputs)
    assert kernel["columns"] != calibration["columns"]
    assert {**kernel, "columns": {}} == {**calibration, "columns": {}}


@pytest.mark.parametrize("cell", BOTH)
def test_a_record_states_the_libraries_that_compute(cell: Cell) -> None:
    libraries = cell.record(cell.outputs[0])["libraries"]
    assert {"jax", "jaxlib", "neural-tangents", "numpy"} <= set(libraries)
    assert not {"altair", "pandas", "snakemake"} & set(libraries)


def test_a_partial_batch_takes_the_time_and_memory_of_its_padding() -> None:
    few = replace(NETWORK, size=65, training=replace(NETWORK.training, epochs=100))
    partial = replace(few, training=replace(few.training, last_batch="partial"))
    assert partial.seconds > 1.1 * few.seconds
    batches = [
        replace(partial, training=replace(partial.training, batch_size=size)) for size in (64, 4096)
    ]
    assert batches[0].memory_mb < batches[1].memory_mb
    # A batch has no more room than the images, padded.
    huge = replace(partial, training=replace(partial.training, batch_size=2**31 - 1))
    assert huge.memory_mb == batches[1].memory_mb


@given(CELLS)
def test_any_cell_takes_at_least_a_thread_a_second_and_a_process(cell: Cell) -> None:
    assert 1 <= cell.cluster_threads <= cell.threads
    assert cell.seconds > 1
    assert cell.memory_mb >= 500


def test_each_kind_of_shard_is_the_output_of_one_cell() -> None:
    assert sorted([*LIKE_FOR_LIKE.outputs, *KERNEL.outputs]) == sorted(SHARD_SCHEMAS)
    # Networks that are trained by epochs have no predictions at times.
    assert NETWORK.outputs == ("network",)
