"""Fields are read back as they are declared: type, bounds, sentence and default."""

from typing import Annotated

import pytest
from msgspec import NODEFAULT, Meta, Struct

from ntk_mnist.declarations import Field, declared
from ntk_mnist.measures import CalibrationMeasures, KernelMeasures, NetworkMeasures
from ntk_mnist.settings import AXES, Config

Length = Annotated[float, Meta(description="of a side", gt=0)]


class Example(Struct):
    plain: Annotated[int, Meta(description="a count", ge=1, le=9)]
    length: Length = 1.5
    name: Annotated[str, Meta(description="a name", extra={"choices": "room.NAMES"})] = "x"
    lengths: tuple[Length, ...] = (1.0, 2.0)
    several: Annotated[tuple[Length, ...], Meta(description="many sides", min_length=1)] = (3.0,)
    losses: Annotated[
        tuple[float, ...], Meta(description="of epochs", extra={"arrow": "list<float>"})
    ] = ()
    mapping: Annotated[dict[str, int], Meta(description="counts by name")] = {}
    bare: int = 0


FIELDS = {field.name: field for field in declared(Example)}


def test_the_fields_are_in_their_order() -> None:
    assert list(FIELDS) == list(Example.__struct_fields__)


def test_a_single_value_has_its_type_sentence_bounds_and_default() -> None:
    assert FIELDS["plain"] == Field(
        "plain", int, False, "a count", Meta(description="a count", ge=1, le=9), NODEFAULT
    )
    assert FIELDS["length"][:4] == ("length", float, False, "of a side")
    assert FIELDS["length"].default == 1.5


def test_a_tuple_has_the_type_and_bounds_of_its_values() -> None:
    for name in ("lengths", "several"):
        assert (FIELDS[name].type, FIELDS[name].many) == (float, True)
        assert FIELDS[name].bounds.gt == 0
    assert FIELDS["lengths"].default == (1.0, 2.0)


def test_the_sentence_of_a_tuple_comes_before_that_of_its_values() -> None:
    assert FIELDS["lengths"].description == "of a side"
    assert FIELDS["several"].description == "many sides"


def test_what_is_declared_of_a_tuple_is_found_if_nothing_is_of_its_values() -> None:
    assert FIELDS["losses"].bounds.extra == {"arrow": "list<float>"}


def test_a_setting_with_choices_names_its_registry() -> None:
    assert FIELDS["name"].choices == "room.NAMES"
    assert FIELDS["plain"].choices == FIELDS["losses"].choices == ""


def test_a_mutable_default_is_a_new_value_each_time() -> None:
    first, second = (next(f for f in declared(Example) if f.name == "mapping") for _ in range(2))
    assert first.default == second.default == {}
    assert first.default is not second.default


def test_a_field_without_a_declaration_has_no_sentence() -> None:
    assert FIELDS["bare"] == Field("bare", int, False, "", Meta(), 0)


GROUPS = [
    *(field.type for field in declared(Config) if hasattr(field.type, "__struct_fields__")),
    *(NetworkMeasures, KernelMeasures, CalibrationMeasures),
]


@pytest.mark.parametrize("group", GROUPS)
def test_every_setting_and_measure_has_a_sentence_without_its_full_stop(
    group: type[Struct],
) -> None:
    for field in declared(group):
        assert field.description.strip() == field.description != ""
        assert not field.description.endswith(".")
        assert "\n" not in field.description


@pytest.mark.parametrize("group", GROUPS)
def test_the_types_are_those_that_a_column_can_have(group: type[Struct]) -> None:
    assert {field.type for field in declared(group)} <= {int, float, str, bool}


def test_the_sections_with_lists_are_sections_of_the_config() -> None:
    assert {axes.__name__ for axes in AXES} == {"Architecture", "Grid", "Evidence"}
    assert set(AXES) <= {field.type for field in declared(Config)}
