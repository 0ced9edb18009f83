"""The modules of a package as their source declares them; nothing is imported or executed.

A module binds names to *definitions* or, by import, to something elsewhere. A definition is all the
statements at the top of the module that bind one name. Its *effects* are the statements at the top
that do more than bind names, and so act on other objects when the module is imported.

A dotted path is followed through packages, modules and re-exports. It arrives at a definition, at a
module, outside of the package, or in an *opaque* module, whose content does not count.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

from ntk_mnist.store.code.scopes import (
    Function,
    bindings,
    executed,
    imported,
    single_imports,
)

__all__ = [
    "Definition",
    "External",
    "Module",
    "ModuleObject",
    "Opaque",
    "Package",
    "Sources",
    "Target",
    "dotted",
    "package_of",
    "read_sources",
]

#: The content of ``.py`` files by their paths relative to the package, in order.
Sources: TypeAlias = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class Definition:
    """All that binds one name at the top of a module."""

    module: str
    name: str

    def __str__(self) -> str:
        """The dotted path, relative to the package."""
        return ".".join(filter(None, [self.module, self.name]))


@dataclass(frozen=True)
class External:
    """Something outside of the package, by its full dotted path."""

    path: str


@dataclass(frozen=True)
class ModuleObject:
    """A module of the package itself, used as a value."""

    module: str


@dataclass(frozen=True)
class Opaque:
    """Anything in an opaque module."""


#: What a path arrives at, and the attributes that are left of the path.
Target: TypeAlias = tuple[Definition | External | ModuleObject | Opaque, tuple[str, ...]]


class KeywordCall(NamedTuple):
    """A call with keywords.

    Attributes:
        path: the absolute path of the import that what is called begins with.
        attributes: the names after it.
        keywords: their names, without those of a mapping.
    """

    path: str
    attributes: tuple[str, ...]
    keywords: tuple[str, ...]


class Module:
    """One source file.

    Args:
        name: dotted path relative to the package; empty for the package itself.
        path: the same with the package's own name in front.
        source: the content of the file.
        is_package: whether the file is an ``__init__.py``.

    Attributes:
        statements: those at the top that do something.
        bound: by name, the statements that bind it.
        imports: by name, the absolute path of what imports bind it to.
        rebound: names that some function declares ``nonlocal``.
        stars: modules of ``from … import *``, absolute.
        runs: absolute paths whose modules are imported when this one is.
    """

    def __init__(self, name: str, path: str, source: bytes, is_package: bool) -> None:
        self.name = name
        self.home = path if is_package else path.rpartition(".")[0]
        tree = ast.parse(source, filename=f"{path} (source)")
        self.statements = [part for s in executed(tree.body) for part in _separate(s)]
        self.bound: dict[str, list[ast.stmt]] = {}
        nodes: dict[str, list[ast.AST]] = {}
        for statement in self.statements:
            for bound, binders in bindings([statement]).names.items():
                self.bound.setdefault(bound, []).append(statement)
                nodes.setdefault(bound, []).extend(binders)
        inside: dict[type[ast.AST], set[str]] = {ast.Global: set(), ast.Nonlocal: set()}
        # Few modules have such a statement; a look through a tree takes as long as to parse it.
        if b"global" in source or b"nonlocal" in source:
            for node in _nodes([tree]):
                if isinstance(node, ast.Global | ast.Nonlocal):
                    inside[type(node)].update(node.names)
        for bound in inside[ast.Global]:
            self.bound.setdefault(bound, [])
        at_top = {name: nodes[name] for name in nodes if name not in inside[ast.Global]}
        self.imports = single_imports(at_top, self.home)
        self.rebound = frozenset(inside[ast.Nonlocal])
        self.stars: list[str] = []
        self.runs: list[str] = []
        for node in _outside_functions(self.statements):
            for binding in imported(node, self.home):
                self.runs.append(binding.runs)
                if binding.name == "*":
                    self.stars.append(binding.path.removesuffix(".*"))

    @cached_property
    def keyword_calls(self) -> list["KeywordCall"]:
        """What may be an imported definition that is given keywords, anywhere in the module."""
        aliases: dict[str, str] = {}
        calls: list[ast.Call] = []
        for node in _nodes(self.statements):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for binding in imported(node, self.home):
                    aliases[binding.name] = binding.path
            elif isinstance(node, ast.Call) and node.keywords:
                calls.append(node)
        return [
            KeywordCall(aliases[parts[0]], tuple(parts[1:]), names)
            for call in calls
            for names in [tuple(k.arg for k in call.keywords if k.arg is not None)]
            # An argument counts as well: ``partial(function, keyword=…)``.
            for parts in filter(None, map(dotted, (call.func, *call.args)))
            if parts[0] in aliases
        ]

    @cached_property
    def effects(self) -> list[ast.stmt]:
        """The statements that do more than bind names, in their order."""
        return [statement for statement in self.statements if not _only_binds(statement)]


def _nodes(roots: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Some nodes and all below them, breadth first, in a third of the time of ``ast.walk``."""
    waiting = list(roots)
    for node in waiting:
        yield node
        for value in vars(node).values():
            if isinstance(value, ast.AST):
                waiting.append(value)
            elif isinstance(value, list):
                waiting += [item for item in value if isinstance(item, ast.AST)]


