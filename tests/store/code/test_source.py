"""A dotted path is followed to what it refers to."""

import ast

import pytest

from ntk_mnist.store.code.source import Definition, External, ModuleObject, Opaque, Package

PACKAGE = Package(
    "pack",
    {
        "__init__.py": b"from .a import f as g\n",
        "a.py": b"import jax.numpy as jnp\nfrom .inner import b\ndef f(): pass\n",
        "inner/b.py": b"from pack.a import *\nx = 1\nfrom .c import y\n",
        "inner/c.py": b"from .b import y\n",
        "lazy.py": b"def __getattr__(name): pass\n",
        "settings.py": b"A = 1\n",
        "store/shards.py": b"B = 1\n",
    },
    ("settings", "store"),
)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("jax.numpy.dot", (External("jax.numpy.dot"), ())),
        ("packs.a", (External("packs.a"), ())),
        ("pack", (ModuleObject(""), ())),
        ("pack.a", (ModuleObject("a"), ())),
        ("pack.inner", (ModuleObject("inner"), ())),
        ("pack.a.f", (Definition("a", "f"), ())),
        ("pack.a.f.cache.clear", (Definition("a", "f"), ("cache", "clear"))),
        ("pack.a.jnp.dot", (External("jax.numpy.dot"), ())),
        ("pack.g", (Definition("a", "f"), ())),
        ("pack.a.b.x", (Definition("inner.b", "x"), ())),
        ("pack.inner.b.f.name", (Definition("a", "f"), ("name",))),
        ("pack.inner.b.jnp.dot", (External("jax.numpy.dot"), ())),
        ("pack.lazy.any.name", (Definition("lazy", "__getattr__"), ("any", "name"))),
        ("pack.a.__name__", (ModuleObject("a"), ("__name__",))),
        ("pack.settings.A.b", (Opaque(), ())),
        ("pack.store.shards", (Opaque(), ())),
        # Each of the two imports it from the other.
        ("pack.inner.b.y", (ModuleObject("inner.b"), ("y",))),
    ],
)
def test_a_path_is_followed_through_modules_and_imports(path: str, target: object) -> None:
    assert PACKAGE.resolve(path) == target


def test_the_modules_on_a_path_are_imported() -> None:
    assert PACKAGE.imported_modules("pack.inner.b.x") == ["", "inner", "inner.b"]
    assert PACKAGE.imported_modules("pack.store.shards") == [""]
    assert PACKAGE.imported_modules("jax.numpy") == []


@pytest.mark.parametrize(
    ("source", "name", "statements"),
    [
        ("a, b = 1, 2", "a", ["a = 1"]),
        ("a, b = f()", "a", ["a, b = f()"]),
        ("a, b = b, a", "a", ["a, b = (b, a)"]),
        ("(a, *b) = 1, 2", "a", ["a, *b = (1, 2)"]),
        ("a.b, c = 1, 2", "c", ["a.b, c = (1, 2)"]),
        ("a = 1\na += 2\ndel b, a", "a", ["a = 1", "a += 2", "del b, a"]),
        ("if a: b = 1\nelse: b = 2", "b", ["if a:\n    b = 1\nelse:\n    b = 2"]),
        ("def f():\n  global a\n  a = 1", "a", []),
    ],
)
def test_a_definition_is_all_statements_at_the_top_that_bind_its_name(
    source: str, name: str, statements: list[str]
) -> None:
    module = Package("pack", {"m.py": source.encode()}, ()).module("m")
    assert [
        ast.unparse(statement).replace("(a, *b)", "a, *b") for statement in module.bound[name]
    ] == statements
