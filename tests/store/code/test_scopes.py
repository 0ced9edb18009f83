"""Names are bound, and seen, where Python's own rules say."""

import ast
import symtable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntk_mnist.store.code.scopes import (
    Member,
    Scope,
    Variable,
    bindings,
    executed,
    imported,
    single_imports,
)


def statements(source: str) -> list[ast.stmt]:
    return ast.parse(source).body


def test_only_what_runs_is_executed() -> None:
    source = "'text'\npass\n...\nif TYPE_CHECKING: a\nelse: b\nif __name__ == '__main__': c\nd"
    assert [ast.unparse(s) for s in executed(statements(source))] == ["b", "d"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import a.b", [("a", "a", "a.b")]),
        ("import a.b as c", [("c", "a.b", "a.b")]),
        ("from a import b as c, d", [("c", "a.b", "a.b"), ("d", "a.d", "a.d")]),
        ("from . import b", [("b", "p.q.b", "p.q.b")]),
        ("from .a import b", [("b", "p.q.a.b", "p.q.a.b")]),
        ("from ..a import b", [("b", "p.a.b", "p.a.b")]),
        ("from a import *", [("*", "a.*", "a.*")]),
    ],
)
def test_imports_bind_absolute_paths(source: str, found: list[tuple[str, str, str]]) -> None:
    (node,) = statements(source)
    assert isinstance(node, ast.Import | ast.ImportFrom)
    assert imported(node, "p.q") == found


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("import a.b\nimport a.c", {"a": "a"}),
        ("if x: import a\nelse: import b as a", {}),
        ("try: import a\nexcept ImportError: a = None", {}),
        ("import a\ndel a", {}),
    ],
)
def test_a_name_is_an_import_if_it_is_one_alone(source: str, paths: dict[str, str]) -> None:
    assert single_imports(bindings(statements(source)).names, "") == paths


#: What can bind a name, or not.
PIECES = (
    *("{0} = 1", "{0} += 1", "{0}: int", "({0}, *{1}) = {2}", "{0}.{1} = 1", "{0}[{1}] = 1"),
    *("for {0} in {1}: pass", "with {1} as {0}: pass", "del {0}", "print({0})", "global {2}"),
    *("import {0}", "import {0}.{1} as {2}", "from {0} import {1}", "x = [{0} for {0} in {1}]"),
    *("x = [{1} for {1} in {2} if ({0} := {1})]", "x = lambda {0}: {1}", "if ({0} := {1}): pass"),
    *("def {0}({1}={2}): {2} = 1", "class {0}({1}): {2} = 1", "@{1}\ndef {0}(): pass"),
    *("try: pass\nexcept E as {0}: pass", "def {0}():\n nonlocal {2}"),
    *("match {2}:\n case [{0}, *{1}]: pass", "match {2}:\n case {{'k': {0}, **{1}}}: pass"),
    *("match {2}:\n case K(k={0}) as {1}: pass",),
)
NAMES = st.sampled_from(["a", "b", "c"])


@given(st.lists(st.tuples(st.sampled_from(PIECES), NAMES, NAMES, NAMES), min_size=1, max_size=5))
def test_the_compiler_finds_the_same_names(parts: list[tuple[str, str, str, str]]) -> None:
    body = "\n".join(piece.format(*names) for piece, *names in parts)
    inner = "def function():\n" + "\n".join(f"  {line}" for line in body.splitlines())
    source = "def outer(a, b, c):\n" + "\n".join(f" {line}" for line in inner.splitlines())
    try:
        table = symtable.symtable(source, "source", "exec")
    except SyntaxError:
        return
    (outer,) = table.get_children()
    (function,) = outer.get_children()
    expected = {symbol.get_name() for symbol in function.get_symbols() if symbol.is_local()}
    (tree,) = statements(source)
    assert isinstance(tree, ast.FunctionDef)
    (node,) = tree.body
    assert isinstance(node, ast.FunctionDef)
    found = bindings(node.body)
    assert set(found.names) - found.global_names - found.nonlocal_names == expected


def test_names_are_seen_from_inside_and_not_through_a_class() -> None:
    function = Scope(None, bindings(statements("import m.n as i\nx = 1\ny = 1")), "")
    class_ = Scope(function, bindings(statements("x = 2\nz = 2")), "", is_class=True)
    method = Scope(class_, bindings(statements("global y\ny = 3")), "")
    assert class_.find("x") == Member("x")
    assert class_.find("i") == "m.n"
    assert method.find("x") is function.find("x") is class_.find_outside("x")
    assert isinstance(method.find("x"), Variable)
    assert method.find("y") is None
    assert method.find("z") is None


def test_a_nested_function_is_known_if_nothing_else_has_its_name() -> None:
    def function_of(source: str, *rebound: str) -> object:
        found = Scope(None, bindings(statements(source)), "", rebound).find("g")
        assert isinstance(found, Variable)
        return found.function

    assert isinstance(function_of("def g(): pass"), ast.FunctionDef)
    assert function_of("def g(): pass\ng = 1") is None
    assert function_of("@cache\ndef g(): pass") is None
    assert function_of("def g(): pass", "g") is None