def _separate(statement: ast.stmt) -> Iterator[ast.stmt]:
    """``a, b = 1, 2`` as ``a = 1`` and ``b = 2``, which are two definitions."""
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(
            targets
        ) == len(values) and all(isinstance(t, ast.Name) for t in targets):
            names = {t.id for t in targets if isinstance(t, ast.Name)}
            used = {n.id for v in values for n in ast.walk(v) if isinstance(n, ast.Name)}
            starred = any(isinstance(value, ast.Starred) for value in values)
            if len(names) == len(targets) and not names & used and not starred:
                for target, value in zip(targets, values, strict=True):
                    part = ast.Assign(targets=[target], value=value)
                    yield ast.copy_location(part, statement)
                return
    yield statement


def _only_binds(statement: ast.stmt) -> bool:
    """Whether importing a module by this statement changes nothing but the module's names."""
    match statement:
        case ast.Assign(targets=targets):
            return all(_is_names(target) for target in targets)
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return _is_names(target)
        case ast.If(body=body, orelse=orelse):
            return all(map(_only_binds, executed([*body, *orelse])))
        case ast.Try():
            handled = [s for handler in statement.handlers for s in handler.body]
            body = [*statement.body, *handled, *statement.orelse, *statement.finalbody]
            return all(map(_only_binds, executed(body)))
    definitions = ("FunctionDef", "AsyncFunctionDef", "ClassDef", "Import", "ImportFrom")
    return type(statement).__name__ in (*definitions, "TypeAlias", "Global")


def _is_names(target: ast.expr) -> bool:
    match target:
        case ast.Name():
            return True
        case ast.Starred(value=value):
            return _is_names(value)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return all(map(_is_names, parts))
    return False


