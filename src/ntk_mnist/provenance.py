"""What made a file: settings, code and libraries, and how that differs from what is wanted.

A file is stale when what it was made from is not what would make it now. Times do not
enter: the record travels in the file itself, so that a copy, a fresh clone or a change of
branch stales nothing that it should not, and hides nothing that it should.

Code counts by its meaning. For an entry module, every module of this package that it
imports, directly or not, is read from its imports; each counts by its syntax tree without
comments, docstrings and formatting. Of a table that the config chooses from, such as
``ACTIVATIONS``, only the chosen entry counts, so that a new activation stales no cell.
"""

import ast
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

__all__ = [
    "Record",
    "code",
    "differences",
    "of_calibration",
    "of_chart",
    "of_kernel",
    "of_network",
    "of_prepared",
    "of_table",
    "record",
]

#: What made a file: ``{"settings": …, "code": …, "libraries": …}``, each by name; JSON.
Record: TypeAlias = dict[str, dict[str, Any]]

_CELL_LIBRARIES = ("jax", "jaxlib", "neural-tangents", "numpy", "scipy")
_CHART_LIBRARIES = ("altair", "vl-convert-python")

_PACKAGE = "ntk_mnist"
_COMMANDS = f"{_PACKAGE}.commands"
_SOURCE = Path(__file__).resolve().parent


def record(
    commands: Sequence[str],
    settings: Mapping[str, Any],
    libraries: Sequence[str],
    choices: Mapping[str, str] | None = None,
) -> Record:
    """What would make a file now.

    Args:
        commands: modules of ``ntk_mnist.commands`` that the file hangs on.
        settings: JSON values by name.
        libraries: distributions whose versions count.
        choices: of :func:`code`.
    """
    entries = tuple(f"{_COMMANDS}.{command}" for command in commands)
    return {
        "settings": dict(settings),
        "code": dict(code(entries, tuple(sorted((choices or {}).items())))),
        "libraries": {name: _version(name) for name in libraries},
    }


def of_prepared(dataset: str) -> Record:
    """Of the arrays of a dataset."""
    return record(["prepare"], {"dataset": dataset}, ["numpy"], {"CATALOGUE": dataset})


def of_network(settings: Mapping[str, Any]) -> Record:
    """Of a network's shard; ``settings`` are the identifying columns of its row, and threads."""
    choices = {
        "ACTIVATIONS": settings["activation"],
        "CATALOGUE": settings["dataset"],
        "OPTIMIZERS": settings["optimizer"],
    }
    return record(["network", "prepare"], settings, _CELL_LIBRARIES, choices)


def of_kernel(settings: Mapping[str, Any]) -> Record:
    """Of a kernel's shard; ``settings`` are those of the command ``kernel``."""
    choices = {"ACTIVATIONS": settings["activation"], "CATALOGUE": settings["dataset"]}
    return record(["kernel", "prepare"], settings, _CELL_LIBRARIES, choices)


def of_table(shards: Mapping[str, str]) -> Record:
    """Of a table; ``shards`` are the digests of its shards by their names."""
    return record(["tabulate"], {"shards": _digest_of(shards)}, [])


def of_calibration(kernels: str) -> Record:
    """Of the calibration table; ``kernels`` is the digest of the kernel table."""
    return record(["calibrate"], {"kernels": kernels}, [])


def of_chart(name: str, tables: Mapping[str, str]) -> Record:
    """Of a chart by its name; ``tables`` are the digests of its tables by their names."""
    return record(
        ["chart"], {"chart": name, "tables": _digest_of(tables)}, _CHART_LIBRARIES, {"CHARTS": name}
    )


def _digest_of(digests: Mapping[str, str]) -> str:
    return hashlib.sha256(repr(sorted(digests.items())).encode()).hexdigest()[:16]


@cache
def _version(distribution: str) -> str:
    return version(distribution)


def differences(made: Mapping[str, Any], wanted: Record) -> list[str]:
    """What differs between how a file was made and how it would be made now, in words."""
    words = []
    for part in ("settings", "code", "libraries"):
        before, now = made.get(part, {}), wanted[part]
        for name in sorted({*before, *now}):
            if name not in before:
                words.append(f"{name} is new")
            elif name not in now:
                words.append(f"{name} is gone")
            elif before[name] != now[name]:
                values = f"was {before[name]}, is {now[name]}"
                words.append(f"{name} {'changed' if part == 'code' else values}")
    return words


@cache
def code(entries: tuple[str, ...], choices: tuple[tuple[str, str], ...] = ()) -> dict[str, str]:
    """A digest of each module that the ``entries`` are made of, themselves included.

    This module itself does not count: it tells when a file is made, not what is in it.

    Args:
        entries: modules of this package.
        choices: pairs of a module-level table's name and the key in use; other entries of
            that table do not count.
    """
    digests: dict[str, str] = {}
    waiting = list(entries)
    while waiting:
        module = waiting.pop()
        if module in digests or module == __name__:
            continue
        tree = _tree(module)
        waiting += _imports(tree)
        meaning = "\n".join(_meaning(_chosen(_undocumented(tree), dict(choices))))
        digests[module] = hashlib.sha256(meaning.encode()).hexdigest()[:16]
    return digests


def _file(module: str) -> Path | None:
    inner = module.split(".")[1:]
    for file in (
        _SOURCE.joinpath(*inner, "__init__.py"),
        _SOURCE.joinpath(*inner).with_suffix(".py"),
    ):
        if file.is_file():
            return file
    return None


def _tree(module: str) -> ast.Module:
    file = _file(module)
    if file is None:
        raise ModuleNotFoundError(f"no module {module} in {_SOURCE}")
    return ast.parse(file.read_bytes(), filename=str(file))


def _imports(tree: ast.Module) -> Iterator[str]:
    """Modules of this package that are imported anywhere in the tree, functions included."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            if parts[0] == _PACKAGE:
                # Importing a.b.c runs a and a.b too.
                packages = (".".join(parts[: i + 1]) for i in range(len(parts)))
                yield from (package for package in packages if _file(package))


def _undocumented(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [s for s in node.body if not _is_text(s)]
    return tree


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _chosen(tree: ast.Module, choices: Mapping[str, str]) -> ast.Module:
    """Leave in each table of ``choices`` the entry in use alone."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value:
            target, value = statement.target, statement.value
        else:
            continue
        if isinstance(target, ast.Name) and target.id in choices and isinstance(value, ast.Dict):
            kept = [
                (key, entry)
                for key, entry in zip(value.keys, value.values, strict=True)
                if isinstance(key, ast.Constant) and key.value == choices[target.id]
            ]
            value.keys, value.values = [key for key, _ in kept], [entry for _, entry in kept]
    return tree


def _meaning(node: Any) -> Iterator[str]:
    """The tree in lines, the same under every Python: a field that is empty is left out."""
    if isinstance(node, ast.AST):
        yield type(node).__name__
        for name, value in ast.iter_fields(node):
            if value not in (None, [], "") or isinstance(node, ast.Constant):
                yield f".{name}"
                yield from _meaning(value)
        yield "end"
    elif isinstance(node, list):
        for part in node:
            yield from _meaning(part)
    else:
        yield repr(node)
