"""Settings are frozen values whose defaults are allowed."""

from typing import Any

import msgspec
import pytest

from ntk_mnist.declarations import declared
from ntk_mnist.registries import names_in
from ntk_mnist.settings import Config, Settings

SECTIONS = {
    field.name: field.type for field in declared(Config) if hasattr(field.type, "__struct_fields__")
}


@pytest.mark.parametrize("group", [Config, *SECTIONS.values()])
def test_the_defaults_are_within_the_declared_bounds(group: type[Settings]) -> None:
    default = group()
    assert msgspec.convert(msgspec.to_builtins(default), group) == default
    for field in declared(group):
        if field.choices:
            values = field.default if field.many else (field.default,)
            assert set(values) <= set(names_in(field.choices))


@pytest.mark.parametrize("group", SECTIONS.values())
def test_settings_cannot_be_changed_and_can_be_keys(group: type[Settings]) -> None:
    settings = group()
    with pytest.raises(AttributeError, match="immutable"):
        setattr(settings, group.__struct_fields__[0], None)
    assert {settings: 1}[group()] == 1


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("grid", {"width": [0]}),
        ("grid", {"seed": [2**32]}),
        ("architecture", {"W_std": 0.0}),
        ("architecture", {"depth": 1001}),
        ("training", {"mass": 1.0}),
        ("solve", {"times": [0.0]}),
        ("solve", {"kinds": []}),
        ("inputs", {"color": "red"}),
    ],
)
def test_a_value_out_of_bounds_or_an_unknown_name_is_refused(
    section: str, values: dict[str, Any]
) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(values, SECTIONS[section])
