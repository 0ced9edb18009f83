"""The JSON schema of a config allows what the settings declare and the registries have."""

from importlib import import_module
from typing import Any

import jsonschema
import pytest
import yaml
from checkout import REPOSITORY

from ntk_mnist.data.catalogue import SOURCES
from ntk_mnist.declarations import declared
from ntk_mnist.plan.schema import config_schema
from ntk_mnist.registries import names_in
from ntk_mnist.settings import AXES, OWN_AXES, Architecture, Config

SCHEMA = config_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
SECTIONS = {
    field.name: field.type for field in declared(Config) if hasattr(field.type, "__struct_fields__")
}
#: Each setting whose names are those of a registry, with its section.
CHOICES = [
    pytest.param(section, setting.name, setting.choices, id=f"{name}.{setting.name}")
    for name, section in SECTIONS.items()
    for setting in declared(section)
    if setting.choices
]


def test_it_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("file", sorted((REPOSITORY / "config").glob("*.yaml")))
def test_every_config_of_the_repository_is_valid(file: Any) -> None:
    VALIDATOR.validate(yaml.safe_load(file.read_text()))


def test_no_key_is_required() -> None:
    VALIDATOR.validate({})
    VALIDATOR.validate({section: {} for section in SECTIONS})


def test_every_setting_has_a_description_and_a_default() -> None:
    for section in SECTIONS.values():
        for name, declared_there in SCHEMA["$defs"][section.__name__]["properties"].items():
            assert declared_there["description"], name
            # Those of a group of architectures are the grid's.
            assert "default" in declared_there or (section is Architecture and name in OWN_AXES)


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("value", ["value", "list"])
def test_only_an_axis_may_be_one_value_or_a_list(section: str, value: str) -> None:
    group = SECTIONS[section]
    for setting in declared(group):
        one = setting.default[0] if setting.many else setting.default
        config = {section: {setting.name: one if value == "value" else [one]}}
        allowed = group in AXES or setting.many == (value == "list")
        assert VALIDATOR.is_valid(config) == allowed, setting.name


@pytest.mark.parametrize(("section", "name", "choices"), CHOICES)
def test_the_allowed_names_are_those_in_the_imported_registry(
    section: type[Any], name: str, choices: str
) -> None:
    module, _, variable = choices.rpartition(".")
    registry = list(getattr(import_module(f"ntk_mnist.{module}"), variable))
    assert list(names_in(choices)) == registry
    text = SCHEMA["$defs"][section.__name__]["properties"][name]
    value = text.get("else", text)
    value = value.get("items", value)
    # Beside the names, a path may be allowed.
    assert value.get("anyOf", [value])[0]["enum"] == registry


def test_sources_may_be_given_for_the_datasets_that_have_some() -> None:
    sources = SCHEMA["$defs"]["Config"]["properties"]["sources"]
    assert list(sources["properties"]) == list(SOURCES)
    assert not VALIDATOR.is_valid({"sources": {"digits": ["here"]}})
