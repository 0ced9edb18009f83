"""Digests of code by definition: equal as long as the code computes the same.

A cell is computed again exactly if what it computes could come out differently. What counts is the
code that can be reached from its declared compute functions, definition by definition. The source
is parsed and never imported, so that Snakemake can ask for digests while it plans.

*What does not count*, and why no result depends on it:

- Comments, docstrings, formatting and annotations are not executed, nor are imports that only
  annotations use, except for what the imported module itself does when it is imported.
- Names of variables, parameters, definitions, import aliases, private attributes and modules. The
  digest is that of the code up to a one-to-one renaming, which changes no value.
- The order of definitions, imports and methods, and the module of a definition. A name refers to
  the same definition wherever that is. Of a name that is bound several times, all bindings count.
- What cannot be reached: a definition that nothing reached refers to, a method whose name is
  nowhere read as an attribute, an entry of a registry that is not chosen.
- The text of messages, which people read: strings in ``raise``, and those of ``assert``, ``print``
  and ``warnings.warn``.
- The modules of :data:`OPAQUE`, which declare, store and show. The values of settings are recorded
  beside the digest. If an entry is in one of these packages, that package does count.

*What counts* is all the rest. Where reading cannot decide, more counts than may be needed:

- Public attributes, fields and strings keep their names, since they become columns, or select
  attributes of objects from other libraries.
- A keyword counts as the position of the parameter that it names. If the called function is not
  known, the keyword and every parameter of that name keep the name: if two parameters swap their
  names, their callers pass other values. Of calls of an entry in opaque modules, the positions of
  the keywords count.
- A class with a base or a decorator from another library counts with all its methods, since that
  library may call them.
- Statements at the top of a module that do more than bind names count, in their order, for all that
  imports the module. The same holds for definitions whose decorator may register them.
- Code that computes the name of what it uses (``getattr``, ``globals``, ``eval``) may use anything
  in its module, and any method. All of these then count, and ``definitions`` says so.
"""

import ast
import hashlib
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from ntk_mnist.store.code.closure import Closure
from ntk_mnist.store.code.known import digest_of_sources, known
from ntk_mnist.store.code.source import (
    Definition,
    Package,
    Sources,
    package_of,
    read_sources,
)

__all__ = ["OPAQUE", "Code", "changed_definitions", "code_in", "code_of", "templates_digest"]

#: Modules, and packages with all that is in them, whose content does not count.
OPAQUE = ("store", "commands", "plan", "charts", "settings", "measures", "registries")

_PACKAGE = Path(__file__).resolve().parents[1]


#: What is no Python and decides how a page looks and works.
_TEMPLATES = _PACKAGE / "page/templates"
_INCLUDED = {
    "chart.html": ("style.css", "charts.js"),
    "experiment.html": ("style.css", "charts.js", "page.js"),
}


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
        entries: definitions, relative to the package, as in ``"networks.training.Trainer"``.
        choices: pairs of a registry and a key, as in ``("architecture.ACTIVATIONS", "relu")``. Of
            a registry that is named here, only the entries of these keys count.
        package: the folder of the package.

    Raises:
        LookupError: an entry, a registry or a key does not exist.
    """
    folder = package.resolve()
    sources = _own_sources() if package == _PACKAGE else read_sources(folder)
    find = partial(code_in, folder.name, sources, entries, choices)
    if package != _PACKAGE:
        return find()
    return known(package, _own_digest(), (entries, choices), find, Code)


@cache
def _own_sources() -> Sources:
    return read_sources(_PACKAGE)


@cache
def _own_digest() -> str:
    return digest_of_sources(_own_sources())


def code_in(
    name: str,
    sources: Sources,
    entries: tuple[str, ...],
    choices: tuple[tuple[str, str], ...] = (),
) -> Code:
    """The same in a package of some files."""
    opened = {entry.split(".")[0] for entry in entries}
    opaque = tuple(module for module in OPAQUE if module not in opened)
    read = package_of(name, sources, opaque)
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


@cache
def templates_digest(template: str) -> str:
    """A digest of a template and of the styles and scripts in it, 16 hexadecimal digits."""
    found = hashlib.sha256()
    for name in (template, *_INCLUDED[template]):
        found.update((_TEMPLATES / name).read_bytes())
    return found.hexdigest()[:16]
