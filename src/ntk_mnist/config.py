"""Is this configuration one that can run? Every fault in it, a line each.

The shape is given by a JSON schema (``workflow/schemas/config.schema.yaml``); what
depends on two values at once is checked here. Nothing is computed or repaired: a value
that would have to be guessed at is refused.
"""

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from ntk_mnist.datasets import CATALOGUE

__all__ = ["problems"]


def _is_integer(_checker: object, value: object) -> bool:
    # JSON Schema takes 64.0 for an integer; as a path, `width=64.0` is another cell.
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_checker: object, value: object) -> bool:
    # A whole number beyond the floats would become infinite on its way.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max


_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)

_TYPE_WORDS = {
    "array": "a list",
    "integer": "a whole number",
    "number": "a finite number",
    "object": "a mapping of keys to values",
    "string": "text",
}


def problems(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Every fault of ``config``, one line each: the key, the value, what is allowed.

    Args:
        config: the configuration as YAML gives it.
        schema: the JSON schema of its shape.

    Returns:
        The faults, in the order of their keys; none if the experiment can run.
    """
    errors = sorted(_Validator(schema).iter_errors(config), key=lambda e: list(map(str, e.path)))
    lines = [line for error in errors for line in _describe(error)]
    # Values of the wrong shape cannot be compared with one another.
    return list(dict.fromkeys(lines)) or list(_contradictions(config))


def _key(path: Sequence[str | int]) -> str:
    key = ""
    for part in path:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    return key or "config"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _describe(error: ValidationError) -> Iterator[str]:
    key = _key(error.absolute_path)
    value: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "additionalProperties":
            allowed = schema["properties"]
            for name in value:
                if name not in allowed:
                    close = get_close_matches(str(name), allowed, n=1)
                    hint = f"did you mean '{close[0]}'? " if close else ""
                    yield f"{key}: unknown key {_shown(name)}; {hint}allowed: {', '.join(allowed)}"
        case "required":
            missing = [name for name in rule if name not in value]
            yield f"{key}: missing key {', '.join(missing)}"
        case "type":
            hint = _type_hint(value, rule)
            yield f"{key}: {_shown(value)} is not {_TYPE_WORDS[rule]}{hint}"
        case "enum":
            yield f"{key}: {_shown(value)} is unknown; allowed: {', '.join(rule)}"
        case "minimum":
            yield f"{key}: {_shown(value)} is too small; allowed: {rule} or more"
        case "exclusiveMinimum":
            yield f"{key}: {_shown(value)} is too small; allowed: more than {rule}"
        case "maximum":
            yield f"{key}: {_shown(value)} is too large; allowed: {rule} or less"
        case "exclusiveMaximum":
            yield f"{key}: {_shown(value)} is too large; allowed: less than {rule}"
        case "minItems":
            yield f"{key}: the list is empty; at least {rule} value is needed"
        case "uniqueItems":
            twice = next(v for i, v in enumerate(value) if v in value[:i])
            yield f"{key}: {_shown(twice)} stands twice; every value is allowed once"
        case "maxLength":
            yield f"{key}: {_shown(value)} is too long; allowed: {rule} characters"
        case "pattern":
            yield f"{key}: {_shown(value)} is not allowed; it must match {rule}"
        case _:
            yield f"{key}: {error.message}"


def _type_hint(value: object, wanted: str) -> str:
    """What to write instead, where YAML or habit often goes wrong."""
    if wanted in ("integer", "number") and isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return ""
        if number.is_integer():
            return f" (YAML reads it as text); write {int(number)}"
        if math.isfinite(number):
            return f" (YAML reads it as text); write {number!r}"
    if wanted == "integer" and isinstance(value, float) and value.is_integer():
        return f"; write {int(value)}"
    if wanted == "array" and not isinstance(value, (dict, str)):
        return f"; write [{'' if value is None else value}]"
    return ""


def _contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    name = config["dataset"]
    dataset = CATALOGUE[name]
    batch_size = config["network"]["batch_size"]
    sizes = {f"sizes[{i}]": size for i, size in enumerate(config["sizes"])}
    for key, size in (sizes | {"evidence.size": config["evidence"]["size"]}).items():
        if size > dataset.train_size:
            yield (
                f"{key}: {size} is larger than {name}'s training set; "
                f"allowed: {dataset.train_size} or less"
            )
    smallest = min(config["sizes"])
    if batch_size > smallest:
        yield (
            f"network.batch_size: {batch_size} is larger than the smallest of sizes, {smallest}; "
            f"allowed: {smallest} or less"
        )
    if config["test_size"] > dataset.test_size:
        yield (
            f"test_size: {config['test_size']} is larger than {name}'s test set; "
            f"allowed: {dataset.test_size} or less"
        )
    if dataset.files and name not in config["sources"]:
        yield f"sources: missing key {name}, the folders and addresses to have that dataset from"
    for source_dataset, sources in config["sources"].items():
        for i, source in enumerate(sources):
            if "://" in source and not source.startswith(("https://", "http://")):
                yield (
                    f"sources.{source_dataset}[{i}]: {_shown(source)} is not allowed; "
                    "allowed: a folder or an https:// or http:// address"
                )
