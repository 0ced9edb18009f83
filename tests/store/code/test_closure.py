"""Random edits of the real package: renaming and reordering change nothing, mutations do.

The edits are made in another way than the digests are: a name is renamed by its text, wherever
that is safe, and not by scopes.
"""

import ast
import builtins
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import EllipsisType
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ntk_mnist
from ntk_mnist.store.code_digest import Code, code_of

PACKAGE = Path(ntk_mnist.__file__).parent
ENTRIES = ("networks.training.Trainer", "data.inputs.load", "kernels.gram.gram")
CHOICES = (("architecture.ACTIVATIONS", "relu"),)

Trees: TypeAlias = dict[str, ast.Module]
Edit: TypeAlias = Callable[[Trees], None]
Draw: TypeAlias = Callable[[Sequence[Any]], Any]


class Copy:
    """A copy of the package. The modules that are reached can be edited, and are restored."""

    def __init__(self, folder: Path) -> None:
        ignored = shutil.ignore_patterns("__pycache__")
        self.folder = Path(shutil.copytree(PACKAGE, folder / "ntk_mnist", ignore=ignored))
        self.code = self._code()
        modules = {name.rpartition(".")[0] for name in self.code.definitions if " " not in name}
        self._texts = {name: self._file(name).read_text() for name in sorted(modules - {""})}

    def tree(self, module: str) -> ast.Module:
        """The original syntax tree of a module."""
        return ast.parse(self._texts[module])

    def trees(self) -> Trees:
        """The original syntax trees of all modules that are reached."""
        return {module: self.tree(module) for module in self._texts}

    def code_after(self, trees: Trees) -> Code:
        """The code with edited trees."""
        for module, tree in trees.items():
            self._file(module).write_text(ast.unparse(tree))
        code = self._code()
        for module in trees:
            self._file(module).write_text(self._texts[module])
        return code

    def _file(self, module: str) -> Path:
        return self.folder.joinpath(*module.split(".")).with_suffix(".py")

    def _code(self) -> Code:
        code_of.cache_clear()
        return code_of(ENTRIES, CHOICES, package=self.folder)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def edits(copy: Copy) -> dict[str, list[Edit]]:
    """Edits of each kind that change no result."""
    trees = copy.trees()
    return {
        "variables": list(renamed_variables(trees)),
        "definitions": list(renamed_definitions(trees)),
        "private attributes": list(renamed_attributes(trees)),
        "order": list(reordered(trees)),
        "writing": list(rewritten(trees)),
    }


def nodes(trees: Trees, *kinds: type[ast.AST]) -> list[Any]:
    """All nodes of these kinds."""
    return [n for tree in trees.values() for n in ast.walk(tree) if isinstance(n, kinds)]


def at(trees: Trees, module: str, original: Any) -> Any:
    """The node of these trees where another one is in the original."""
    (found,) = (
        node
        for node in nodes({module: trees[module]}, type(original))
        if (node.lineno, node.col_offset) == (original.lineno, original.col_offset)
    )
    return found


def rename(tree: ast.AST, old: str, new: str, **fields: str) -> None:
    """Replace a name in the fields of nodes: ``Name="id"``."""
    for node in ast.walk(tree):
        field = fields.get(type(node).__name__)
        if field is not None and getattr(node, field) == old:
            setattr(node, field, new)


def bound_in(tree: ast.AST) -> set[str]:
    """The names that are assigned in a tree, and its parameters and functions."""
    found = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n is not tree}
    found |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    return found | {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)
    }