def _outside_functions(nodes: Iterable[ast.AST]) -> Iterator[ast.Import | ast.ImportFrom]:
    """The import statements that run when these statements run."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case) and not isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef
        ):
            inner = [n for n in ast.iter_child_nodes(node) if not isinstance(n, ast.stmt)]
            statements = executed(n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt))
            yield from _outside_functions([*inner, *statements])


def dotted(expression: ast.expr) -> list[str] | None:
    """The parts of an expression that is a name and attributes: ``a.b.c``."""
    parts: list[str] = []
    while isinstance(expression, ast.Attribute):
        parts.append(expression.attr)
        expression = expression.value
    if not isinstance(expression, ast.Name):
        return None
    return [expression.id, *reversed(parts)]


_module = lru_cache(maxsize=1024)(Module)


class Package:
    """The modules of a package; each is parsed when it is first needed.

    Args:
        name: of the package.
        sources: content of each ``.py`` file by its path relative to the package.
        opaque: modules, and packages with all that is in them, whose content does not count.
    """

    def __init__(self, name: str, sources: Mapping[str, bytes], opaque: Sequence[str]) -> None:
        self.name, self._opaque = name, tuple(opaque)
        self._files: dict[str, tuple[bytes, bool]] = {}
        self._modules: dict[str, Module] = {}
        for file, source in sorted(sources.items()):
            *folders, stem = file.removesuffix(".py").split("/")
            for i in range(len(folders) + 1):
                # A folder without ``__init__.py`` is a package as well.
                self._files.setdefault(".".join(folders[:i]), (b"", True))
            is_package = stem == "__init__"
            self._files[".".join(folders if is_package else [*folders, stem])] = source, is_package

    def __contains__(self, module: str) -> bool:
        """Whether there is a module of that name, relative to the package."""
        return module in self._files

    def module(self, name: str) -> Module:
        """A module by its name relative to the package."""
        if name not in self._modules:
            path = ".".join(filter(None, [self.name, name]))
            self._modules[name] = _module(name, path, *self._files[name])
        return self._modules[name]

    def modules(self) -> list[str]:
        """The names of the modules that are not opaque."""
        return [name for name in self._files if not self.is_opaque(name)]

    def submodules(self, module: str) -> list[str]:
        """The names of the modules directly in a package that are not opaque."""
        return [m for m in self.modules() if m and m.rpartition(".")[0] == module]

    def is_opaque(self, module: str) -> bool:
        """Whether the content of a module does not count."""
        return any(f"{module}.".startswith(f"{opaque}.") for opaque in self._opaque)

    def statements(self, definition: Definition) -> list[ast.stmt]:
        """The statements that make a definition."""
        return self.module(definition.module).bound[definition.name]

    def opaque_modules_with(self, word: str) -> Iterator[Module]:
        """The opaque modules whose source contains a word as a whole."""
        pattern = re.compile(rb"\b" + re.escape(word.encode()) + rb"\b")
        for name, (source, _) in self._files.items():
            if self.is_opaque(name) and pattern.search(source):
                yield self.module(name)

    def imported_modules(self, path: str) -> list[str]:
        """The modules of this package, not opaque, that are imported along an absolute path."""
        first, *rest = path.split(".")
        if first != self.name:
            return []
        along = (".".join(rest[:i]) for i in range(len(rest) + 1))
        return [module for module in along if module in self and not self.is_opaque(module)]

    def resolve(self, path: str, attributes: Sequence[str] = ()) -> Target:
        """Follow an absolute dotted path and the attributes after it."""
        parts = [*path.split("."), *attributes]
        return self._follow(parts, frozenset())

    def _follow(self, parts: Sequence[str], seen: frozenset[Definition]) -> Target:
        first, *rest = parts
        if first != self.name:
            return External(".".join(parts)), ()
        module = ""
        for i, part in enumerate(rest):
            if self.is_opaque(module):
                return Opaque(), ()
            found = self._member(module, part, rest[i + 1 :], seen)
            if found is not None:
                return found
            inner = ".".join(filter(None, [module, part]))
            if inner not in self:
                if "__getattr__" in self.module(module).bound:
                    return Definition(module, "__getattr__"), tuple(rest[i:])
                return ModuleObject(module), tuple(rest[i:])
            module = inner
        return (Opaque() if self.is_opaque(module) else ModuleObject(module)), ()

    def _member(
        self, module: str, name: str, attributes: Sequence[str], seen: frozenset[Definition]
    ) -> Target | None:
        here, source = Definition(module, name), self.module(module)
        if here in seen:
            # ``from . import name`` in a package: the submodule, or nothing.
            return None
        if name in source.imports:
            path = source.imports[name].split(".")
            return self._follow([*path, *attributes], seen | {here})
        if name in source.bound:
            return here, tuple(attributes)
        for star in source.stars:
            if star.split(".")[0] == self.name:
                target, rest = self._follow([*star.split("."), name], seen | {here})
                if isinstance(target, Definition | External) and not rest:
                    return self._with(target, attributes)
        return None

    @staticmethod
    def _with(target: Definition | External, attributes: Sequence[str]) -> Target:
        if isinstance(target, External):
            return External(".".join([target.path, *attributes])), ()
        return target, tuple(attributes)

    def look_up(self, module: str, parts: Sequence[str]) -> Target | None:
        """What a name at the top of a module, and attributes after it, refer to.

        Returns:
            None for a builtin.
        """
        return self._member(module, parts[0], parts[1:], frozenset())

    def refers_to(self, module: str, expression: ast.expr) -> object:
        """What an expression at the top of a module refers to.

        Returns:
            What it arrives at if no attributes are left, the name of a builtin, or None.
        """
        parts = dotted(expression)
        if parts is None:
            return None
        target = self.look_up(module, parts)
        if target is None:
            return parts[0] if len(parts) == 1 else None
        return target[0] if not target[1] else None

    def function(self, definition: Definition) -> Function | None:
        """The function, if a definition is one and nothing else."""
        match self.statements(definition):
            case [ast.FunctionDef() | ast.AsyncFunctionDef() as function]:
                return function
        return None

    def class_of(self, definition: Definition) -> ast.ClassDef | None:
        """The class, if a definition is one and nothing else."""
        match self.statements(definition):
            case [ast.ClassDef() as class_]:
                return class_
        return None

    def registry(self, definition: Definition) -> ast.Dict | ast.Tuple | ast.List:
        """The display of a registry.

        Raises:
            LookupError: it is not written out as one dict, tuple or list.
        """
        match self.statements(definition):
            case [ast.Assign(value=value) | ast.AnnAssign(value=value)]:
                if isinstance(value, ast.Dict | ast.Tuple | ast.List):
                    return value
        raise LookupError(f"{definition} is not written out as one dict, tuple or list")


@lru_cache(maxsize=8)
def package_of(name: str, sources: Sources, opaque: tuple[str, ...]) -> Package:
    """The package of some files; what was parsed before is not parsed again."""
    return Package(name, dict(sources), opaque)


def read_sources(folder: Path) -> Sources:
    """The files of the package in a folder, as they are now."""
    files = [file.relative_to(folder) for file in sorted(folder.rglob("*.py"))]
    return tuple(
        (file.as_posix(), (folder / file).read_bytes())
        for file in files
        if all(part.isidentifier() for part in file.with_suffix("").parts)
    )
