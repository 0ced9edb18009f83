"""Digests of code by definition: equal as long as the code computes the same.

A cell is computed again exactly if what it computes could come out differently. What counts is the
code that can be reached from its declared compute functions, definition by definition. It is read
from source; nothing is imported, so that it can be asked while Snakemake plans.

*What does not count*, as no number depends on it:

- comments, docstrings, formatting, annotations, and imports that only annotations use;
- names that are a matter of writing: of local variables, parameters, definitions, import aliases,
  private attributes and modules. The digest is that of the code up to a one-to-one renaming;
- the order of definitions, imports and methods, and which module a definition is in;
- what cannot be reached: definitions that nothing reached refers to, methods whose name is nowhere
  read as an attribute, entries of a registry other than those chosen;
- the text of messages: strings in ``raise``, of ``assert``, ``print`` and ``warnings.warn``;
- whatever is in the modules of :data:`OPAQUE`. These declare, store and show. The values of
  settings are recorded beside the digest. A cell that has one of them as entry opens it.

*What counts* is everything else, and where it cannot be decided by reading, more:

- Attributes and fields with public names, and strings, are literal: fields become columns.
- A keyword counts as the position of the parameter that it names. Where the called function cannot
  be known, the keyword and all parameters of that name are literal, so that a swap of two names is
  seen. Calls of an entry from an opaque module count by the positions of their keywords alone.
- A class with a base or decorator from elsewhere counts with all of its methods: code that is not
  read may call them.
- Statements at the top of a module that do more than bind a name count, in order, for whoever
  imports the module. So does a decorator that may register what it decorates.
- Code that finds names by text (``getattr`` with a computed name, ``globals``, ``eval``), or a
  module that is passed on as a value, makes the whole module count, and the definitions say so.
"""

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ntk_mnist.store.code.closure import Closure
from ntk_mnist.store.code.source import Definition, Package, read_package

__all__ = ["OPAQUE", "Code", "changed_definitions", "code_of"]

#: Modules, and packages with all that they hold, whose content does not count.
OPAQUE = ("store", "commands", "plan", "charts", "settings", "measures", "registries")

_PACKAGE = Path(__file__).resolve().parents[1]


class Code(NamedTuple):
    """The code that some entries reach.

    Attributes:
        digest: of its meaning, 16 hexadecimal digits. It alone decides.
        definitions: by dotted name, a digest of the text of each definition, 8 hexadecimal digits,
            to say what changed. A renamed definition shows here and not in ``digest``.
    """

    digest: str
    definitions: Mapping[str, str]


@cache
def code_of(
    entries: tuple[str, ...],
    choices: tuple[tuple[str, str], ...] = (),
    *,
    package: Path = _PACKAGE,
) -> Code:
    """The code that can be reached from some definitions.

    Args:
        entries: definitions, relative to the package, as in ``"networks.training.train"``.
        choices: pairs of a registry and a key, as in ``("architecture.ACTIVATIONS", "relu")``. Of
            a registry that is named here, only the entries of these keys count.
        package: the folder of the package.

    Raises:
        LookupError: an entry, a registry or a key does not exist.
    """
    opened = {entry.split(".")[0] for entry in entries}
    read = read_package(package, tuple(module for module in OPAQUE if module not in opened))
    chosen: dict[Definition, frozenset[str]] = {}
    for registry, key in choices:
        definition = _definition(read, registry)
        if key not in _keys(read.registry(definition)):
            raise LookupError(f"the registry {registry} has no entry {key!r}")
        chosen[definition] = chosen.get(definition, frozenset()) | {key}
    closure = Closure(read, [_definition(read, entry) for entry in entries], chosen)
    return Code(closure.digest(16), closure.definitions(8))


def _definition(package: Package, name: str) -> Definition:
    target, attributes = package.resolve(f"{package.name}.{name}")
    if not isinstance(target, Definition) or attributes:
        raise LookupError(f"the package {package.name} has no definition {name}")
    return target


def _keys(display: ast.Dict | ast.Tuple | ast.List) -> list[object]:
    items = display.keys if isinstance(display, ast.Dict) else display.elts
    return [item.value for item in items if isinstance(item, ast.Constant)]


def changed_definitions(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two codes, in words; nothing exactly if their digests are equal.

    Args:
        before: ``{"digest": …, "definitions": {…}}``, as a record holds it.
        now: likewise.
    """
    if before.get("digest") == now.get("digest"):
        return []
    old, new = before.get("definitions", {}), now.get("definitions", {})
    words = []
    for name in sorted({*old, *new}):
        if name not in old:
            words.append(f"{name} is new")
        elif name not in new:
            words.append(f"{name} is gone")
        elif old[name] != new[name]:
            words.append(f"{name} changed")
    return words or ["the way in which the code's definitions are used changed"]
