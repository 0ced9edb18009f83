"""Which names a piece of code binds, where they are visible, and which of them are imports.

These are Python's own rules (Language Reference, 4.2 "Naming and binding"). A name that is bound
anywhere in a function is local to all of it, unless the function declares it ``global`` or
``nonlocal``. A comprehension has its own scope, but ``:=`` in it binds in the function around it.
The names of a class body are visible in that body and not in its methods.

Code that never runs in a computation binds nothing: blocks under ``if TYPE_CHECKING`` and
``if __name__ == "__main__"``, and statements without effect (``pass``, docstrings, constants).
"""

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

__all__ = [
    "Bindings",
    "Function",
    "Imported",
    "Member",
    "Scope",
    "Variable",
    "bindings",
    "executed",
    "imported",
    "parameters",
    "single_imports",
]

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def executed(body: Iterable[ast.stmt]) -> list[ast.stmt]:
    """The statements of a body that do something when a computation runs it."""
    statements: list[ast.stmt] = []
    for statement in body:
        match statement:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case ast.If(test=test, orelse=orelse) if _is_never_true(test):
                statements += executed(orelse)
            case ast.FunctionDef(
                decorator_list=[ast.Name(id="overload") | ast.Attribute(attr="overload")]
            ):
                # Declares types alone.
                pass
            case _:
                statements.append(statement)
    return statements


def _is_never_true(test: ast.expr) -> bool:
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
        case ast.Compare(
            left=ast.Name(id="__name__"),
            ops=[ast.Eq()],
            comparators=[ast.Constant(value="__main__")],
        ):
            return True
    return False


class Imported(NamedTuple):
    """One name that an import statement binds.

    Attributes:
        name: the name; ``*`` for ``from … import *``.
        path: absolute dotted path of what it is bound to.
        runs: absolute dotted path; each module on it is imported.
    """

    name: str
    path: str
    runs: str


def imported(node: ast.Import | ast.ImportFrom, home: str) -> list[Imported]:
    """The names that an import statement binds.

    Args:
        node: the statement.
        home: absolute dotted path of the package that relative imports start from.
    """
    if isinstance(node, ast.Import):
        # ``import a.b`` binds ``a``; ``import a.b as c`` binds ``c`` to ``a.b``.
        return [
            Imported(alias.asname, alias.name, alias.name)
            if alias.asname
            else Imported(alias.name.split(".")[0], alias.name.split(".")[0], alias.name)
            for alias in node.names
        ]
    parts = home.split(".")[: len(home.split(".")) - node.level + 1] if node.level else []
    base = ".".join([*parts, *filter(None, [node.module])])
    return [
        Imported(alias.asname or alias.name, f"{base}.{alias.name}", f"{base}.{alias.name}")
        for alias in node.names
    ]


@dataclass
class Bindings:
    """The names that some statements bind in their own scope.

    Attributes:
        names: by name, the nodes that bind it.
        global_names: declared ``global``.
        nonlocal_names: declared ``nonlocal``.
    """

    names: dict[str, list[ast.AST]] = field(default_factory=dict)
    global_names: set[str] = field(default_factory=set)
    nonlocal_names: set[str] = field(default_factory=set)

    def add(self, name: str | None, node: ast.AST) -> None:
        """Record that a node binds a name."""
        if name is not None:
            self.names.setdefault(name, []).append(node)


def bindings(nodes: Iterable[ast.AST | None]) -> Bindings:
    """The names that these statements or expressions bind in the scope that they are in."""
    found = Bindings()
    _collect(nodes, found, in_comprehension=False)
    return found