def imported_in(tree: ast.AST) -> set[str]:
    return {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def names_at_top(tree: ast.Module) -> set[str]:
    """The names that the statements at the top of a module define."""
    plain = [n for n in tree.body if not isinstance(n, ast.FunctionDef | ast.ClassDef)]
    defined = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    return defined.union(*map(bound_in, plain))


def renamed_variables(trees: Trees) -> Iterator[Edit]:
    """Rename a local variable or parameter of a function, with the calls that pass it by name."""
    keywords = nodes(trees, ast.keyword)
    passed = Counter(k.arg for k in keywords)
    # As ``static_argnames``.
    named = {c.value for k in keywords for c in ast.walk(k.value) if isinstance(c, ast.Constant)}
    calls = [c for c in nodes(trees, ast.Call) if isinstance(c.func, ast.Name | ast.Attribute)]
    for module, tree in trees.items():
        taken = names_at_top(tree) | imported_in(tree) | set(vars(builtins)) | named
        for function in tree.body:
            if isinstance(function, ast.FunctionDef):
                own = [c for c in calls if ast.unparse(c.func).split(".")[-1] == function.name]
                own_passed = Counter(k.arg for call in own for k in call.keywords)
                for name in sorted(bound_in(function) - taken):
                    # In another call, the keyword may name the parameter of any function.
                    if passed[name] == own_passed[name]:
                        yield partial(rename_variable, module, function, name)


def rename_variable(module: str, original: ast.FunctionDef, name: str, trees: Trees) -> None:
    function, new = at(trees, module, original), f"{name}_0"
    for inner in (function.args, *function.body):
        rename(inner, name, new, Name="id", arg="arg", FunctionDef="name", ExceptHandler="name")
    for tree in trees.values():
        rename(tree, name, new, keyword="arg")


def renamed_definitions(trees: Trees) -> Iterator[Edit]:
    """Rename a function, class or constant at the top of a module, wherever it is used."""
    # These may be the same name of something else.
    others = {n.attr for n in nodes(trees, ast.Attribute)}
    others |= {n.arg for n in nodes(trees, ast.keyword)}
    others |= {name for f in nodes(trees, ast.FunctionDef, ast.Lambda) for name in bound_in(f)}
    entries = {name.rpartition(".")[2] for name in (*ENTRIES, *dict(CHOICES))}
    for module, tree in trees.items():
        for name in sorted(names_at_top(tree) - others - entries - {"__all__"}):
            yield partial(rename_definition, module, name)


def rename_definition(module: str, name: str, trees: Trees) -> None:
    new = f"{name}_1"
    rename(trees[module], name, new, Name="id", FunctionDef="name", ClassDef="name")
    for node in nodes(trees, ast.ImportFrom):
        if node.module == f"ntk_mnist.{module}":
            for alias in node.names:
                if alias.name == name:
                    alias.name, alias.asname = new, alias.asname or name


def renamed_attributes(trees: Trees) -> Iterator[Edit]:
    """Rename a private attribute or method everywhere."""
    plain = {"": ast.Module([c for c in nodes(trees, ast.ClassDef) if not c.bases], [])}
    bound = {n.name for n in nodes(plain, ast.FunctionDef)}
    bound |= {n.attr for n in nodes(plain, ast.Attribute) if isinstance(n.ctx, ast.Store)}
    fields = {n.target.id for n in nodes(trees, ast.AnnAssign) if isinstance(n.target, ast.Name)}
    at_top = {name for tree in trees.values() for name in names_at_top(tree)}
    for name in sorted(bound - fields - at_top):
        if name.startswith("_") and not name.endswith("_"):
            yield partial(rename_attribute, name)


def rename_attribute(name: str, trees: Trees) -> None:
    for tree in trees.values():
        rename(tree, name, f"_0{name}", Attribute="attr", FunctionDef="name")


def reordered(trees: Trees) -> Iterator[Edit]:
    """Reverse the definitions or imports of a module, or the methods of a class."""
    for module, tree in trees.items():
        yield partial(reverse, module, None, (ast.FunctionDef, ast.ClassDef))
        yield partial(reverse, module, None, (ast.Import, ast.ImportFrom))
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                yield partial(reverse, module, node, (ast.FunctionDef,))


def reverse(
    module: str, class_: ast.ClassDef | None, kinds: tuple[type[ast.AST], ...], trees: Trees
) -> None:
    body = trees[module].body if class_ is None else at(trees, module, class_).body
    places = [i for i, node in enumerate(body) if isinstance(node, kinds)]
    for i, node in zip(reversed(places), [body[i] for i in places], strict=True):
        body[i] = node


def rewritten(trees: Trees) -> Iterator[Edit]:
    """Drop annotations and docstring of a function. Comments go with writing any tree."""
    for module, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                yield partial(rewrite, module, node)


def rewrite(module: str, original: ast.FunctionDef, trees: Trees) -> None:
    function = at(trees, module, original)
    function.returns = None
    for argument in (n for n in ast.walk(function.args) if isinstance(n, ast.arg)):
        argument.annotation = None
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:] or [ast.Pass()]


