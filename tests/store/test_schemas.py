"""The columns follow from the declared settings and measures, each with its meaning."""

import pyarrow as pa
import pytest

from ntk_mnist.declarations import declared
from ntk_mnist.settings import Architecture, Inputs, Training
from ntk_mnist.store.schemas import SHARD_SCHEMAS, TABLE_SCHEMAS, columns


@pytest.mark.parametrize("name", TABLE_SCHEMAS)
def test_every_column_says_what_it_holds(name: str) -> None:
    for field in TABLE_SCHEMAS[name]:
        assert field.metadata[b"description"].strip()


@pytest.mark.parametrize("name", TABLE_SCHEMAS)
def test_no_table_has_two_columns_of_one_name(name: str) -> None:
    names = TABLE_SCHEMAS[name].names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", sorted({*TABLE_SCHEMAS} - {"reproduction"}))
def test_every_setting_of_the_inputs_and_the_architecture_is_a_column_of_every_table(
    name: str,
) -> None:
    settings = [field.name for group in (Inputs, Architecture) for field in declared(group)]
    assert TABLE_SCHEMAS[name].names[: len(settings)] == settings


def test_every_setting_of_the_training_is_a_column_of_the_networks() -> None:
    assert {field.name for field in declared(Training)} <= set(TABLE_SCHEMAS["network"].names)


def test_the_types_are_those_of_the_declarations() -> None:
    types = columns(SHARD_SCHEMAS["network"])
    wanted = {
        "dataset": "string",
        "W_std": "double",
        "depth": "int32",
        "width": "int32",
        "size": "int32",
        "epochs": "int32",
        "test_accuracy": "double",
        "epoch_train_loss": "list<item: float>",
    }
    assert {name: types[name] for name in wanted} == wanted


def test_a_seed_needs_64_bits_as_the_largest_has_32() -> None:
    assert SHARD_SCHEMAS["network"].field("seed").type == pa.int64()


@pytest.mark.parametrize("name", ["width", "size"])
def test_a_column_that_is_in_paths_has_the_same_type_in_every_table(name: str) -> None:
    types = {s.field(name).type for s in TABLE_SCHEMAS.values() if name in s.names}
    assert types == {pa.int32()}