def _collect(nodes: Iterable[ast.AST | None], found: Bindings, in_comprehension: bool) -> None:
    for node in nodes:
        inner: Iterable[ast.AST | None] = ()
        match node:
            case None:
                pass
            case ast.Name(id=name, ctx=ctx):
                # Except by ``:=``, a comprehension binds its names in its own scope.
                if not isinstance(ctx, ast.Load) and not in_comprehension:
                    found.add(name, node)
            case ast.NamedExpr(target=target, value=value):
                found.add(target.id, node)
                inner = [value]
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.add(node.name, node)
                inner = [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]
            case ast.Lambda():
                inner = [*node.args.defaults, *node.args.kw_defaults]
            case ast.ClassDef():
                found.add(node.name, node)
                inner = [*node.decorator_list, *node.bases, *node.keywords]
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                _collect(ast.iter_child_nodes(node), found, in_comprehension=True)
            case ast.Import() | ast.ImportFrom():
                for name, _, _ in imported(node, ""):
                    if name != "*":
                        found.add(name, node)
            case ast.Global(names=names):
                found.global_names.update(names)
            case ast.Nonlocal(names=names):
                found.nonlocal_names.update(names)
            case ast.AnnAssign(target=target, value=value):
                inner = [target, value]
            case ast.If(test=test, body=body, orelse=orelse):
                inner = orelse if _is_never_true(test) else [test, *body, *orelse]
            case _:
                if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
                    found.add(node.name, node)
                elif isinstance(node, ast.MatchMapping):
                    found.add(node.rest, node)
                inner = ast.iter_child_nodes(node)
        _collect(inner, found, in_comprehension)


def single_imports(names: Mapping[str, Sequence[ast.AST]], home: str) -> dict[str, str]:
    """The absolute path of each name that imports alone bind, and all to the same path."""
    paths = {}
    for name, nodes in names.items():
        statements = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        targets = {
            binding.path
            for statement in statements
            for binding in imported(statement, home)
            if binding.name == name
        }
        if len(statements) == len(nodes) and len(targets) == 1:
            (paths[name],) = targets
    return paths


def parameters(arguments: ast.arguments) -> list[ast.arg]:
    """The parameters except ``*args`` and ``**kwargs``, in their order."""
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


@dataclass(eq=False)
class Variable:
    """A local variable; two variables of one name in two scopes are two values.

    Attributes:
        name: as written.
        function: the nested function that is its only value, if there is one.
    """

    name: str
    function: Function | None = None


class Member(NamedTuple):
    """A name that is bound in the class body that the code is in."""

    name: str


class Scope:
    """The names of one function, lambda, comprehension or class body, inside those around it.

    Args:
        parent: the scope around it; None if that is the module.
        found: the names that it binds.
        home: absolute dotted path of the package that relative imports start from.
        rebound: names that some function further inside declares ``nonlocal``.
        is_class: whether it is a class body.
    """

    def __init__(
        self,
        parent: "Scope | None",
        found: Bindings,
        home: str,
        rebound: Collection[str] = (),
        is_class: bool = False,
    ) -> None:
        self._parent, self._is_class, self._globals = parent, is_class, found.global_names
        outer = found.global_names | found.nonlocal_names
        own = {name: nodes for name, nodes in found.names.items() if name not in outer}
        constant = {name: nodes for name, nodes in own.items() if name not in rebound}
        self._imports = {} if is_class else single_imports(constant, home)
        self._variables = {
            name: Variable(name, _only_function(constant.get(name, ())))
            for name in own
            if name not in self._imports
        }

    def find(self, name: str) -> Variable | Member | str | None:
        """What a name means here.

        Returns:
            A variable, a member of the class body, the absolute path of an import, or None for a
            name of the module or a builtin.
        """
        if self._is_class and name in self._variables:
            return Member(name)
        return self.find_outside(name)

    def find_outside(self, name: str) -> Variable | str | None:
        """What a name means here, apart from the members of this class body."""
        if name in self._globals:
            return None
        scope: Scope | None = self
        while scope is not None:
            # Functions do not see the names of the class that they are in.
            if not scope._is_class:
                if name in scope._globals:
                    return None
                if name in scope._imports:
                    return scope._imports[name]
                if name in scope._variables:
                    return scope._variables[name]
            scope = scope._parent
        return None


def _only_function(nodes: Sequence[ast.AST]) -> Function | None:
    match nodes:
        case [ast.FunctionDef() | ast.AsyncFunctionDef() as function]:
            return None if function.decorator_list else function
    return None
