"""What code means: a syntax tree as tokens, without what does not count.

Left out are annotations, docstrings, formatting and the text of messages. Names are written as what
they refer to (``references``). Attributes, strings and the keywords of calls that cannot be
resolved keep their names.

Every token sequence can be read back in one way only: a node begins with its kind and has a fixed
number of children, or an end.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeAlias

from ntk_mnist.store.code.calling import OPAQUE_SIGNATURE, Signature, signature
from ntk_mnist.store.code.references import ReferenceWriter
from ntk_mnist.store.code.scopes import (
    Bindings,
    Function,
    Scope,
    Variable,
    bindings,
    executed,
    imported,
    parameters,
)
from ntk_mnist.store.code.source import Definition, External, Module, Opaque, Package, dotted
from ntk_mnist.store.code.tokens import Attribute, Keyword, Parameter, PassesNames, Runs, Text

__all__ = ["Writer"]

_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp

#: Fields of nodes that say nothing that their place does not say.
_NO_MEANING = {"ctx", "kind", "type_comment", "type_params"}
_BODIES = {"body", "finalbody", "orelse"}
#: Annotations that decide whether a name in a data class is a field.
_FIELD_KINDS = {"ClassVar", "InitVar", "KW_ONLY"}


class Writer(ReferenceWriter):
    """Writes the tokens of any syntax tree of one module; see :class:`ReferenceWriter`."""

    def __init__(self, package: Package, module: Module) -> None:
        super().__init__(package, module)
        self._in_message = self._in_class_body = False

    # Nodes in general.

    def node(self, node: ast.AST) -> None:
        """Write a node and all that is in it."""
        special = _SPECIAL.get(type(node).__name__)
        if special is not None:
            special(self, node)
        else:
            self._any_node(node)

    def _any_node(self, node: ast.AST) -> None:
        self.tokens.append(type(node).__name__)
        if not node._fields:
            return
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list) and field in _BODIES:
                value = executed(value)
            # Python versions differ in which empty fields there are.
            if field in _NO_MEANING or value in (None, [], 0):
                continue
            self.tokens.append(f".{field}")
            if isinstance(value, list):
                self.nodes(value)
            elif isinstance(value, ast.AST):
                self.node(value)
            else:
                self.tokens.append(ascii(value))
        self.tokens.append("end")

    def _subscript(self, node: ast.Subscript) -> None:
        if self.resolved(node.value) == (External("sys.modules"), ()):
            match node.slice:
                case ast.Constant(value=str(path)):
                    self.target(self.package.resolve(path), path)
                case _:
                    self.undecided_import()
        self._any_node(node)

    # Calls.

    def _call(self, node: ast.Call) -> None:
        if self.finds_by_text(node):
            return
        known = self._signature(node.func)
        self.tokens.append("Call")
        self.node(node.func)
        self.nodes(node.args)
        for keyword in node.keywords:
            if keyword.arg is not None:
                is_unresolved = known is None or not known.takes(keyword.arg)
                position = known.position(keyword.arg) if known is not None else None
                self.tokens.append(Keyword(keyword.arg, position, is_unresolved))
                if known is None and not self._in_message:
                    # As in ``static_argnames=("n",)``.
                    names = _strings(keyword.value)
                    is_computed = keyword.arg.endswith("argnames") and not names
                    self.tokens.append(PassesNames(None if is_computed else names))
            else:
                self.tokens.append("**")
                if known is not None:
                    self.tokens.append(PassesNames(known.parameters))
                elif node.args or not self._is_outside_call(node.func):
                    self.tokens.append(PassesNames(None))
            self.node(keyword.value)
        self.tokens.append("end")

    def _signature(self, function: ast.expr) -> Signature | None:
        """How a called expression takes keywords; None if that is not known."""
        match self.resolved(function):
            case Definition() as definition, ():
                return signature(self.package, definition)
            case Opaque(), _:
                return OPAQUE_SIGNATURE
        variable = self.find(function.id) if isinstance(function, ast.Name) else None
        if isinstance(variable, Variable) and variable.function is not None:
            return Signature(tuple(a.arg for a in parameters(variable.function.args)))
        return None

    def _is_outside_call(self, function: ast.expr) -> bool:
        """Whether a called expression, or that of which it is an attribute by text, is outside."""
        match function:
            case ast.Call(func=inner, args=[whose, _]) if self.builtin(inner) == "getattr":
                return self.is_outside(whose)
        return self.is_outside(function)

    # Constants and messages.

    def _constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.tokens.append("text" if self._in_message else Text(node.value))
        else:
            self.tokens.append(f"{type(node.value).__name__} {node.value!a}")

    def _joined_string(self, node: ast.JoinedStr) -> None:
        """An f-string; in a message, the values in it alone."""
        parts: list[ast.FormattedValue | str] = [""]
        for value in node.values:
            # Python versions differ in how they divide the text.
            if isinstance(value, ast.FormattedValue):
                parts += [value, ""]
            elif isinstance(value, ast.Constant):
                parts[-1] = f"{parts[-1]}{value.value!s}"
        self.tokens.append("text" if self._in_message else "f-string")
        for part in parts:
            if isinstance(part, ast.FormattedValue):
                self.tokens.append(f"value {part.conversion}")
                self.node(part.value)
                match part.format_spec:
                    case ast.JoinedStr(values=[_, *_]) as form:
                        self.node(form)
            elif part and not self._in_message:
                self.tokens.append(Text(part))
        if len(parts) > 1 or not self._in_message:
            self.tokens.append("end")

    def _message(self, nodes: Iterable[ast.AST | None]) -> None:
        before, self._in_message = self._in_message, True
        self.nodes(nodes)
        self._in_message = before

    def _raise(self, node: ast.Raise) -> None:
        self.tokens.append("Raise")
        self._message([node.exc, node.cause])

    def _assert(self, node: ast.Assert) -> None:
        self.tokens.append("Assert")
        self.node(node.test)
        self._message([node.msg])

    def _expression(self, node: ast.Expr) -> None:
        self.tokens.append("Expr")
        if isinstance(node.value, ast.Call) and (
            self.builtin(node.value.func) == "print"
            or self.resolved(node.value.func) == (External("warnings.warn"), ())
        ):
            self._message([node.value])
        else:
            self.node(node.value)

    # Statements that bind.

    def _assign(self, node: ast.Assign) -> None:
        self._assignment(node.targets, node.value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if self._in_class_body:
            annotation = node.annotation
            kind = annotation.value if isinstance(annotation, ast.Subscript) else annotation
            self.tokens += ["field", *_FIELD_KINDS.intersection((dotted(kind) or [""])[-1:])]
            self.nodes([node.target, node.value])
        elif node.value is not None:
            self._assignment([node.target], node.value)

    def _assignment(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        self.tokens.append("Assign")
        self.nodes(targets)
        self.tokens.append("=")
        self.node(value)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, path, runs in imported(node, self.module.home):
            self.tokens.append(Runs(runs))
            found = self.find(name)
            is_at_top = found is None and name in self.module.imports
            # Otherwise each use of the name is written as what it is bound to.
            if not (isinstance(found, str) or is_at_top or name == "*"):
                self.tokens.append("import")
                self.identifier(name)
                self.target(self.package.resolve(path), path)

    def _nothing(self, node: ast.AST) -> None:
        """Declarations of scope: the names themselves are written as what they refer to."""

    def _handler(self, node: ast.ExceptHandler) -> None:
        self.tokens.append("except")
        self.nodes([node.type])
        self._optional_name(node.name)
        self.nodes(executed(node.body))
        self.tokens.append("end")

    def _optional_name(self, name: str | None) -> None:
        if name is None:
            self.tokens.append("none")
        else:
            self.identifier(name)

    def _match_as(self, node: ast.MatchAs) -> None:
        self.tokens.append("MatchAs")
        self.nodes([node.pattern])
        self._optional_name(node.name)

    def _match_singleton(self, node: ast.MatchSingleton) -> None:
        self.tokens.append(f"MatchSingleton {node.value}")

    def _match_star(self, node: ast.MatchStar) -> None:
        self.tokens.append("MatchStar")
        self._optional_name(node.name)

    def _match_mapping(self, node: ast.MatchMapping) -> None:
        self.tokens.append("MatchMapping")
        self.nodes([*node.keys, *node.patterns])
        self.tokens.append("rest")
        self._optional_name(node.rest)
        self.tokens.append("end")

    def _match_class(self, node: ast.MatchClass) -> None:
        self.tokens.append("MatchClass")
        self.nodes([node.cls, *node.patterns])
        self.tokens += [Attribute(name, "read") for name in node.kwd_attrs]
        self.nodes(node.kwd_patterns)
        self.tokens.append("end")

    # Functions, classes and comprehensions.

    def _nested_function(self, node: Function) -> None:
        self.identifier(node.name)
        self.function(node)

    def function(self, node: Function | ast.Lambda) -> None:
        """Write a function without its name."""
        arguments, body = node.args, [node.body] if isinstance(node, ast.Lambda) else node.body
        found = bindings(body)
        named = [*parameters(arguments), *filter(None, [arguments.vararg, arguments.kwarg])]
        for argument in named:
            found.add(argument.arg, argument)
        self.tokens.append(type(node).__name__)
        if not isinstance(node, ast.Lambda):
            self.nodes(node.decorator_list)
            body = executed(node.body)
            _add_type_parameters(node, found)
        self.tokens.append("defaults")
        self.nodes([*arguments.defaults, *arguments.kw_defaults])
        with self._within(found):
            self.position = None
            by_name = {*map(id, arguments.args), *map(id, arguments.kwonlyargs)}
            for argument in named:
                variable = self.find(argument.arg)
                assert isinstance(variable, Variable), "a parameter is a variable of its function"
                self.tokens.append(Parameter(variable, id(argument) in by_name))
            counts = (len(arguments.posonlyargs), len(arguments.args), len(arguments.kwonlyargs))
            stars = (arguments.vararg is not None, arguments.kwarg is not None)
            self.tokens.append(f"parameters {counts} {stars}")
            self.nodes(body)
        self.tokens.append("end")

    def _nested_class(self, node: ast.ClassDef) -> None:
        self.identifier(node.name)
        before, self.fixed = self.fixed, bool(node.bases or node.decorator_list)
        self.class_body(node, with_methods=True)
        self.fixed = before

    def class_body(self, node: ast.ClassDef, with_methods: bool) -> None:
        """Write a class without its name."""
        self.tokens.append("class")
        self.nodes(node.decorator_list)
        self.tokens.append("bases")
        self.nodes(node.bases)
        for keyword in node.keywords:
            self.tokens.append(f"keyword {keyword.arg}")
            self.node(keyword.value)
        self.tokens.append("body")
        with self.within_class(node):
            fixed = self.fixed
            for statement in executed(node.body):
                if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                    # The fields of a data class are its parameters and its columns.
                    self.fixed = fixed or bool(node.bases or node.decorator_list)
                    self.node(statement)
                    self.fixed = fixed
                elif with_methods:
                    self._nested_function(statement)
        self.tokens.append("end")

    def within_class(self, node: ast.ClassDef) -> AbstractContextManager[None]:
        """Write in the body of a class."""
        found = bindings(node.body)
        _add_type_parameters(node, found)
        return self._within(found, is_class=True)

    @contextmanager
    def _within(self, found: Bindings, is_class: bool = False) -> Iterator[None]:
        """Write in a scope that binds these names."""
        outside = self.scope, self._in_class_body, self.position
        self.scope = Scope(self.scope, found, self.module.home, self.module.rebound, is_class)
        self._in_class_body = is_class
        yield
        self.scope, self._in_class_body, self.position = outside

    def _comprehension(self, node: _Comprehension) -> None:
        self.tokens.append(type(node).__name__)
        first, found = node.generators[0], Bindings()
        for generator in node.generators:
            for inner in ast.walk(generator.target):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    found.add(inner.id, inner)
        # This one is not in the comprehension's own scope.
        self.node(first.iter)
        with self._within(found):
            for generator in node.generators:
                self.tokens.append("async for" if generator.is_async else "for")
                self.node(generator.target)
                if generator is not first:
                    self.node(generator.iter)
                self.nodes(generator.ifs)
            self.tokens.append("of")
            self.nodes([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self.tokens.append("end")


def _add_type_parameters(node: ast.AST, found: Bindings) -> None:
    """Bind the names in ``def f[T]()`` and ``class C[T]``, which Python 3.11 does not have."""
    for parameter in getattr(node, "type_params", []):
        found.add(parameter.name, parameter)


def _strings(value: ast.expr) -> tuple[str, ...]:
    """The strings that an expression writes out, alone or in a tuple, list or set."""
    match value:
        case ast.Constant(value=str(text)):
            return (text,)
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return tuple(text for part in parts for text in _strings(part))
    return ()


_SPECIAL: dict[str, Callable[[Writer, Any], None]] = {
    "AnnAssign": Writer._annotated,
    "Assert": Writer._assert,
    "Assign": Writer._assign,
    "AsyncFunctionDef": Writer._nested_function,
    "Attribute": Writer.attribute,
    "Call": Writer._call,
    "ClassDef": Writer._nested_class,
    "Constant": Writer._constant,
    "DictComp": Writer._comprehension,
    "ExceptHandler": Writer._handler,
    "Expr": Writer._expression,
    "FunctionDef": Writer._nested_function,
    "GeneratorExp": Writer._comprehension,
    "Global": Writer._nothing,
    "Import": Writer._import,
    "ImportFrom": Writer._import,
    "JoinedStr": Writer._joined_string,
    "Lambda": Writer.function,
    "ListComp": Writer._comprehension,
    "MatchAs": Writer._match_as,
    "MatchClass": Writer._match_class,
    "MatchMapping": Writer._match_mapping,
    "MatchSingleton": Writer._match_singleton,
    "MatchStar": Writer._match_star,
    "Name": Writer.name,
    "Nonlocal": Writer._nothing,
    "Raise": Writer._raise,
    "SetComp": Writer._comprehension,
    "Subscript": Writer._subscript,
}