def test_there_are_edits_of_each_kind(edits: dict[str, list[Edit]]) -> None:
    assert min(map(len, edits.values())) > 5


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_renaming_reordering_and_rewriting_change_no_digest(
    copy: Copy, edits: dict[str, list[Edit]], data: st.DataObject
) -> None:
    trees = copy.trees()
    for kind, of_kind in edits.items():
        # Edits of one kind are of different names.
        indices = st.lists(st.integers(0, len(of_kind) - 1), max_size=5, unique=True)
        for i in data.draw(indices, label=kind):
            of_kind[i](trees)
    assert copy.code_after(trees).digest == copy.code.digest


def counted(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes in a function that count: no annotations, docstrings and messages."""
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not (
                field in ("annotation", "returns")
                or isinstance(child, ast.Raise | ast.Assert)
                or is_text(child)
            ):
                yield child
                yield from counted(child)


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def change_constant(function: ast.FunctionDef, draw: Draw) -> None:
    constant = draw([n for n in counted(function) if isinstance(n, ast.Constant)])
    match constant.value:
        case bool() | None | EllipsisType():
            constant.value = 5
        case str():
            constant.value += "x"
        case _:
            constant.value = constant.value * 2 + 1


def change_operator(function: ast.FunctionDef, draw: Draw) -> None:
    operation = draw([n for n in counted(function) if isinstance(n, ast.BinOp | ast.AugAssign)])
    operators = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.MatMult)
    operation.op = draw([kind for kind in operators if not isinstance(operation.op, kind)])()


def swap_operands(function: ast.FunctionDef, draw: Draw) -> None:
    operations = [n for n in counted(function) if isinstance(n, ast.BinOp)]
    operation = draw([n for n in operations if ast.dump(n.left) != ast.dump(n.right)])
    operation.left, operation.right = operation.right, operation.left


def drop_statement(function: ast.FunctionDef, draw: Draw) -> None:
    bodies = [getattr(node, "body", None) for node in (function, *counted(function))]
    body, i = draw(
        [
            (body, i)
            for body in bodies
            if isinstance(body, list)
            for i, statement in enumerate(body)
            if not is_text(statement) and not isinstance(statement, ast.Import | ast.ImportFrom)
        ]
    )
    body[i] = ast.Pass()


def use_another_name(function: ast.FunctionDef, draw: Draw) -> None:
    names = [
        n for n in counted(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    ]
    name = draw(names)
    name.id = draw(sorted({other.id for other in names} - {name.id}))


MUTATIONS = (change_constant, change_operator, swap_operands, drop_statement, use_another_name)


@pytest.fixture(scope="module")
def functions(copy: Copy) -> list[tuple[str, str]]:
    """The module and name of each reached function."""
    return [
        (module, node.name)
        for module, tree in copy.trees().items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and f"{module}.{node.name}" in copy.code.definitions
    ]


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_a_mutation_of_reached_code_changes_the_digest(
    copy: Copy, functions: list[tuple[str, str]], data: st.DataObject
) -> None:
    module, name = data.draw(st.sampled_from(functions))
    tree = copy.tree(module)
    (function,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
    mutation = data.draw(st.sampled_from(MUTATIONS))

    def draw(choices: Sequence[Any]) -> Any:
        return data.draw(st.sampled_from(choices) if choices else st.nothing())

    mutation(function, draw)
    assert copy.code_after({module: tree}).digest != copy.code.digest
