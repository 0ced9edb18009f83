"""The JSON schema of a config, derived from the declared settings.

A setting of an axis may be one value or a list of values: the schema asks for a list if a list is
given and for one value otherwise, so that a fault in either names the place and what is allowed.
"""

from typing import Any

import msgspec

from ntk_mnist.registries import names_in
from ntk_mnist.settings import AXES, OWN_AXES, Architecture, Config, Grid

__all__ = ["config_schema"]


def config_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) in JSON's types. All keys have defaults."""
    schema = msgspec.to_builtins(msgspec.json.schema(Config))
    groups = schema["$defs"]
    for axes in AXES:
        properties = groups[axes.__name__]["properties"]
        for name, declared in properties.items():
            properties[name] = _one_or_many(declared)
    for group in groups.values():
        for declared in group["properties"].values():
            if declared.get("type") == "array":
                declared["uniqueItems"] = True
    config = groups["Config"]["properties"]
    config["architecture"] = _group_or_groups(config["architecture"])
    architecture, grid = (groups[group.__name__]["properties"] for group in (Architecture, Grid))
    # Without widths, kernels run without networks.
    del grid["width"]["then"]["minItems"]
    for axis in OWN_AXES:
        architecture[axis] = {k: v for k, v in grid[axis].items() if k != "default"}
    sources = groups["Config"]["properties"]["sources"]
    lists = sources.pop("additionalProperties") | {"minItems": 1, "uniqueItems": True}
    sources["properties"] = dict.fromkeys(names_in("data.catalogue.SOURCES"), lists)
    sources["additionalProperties"] = False
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ntk-mnist experiment",
        "description": "Generated from src/ntk_mnist/settings.py by `make generate`.",
        **_without_titles(schema),
    }


def _one_or_many(declared: dict[str, Any]) -> dict[str, Any]:
    value = declared["items"] if declared.get("type") == "array" else declared
    value = {key: v for key, v in value.items() if key != "default"}
    many = {"type": "array", "items": value, "minItems": 1, "uniqueItems": True}
    return {
        "description": value["description"],
        "default": declared["default"],
        "if": {"type": "array"},
        "then": many,
        "else": value,
    }


def _group_or_groups(group: dict[str, Any]) -> dict[str, Any]:
    """Of a section that may be one group of settings or a list of groups."""
    one = {key: value for key, value in group.items() if key != "default"}
    return {
        "default": group["default"],
        "if": {"type": "array"},
        "then": {"type": "array", "items": one, "minItems": 1},
        "else": one,
    }


def _without_titles(schema: Any) -> Any:
    """Without the titles and empty lists of required keys that msgspec adds."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    added = {"title": str, "required": list}
    return {
        key: _without_titles(value)
        for key, value in schema.items()
        if not (key in added and isinstance(value, added[key]))
    }
