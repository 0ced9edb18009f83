"""Is this a config that can run? Every fault in it, one line each; and the config with defaults.

The shape is checked by the JSON schema that follows from the declared settings (``plan.schema``).
What depends on two values at once is checked here. Nothing is repaired: a value that is not clear
is refused. Numerals that came as text are numbers already (``plan.config_text``).
"""

import math
import operator
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from msgspec import Struct, convert

from ntk_mnist.data.catalogue import SOURCES, DatasetError, Description
from ntk_mnist.data.own import describe
from ntk_mnist.declarations import declared
from ntk_mnist.plan.cost import LARGEST_DIAGONALIZED
from ntk_mnist.plan.schema import config_schema
from ntk_mnist.settings import AXES, OWN_AXES, Architecture, Config, Grid, Inputs, Training

__all__ = ["complete", "problems"]


def _is_integer(_checker: object, value: object) -> bool:
    # JSON Schema takes 64.0 for an integer; in a path, `width=64.0` would be another cell.
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_checker: object, value: object) -> bool:
    # A whole number beyond the floats would become infinite.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max


def _bound(broken: Callable[[Any, Any], bool]) -> Any:
    """A bound of JSON Schema that whole numbers beyond the floats must keep too."""

    def check(validator: Any, bound: Any, value: Any, _schema: object) -> Iterator[ValidationError]:
        counts = validator.is_type(value, "integer") or validator.is_type(value, "number")
        if counts and broken(value, bound):
            yield ValidationError("out of bounds")

    return check


_Validator = extend(
    Draft202012Validator,
    {"minimum": _bound(operator.lt), "maximum": _bound(operator.gt)},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)

_TYPE_WORDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a finite number",
    "object": "a mapping of keys to values",
    "string": "text",
}


@cache
def _validator() -> Any:
    return _Validator(config_schema())


def problems(config: Mapping[str, Any]) -> list[str]:
    """Every fault of a config, one line each: the key, the value, what is allowed.

    Args:
        config: as YAML gives it.

    Returns:
        The faults in the order of their keys; none if the experiment can run.
    """
    errors = sorted(_validator().iter_errors(config), key=lambda e: list(map(str, e.path)))
    lines = [line for error in errors for line in _describe(error)]
    # Values of the wrong shape cannot be compared with one another.
    return list(dict.fromkeys(lines)) or list(_contradictions(complete(config)))


