"""The tokens of each kind of part: a definition, a method, what a module does or contains."""

import ast
from functools import lru_cache

from ntk_mnist.store.code.calling import is_open, may_register, methods
from ntk_mnist.store.code.meaning import Writer
from ntk_mnist.store.code.source import Definition, ModuleObject, Package
from ntk_mnist.store.code.tokens import (
    Attribute,
    Effects,
    Method,
    Namespace,
    Part,
    Reference,
    Remainder,
    Token,
    digest_of,
    module_of,
    rendered,
    unnamed,
)

__all__ = ["chosen_entries", "rank", "tokens_of"]


@lru_cache(maxsize=8192)
def tokens_of(package: Package, part: Part) -> list[Token]:
    """The meaning of one part of a package."""
    writer = Writer(package, package.module(module_of(part)))
    match part:
        case Definition():
            _write_definition(writer, part)
        case Method():
            _write_method(writer, part)
        case Effects():
            _write_effects(writer)
        case Namespace():
            _write_namespace(writer)
        case Remainder():
            names = set(writer.module.bound) - set(writer.module.imports) - {"__all__"}
            own = [Definition(part.module, name) for name in sorted(names)]
            own.sort(key=lambda definition: rank(package, definition))
            writer.tokens += [Reference(definition) for definition in own]
    return writer.tokens


def rank(package: Package, part: Part) -> str:
    """Sorts parts by their meaning, independently of names that may be changed."""
    return digest_of(rendered(tokens_of(package, part), unnamed))


def _write_definition(writer: Writer, definition: Definition) -> None:
    package = writer.package
    function, class_ = package.function(definition), package.class_of(definition)
    if class_ is not None:
        writer.fixed = is_open(package, definition)
    for statement in package.statements(definition):
        writer.position = writer.module.statements.index(statement)
        if function is not None:
            writer.function(function)
        elif class_ is not None:
            writer.class_body(class_, with_methods=False)
        else:
            writer.node(statement)


def chosen_entries(package: Package, registry: Definition, keys: frozenset[str]) -> list[Token]:
    """The meaning of a registry, of whose entries only those with these keys count."""

    def is_chosen(key: ast.expr | None) -> bool:
        # An entry whose key is not written out may be the one in use.
        return not isinstance(key, ast.Constant) or key.value in keys

    writer = Writer(package, package.module(registry.module))
    value = package.registry(registry)
    chosen: ast.expr
    if isinstance(value, ast.Dict):
        entries = [(k, v) for k, v in zip(value.keys, value.values, strict=True) if is_chosen(k)]
        chosen = ast.Dict(keys=[k for k, _ in entries], values=[v for _, v in entries])
    else:
        chosen = type(value)(elts=list(filter(is_chosen, value.elts)), ctx=ast.Load())
    writer.node(ast.Assign(targets=[ast.Name(registry.name, ast.Store())], value=chosen))
    return writer.tokens


def _write_method(writer: Writer, method: Method) -> None:
    class_ = writer.package.class_of(method.owner)
    assert class_ is not None, "only a class has methods"
    writer.fixed = is_open(writer.package, method.owner)
    writer.position = writer.module.statements.index(class_)
    writer.tokens.append(Attribute(method.name, "fixed" if writer.fixed else "bound"))
    with writer.within_class(class_):
        for function in methods(class_)[method.name]:
            writer.function(function)


def _write_effects(writer: Writer) -> None:
    module = writer.module
    for position, statement in enumerate(module.statements):
        writer.position = position
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="__all__")))):
                pass
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                definition = Definition(module.name, statement.name)
                if may_register(writer.package, definition):
                    writer.tokens += ["registers", Reference(definition)]
            case _ if statement in module.effects:
                writer.node(statement)


def _write_namespace(writer: Writer) -> None:
    package, module = writer.package, writer.module
    for name in sorted(set(module.bound) - {"__all__"}):
        writer.tokens.append(f"name {name}")
        writer.target(package.look_up(module.name, [name]), name)
    for star in sorted(module.stars):
        writer.tokens.append("star")
        target = package.resolve(star)
        match target:
            # Here it decides which names there are.
            case ModuleObject(module=other), () if "__all__" in package.module(other).bound:
                writer.tokens.append(Reference(Definition(other, "__all__")))
        writer.target(target, star)
    for inner in sorted(package.submodules(module.name)):
        writer.tokens += [f"name {inner.rpartition('.')[2]}", Reference(Namespace(inner))]
