"""Where a config comes from: files and options in which one value silently replaces another.

Of a key that is there twice, YAML, JSON and Snakemake take the last; of an option that is there
twice, Snakemake takes the last. Each is refused here, as it is more likely a slip.
"""

import json
import math
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from ntk_mnist.plan.config_text import is_plain

__all__ = ["argument_faults", "file_faults", "option_faults"]

_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def file_faults(file: Path, shown: str, numbers: bool = True) -> list[str]:
    """Keys that are there twice, and numbers that are not plain decimals; one line each.

    Args:
        file: in YAML or JSON.
        shown: its name in the lines.
        numbers: whether all of its numbers are settings of this config.
    """
    text = file.read_text(encoding="utf-8")
    is_json = _is_json(text)
    # YAML takes no tabs where JSON has them, and JSON has none within its values.
    nodes = _nodes(text.replace("\t", " ") if is_json else text)
    faults = [(line, f"{fault}; keep one") for line, fault in _repeated(nodes)]
    if numbers and not is_json:
        faults += _odd_numbers(nodes)
    return [f"{shown}, line {line}: {fault}" for line, fault in sorted(faults)]


def argument_faults(arguments: Sequence[str]) -> list[str]:
    """Keys that ``--config`` sets twice.

    Args:
        arguments: the words of ``--config``, each ``key=value``.
    """
    lines = []
    texts: dict[str, str] = {}
    for argument in arguments:
        key, _, text = argument.partition("=")
        for _, fault in _repeated(_nodes(text)):
            lines.append(f"--config: {key}.{fault.partition(',')[0]}; keep one")
        # Mappings are merged.
        if key in texts and not all(t.lstrip().startswith("{") for t in (texts[key], text)):
            lines.append(f"--config: {key} is there twice; keep one")
        texts[key] = text
    return lines


def option_faults(words: Sequence[str]) -> list[str]:
    """Options of which Snakemake would pass over all but the last.

    Args:
        words: of the command line, after its first.
    """
    lines = []
    for option, given in _occurrences(words).items():
        if len(given) > 1:
            values = shlex.join(value for values in given for value in values)
            lines.append(
                f"{option} is there {len(given)} times, and Snakemake takes the last alone; "
                f"write it once, after the targets: {option} {values}"
            )
    return lines


def _occurrences(words: Sequence[str]) -> dict[str, list[list[str]]]:
    """The values of each occurrence of the options that set a config."""
    found: dict[str, list[list[str]]] = {"--configfile": [], "--config": []}
    values: list[str] = []
    for word in words:
        if word == "--":
            break
        if not word.startswith("-"):
            values.append(word)
            continue
        # Of another option, if nothing below takes them.
        values = []
        name, equals, value = word.partition("=")
        if word.startswith("-C"):
            name, equals, value = "--config", word[2:], word[2:]
        # Snakemake takes an unambiguous beginning too.
        if len(name) > len("--config") and "--configfiles".startswith(name):
            name = "--configfile"
        if name in found:
            if equals:
                values.append(value)
            found[name].append(values)
    return found


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _nodes(text: str) -> list[tuple[str, yaml.Node]]:
    """Every value in a text with its key, as it is written: before aliases and merge keys.

    A text that is not YAML has none; Snakemake says so itself.
    """
    try:
        pending = [("", yaml.compose(text, Loader=yaml.SafeLoader))]
    except yaml.YAMLError:
        return []
    # An alias leads to a node that was there before, perhaps to one that it is in.
    nodes: dict[int, tuple[str, yaml.Node]] = {}
    # The first place of several comes first.
    for path, node in pending:
        if node is None or id(node) in nodes:
            continue
        nodes[id(node)] = path, node
        if isinstance(node, yaml.SequenceNode):
            pending += [(f"{path}[{i}]", item) for i, item in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            pending += [(_below(path, key), value) for key, value in node.value]
    return list(nodes.values())


def _below(path: str, key: yaml.Node) -> str:
    name = key.value if isinstance(key, yaml.ScalarNode) else "?"
    return f"{path}.{name}" if path else name


def _repeated(nodes: Iterable[tuple[str, yaml.Node]]) -> Iterator[tuple[int, str]]:
    """The keys that a mapping has twice, each with its line."""
    for path, node in nodes:
        lines: dict[Any, int] = {}
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode):
                continue
            name, line = _read(key), key.start_mark.line + 1
            if name in lines:
                yield line, f"{_below(path, key)} is there twice, first in line {lines[name]}"
            lines.setdefault(name, line)


def _odd_numbers(nodes: Iterable[tuple[str, yaml.Node]]) -> Iterator[tuple[int, str]]:
    """Numbers that are not in plain decimals, such as 0100, which is octal; each with its line."""
    for path, node in nodes:
        # A text in quotes has a style.
        if not isinstance(node, yaml.ScalarNode) or node.style or node.tag not in _NUMBERS:
            continue
        number = _read(node)
        if not is_plain(node.value) and isinstance(number, int | float) and math.isfinite(number):
            yield (
                node.start_mark.line + 1,
                f"{path}: YAML reads {node.value} as the number {number}; "
                "write a number in plain digits, and a name in quotes",
            )


def _read(node: yaml.ScalarNode) -> Any:
    """What YAML reads a scalar as; its text if it cannot."""
    try:
        return SafeConstructor().construct_object(node)
    except (yaml.YAMLError, ValueError):
        return node.value