def complete(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with the declared default of each key that it lacks; each axis as a list.

    The architecture is a list of groups, each with its own sizes and widths.
    """
    completed: dict[str, Any] = {}
    for section in declared(Config):
        if not (isinstance(section.type, type) and issubclass(section.type, Struct)):
            completed[section.name] = config.get(section.name, section.default)
            continue
        completed[section.name] = (
            _groups(config)
            if section.type is Architecture
            else _completed(section.type, config.get(section.name, {}))
        )
    return completed


def _groups(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The groups of architectures, each with its own sizes and widths or those of the grid."""
    grid = _completed(Grid, config.get("grid", {}))
    return [
        _completed(Architecture, group)
        | {axis: _many(group.get(axis, grid[axis])) for axis in OWN_AXES}
        for group in _many(config.get("architecture", {}))
    ]


def _completed(section: type[Struct], given: Mapping[str, Any]) -> dict[str, Any]:
    values = {
        setting.name: given.get(setting.name, _plain(setting.default))
        for setting in declared(section)
    }
    return {name: _many(v) for name, v in values.items()} if section in AXES else values


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _key(path: Sequence[str | int]) -> str:
    key = ""
    for part in path:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    return key or "config"


def _shown(value: object) -> str:
    # YAML reads 2024-06-01 as a date.
    text = str(value) if isinstance(value, date) else repr(value)
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
                    hint = _key_hint(str(name), value[name], error.absolute_path, allowed)
                    yield f"{key}: unknown key {_shown(name)}; {hint}allowed: {', '.join(allowed)}"
        case "type" if _names(schema) and not isinstance(value, list | dict):
            yield f"{key}: {_shown(value)} is unknown; allowed: {_names(schema)}"
        case "anyOf":
            # Of another type, that fault is reported.
            if isinstance(value, str):
                yield f"{key}: {_shown(value)} is unknown; allowed: {_names(schema)}"
        case "type":
            hint = _type_hint(value, rule, schema.get("items", {}).get("enum"))
            yield f"{key}: {_shown(value)} is not {_TYPE_WORDS[rule]}{hint}"
        case "enum":
            # Of another type, that fault is reported.
            if isinstance(value, str):
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
            yield f"{key}: {_shown(twice)} is there twice; every value is allowed once"
        case "maxLength":
            yield f"{key}: {_shown(value)} is too long; allowed: {rule} characters"
        case "pattern":
            yield f"{key}: {_shown(value)} is not allowed; allowed: {schema['patternErrorMessage']}"
        case _:
            yield f"{key}: {error.message}"


def _names(schema: Mapping[str, Any]) -> str:
    """The names that are allowed, and what else is, in words; empty if anything is."""
    parts = schema.get("anyOf", [schema])
    names = [name for part in parts for name in part.get("enum", [])]
    others = [f"or {part['patternErrorMessage']}" for part in parts if "pattern" in part]
    return ", ".join([*names, *others]) if names else ""


def _key_hint(
    name: str, value: object, path: Sequence[str | int], allowed: Mapping[str, Any]
) -> str:
    """Where the key belongs, or which key may be meant."""
    below = {
        f"{section.name}.{key}": key
        for section in declared(Config)
        for key in getattr(section.type, "__struct_fields__", ())
    }
    top = [section.name for section in declared(Config)]
    section, _, key = name.partition(".")
    if name in below:
        return f"write {section}: {{{key}: ...}}; "
    # Of equally close names, one that is allowed here.
    close = _closest(name, [*allowed, *below.values(), *top])
    if not close and isinstance(value, Mapping):
        # A section by another name, with a key of ours.
        close = next((key for key in below.values() if key in value), "")
    places = [place for place, key in below.items() if key == close]
    if close in allowed:
        return f"did you mean '{close}'? "
    if places:
        return f"did you mean {' or '.join(places)}? "
    return f"did you mean {close}, outside of {_key(path)}? " if close else ""


def _closest(name: str, names: Iterable[str]) -> str:
    """The name that is most like another, in small or capital letters; empty if none is."""
    letters: dict[str, str] = {}
    for known in names:
        letters.setdefault(known.lower(), known)
    return next((letters[n] for n in get_close_matches(name.lower(), letters, n=1)), "")


def _type_hint(value: object, wanted: str, choices: Sequence[str] | None) -> str:
    """What to write instead, for faults that YAML or habit often cause."""
    number = _number(value)
    hint = ""
    match wanted:
        case "array" if choices and str(value) not in choices:
            hint = f"allowed: a list of {', '.join(choices)}"
        case "array" if re.fullmatch(r"[\w./:+-]{1,60}", word := number or str(value or "")):
            hint = f"write [{word}]"
        case "array" if value is None:
            hint = "write []"
        case "integer" | "number" if number and isinstance(value, str):
            hint = f"write {number}"
        case "integer" if number and "." not in number:
            hint = f"write {number}"
        case "string" if isinstance(value, int | float | date):
            # What YAML read may be written otherwise: 2024_06 is the number 202406.
            hint = "write it in quotes"
        case _ if value is None:
            hint = "give a value, or leave the key out"
        case _ if isinstance(value, list) and wanted != "array":
            hint = "this key takes one value"
    return f"; {hint}" if hint else ""


def _number(value: object) -> str:
    """A number, or a text that is one, as YAML reads it as a number; nothing if it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return ""
    if number.is_integer():
        return str(int(number))
    return repr(number) if math.isfinite(number) else ""


def _contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Faults that depend on two values; ``config`` is complete."""
    inputs = config["inputs"]
    name = inputs["dataset"]
    try:
        dataset = describe(name)
    except DatasetError as error:
        # What depends on its sizes cannot be told.
        yield f"inputs.dataset: {error}"
        return
    groups = config["architecture"]
    yield from _unlike_inputs(inputs, dataset, max((g["draw"] for g in groups), key=len))
    for place, sizes in _sizes(config).items():
        for i, size in enumerate(sizes):
            key = f"{place}[{i}]" if len(sizes) > 1 else place
            yield from _unlike_size(key, size, inputs, dataset)
    training = config["training"]
    sizes = [size for group in groups if group["width"] for size in group["size"]]
    if sizes:
        yield from _unlike_training(training, sizes, config["solve"])
    if dataset.real_valued:
        yield from _unlike_real_inputs(inputs)
        if sizes:
            yield from _unlike_real_training(inputs["dataset"], training)
    smallest, batch_size = min(sizes, default=math.inf), training["batch_size"]
    used = "batch_size" not in convert(training, Training).unused
    if used and training["last_batch"] == "dropped" and batch_size > smallest:
        yield (
            f"training.batch_size: {batch_size} is larger than the smallest of grid.size, "
            f"{smallest}; allowed: {smallest} or less, or training.last_batch partial"
        )
    test_size = inputs["test_size"]
    if test_size > dataset.test_size:
        yield (
            f"inputs.test_size: {test_size} is larger than {name}'s test set; "
            f"allowed: {dataset.test_size} or less"
        )
    if dataset.files and name not in SOURCES and name not in config["sources"]:
        yield f"sources: missing key {name}, the folders and addresses of that dataset"
    for source_dataset, sources in config["sources"].items():
        for i, source in enumerate(sources):
            if "://" in source and not source.startswith(("https://", "http://")):
                yield (
                    f"sources.{source_dataset}[{i}]: {_shown(source)} is not allowed; "
                    "allowed: a folder or an https:// or http:// address"
                )


def _sizes(config: Mapping[str, Any]) -> dict[str, list[int]]:
    """The training-set sizes by their places in the config."""
    grid, groups = config["grid"]["size"], config["architecture"]
    sizes = {"grid.size": grid, "evidence.size": config["evidence"]["size"]}
    for i, group in enumerate(groups):
        if group["size"] != grid:
            place = f"architecture[{i}].size" if len(groups) > 1 else "architecture.size"
            sizes[place] = group["size"]
    if all(group["size"] != grid for group in groups):
        # No cell has them.
        del sizes["grid.size"]
    return sizes


def _unlike_size(
    key: str, size: int, inputs: Mapping[str, Any], dataset: Description
) -> Iterator[str]:
    """Faults of one training-set size."""
    name, held_out = inputs["dataset"], inputs["held_out"]
    left = dataset.train_size - held_out
    without = f" without the {held_out} of inputs.held_out" if held_out else ""
    if size > left > 0:
        yield (
            f"{key}: {size} is larger than {name}'s training set{without}; allowed: {left} or less"
        )


def _unlike_inputs(
    inputs: Mapping[str, Any], dataset: Description, draws: Sequence[int]
) -> Iterator[str]:
    """Faults of what both sides see."""
    if inputs["held_out"] >= dataset.train_size:
        yield (
            f"inputs.held_out: {inputs['held_out']} is all of {inputs['dataset']}'s training set; "
            f"allowed: less than {dataset.train_size}"
        )
    if inputs["validation_size"] > inputs["held_out"]:
        yield (
            f"inputs.validation_size: {inputs['validation_size']} is larger than inputs.held_out; "
            f"allowed: {inputs['held_out']} or less"
        )
    if len(draws) > 1 and not convert(inputs, Inputs).draws:
        yield (
            f"grid.draw: {len(draws)} draws need inputs.selection drawn_of_each_class, and not "
            f"{inputs['selection']}"
        )


def _unlike_real_inputs(inputs: Mapping[str, Any]) -> Iterator[str]:
    """Faults of inputs that need classes, of a dataset that has real-valued targets."""
    because = f"as {inputs['dataset']} has real-valued targets"
    if inputs["targets"] == "zero_sum":
        yield f"inputs.targets: zero_sum needs classes, {because}; allowed: one_hot, zero_mean"
    if inputs["selection"] != "first":
        yield f"inputs.selection: {inputs['selection']} needs classes, {because}; allowed: first"


def _unlike_real_training(name: str, training: Mapping[str, Any]) -> Iterator[str]:
    """Faults of a training that needs classes, of a dataset that has real-valued targets."""
    because = f"as {name} has real-valued targets"
    if training["loss"] != "squared_error":
        yield (
            f"training.loss: {training['loss']} needs classes, {because}; allowed: squared_error"
        )
    if training["until_train_accuracy"]:
        yield (
            f"training.until_train_accuracy: {training['until_train_accuracy']:g} needs classes, "
            f"{because}; allowed: 0, and training.until_train_loss"
        )
    if convert(training, Training).like_for_like:
        yield (
            "training.optimizer: gradient_descent in ntk parameterization compares accuracies "
            f"with the kernels', {because}; allowed: another optimizer or parameterization"
        )


def _unlike_training(
    training: Mapping[str, Any], sizes: Sequence[int], solve: Mapping[str, Any]
) -> Iterator[str]:
    """Faults of networks that are trained as the kernels are."""
    if not convert(training, Training).like_for_like:
        if training["linearized"]:
            yield (
                "training.linearized: true needs parameterization ntk, loss squared_error and "
                "optimizer gradient_descent"
            )
        return
    for name in ("until_train_accuracy", "until_train_loss"):
        if training[name]:
            yield (
                f"training.{name}: {training[name]:g} is not allowed, as networks that take the "
                "kernels' steps are trained to the largest of solve.times; allowed: 0"
            )
    if "ntk" not in solve["kinds"]:
        yield "solve.kinds: ntk is missing, which networks that take the kernels' steps approach"
    if not solve["times"]:
        yield (
            "solve.times: the list is empty; networks that take the kernels' steps need at least 1"
        )
    step_size = training["step_size"]
    for time in solve["times"]:
        steps = time / step_size
        if abs(steps - round(steps)) > 1e-9 * steps or round(steps) < 1:
            yield (
                f"solve.times: {time:g} is not a whole number of steps of training.step_size, "
                f"{step_size:g}"
            )
    if max(sizes) > LARGEST_DIAGONALIZED:
        yield (
            f"grid.size: {max(sizes)} is too large for training.optimizer gradient_descent; "
            f"allowed: {LARGEST_DIAGONALIZED} or less"
        )
