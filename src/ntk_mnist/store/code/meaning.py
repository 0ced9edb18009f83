"""What code means: a syntax tree as tokens, without what does not count.

Left out are annotations, docstrings, formatting and the text of messages. A name is not written as
it is but as what it refers to, so that renaming it changes nothing: a local variable, another
definition, a full dotted path outside of the package. Attributes, strings and the keywords of calls
that cannot be resolved keep their names.

Every token sequence can be read back in one way only: a node begins with its kind and has a fixed
number of children, or an end.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, TypeAlias

from ntk_mnist.store.code.calling import OPAQUE_SIGNATURE, Signature, signature
from ntk_mnist.store.code.scopes import (
    Bindings,
    Function,
    Member,
    Scope,
    Variable,
    bindings,
    executed,
    imported,
    parameters,
)
from ntk_mnist.store.code.source import (
    Definition,
    External,
    Module,
    ModuleObject,
    Opaque,
    Package,
    Target,
    dotted,
)
from ntk_mnist.store.code.tokens import (
    Attribute,
    Keyword,
    Local,
    Namespace,
    Parameter,
    PassesNames,
    ReadsAnyAttribute,
    Reference,
    Remainder,
    Runs,
    Text,
    Token,
)

__all__ = ["Writer"]

_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp

#: Builtins that find names of a module, attributes by a text, and all attributes.
_FIND_NAMES = {"eval", "exec", "globals", "locals"}
_FIND_ATTRIBUTE = {"delattr", "getattr", "hasattr", "setattr"}
_LIST_ATTRIBUTES = {"dir", "vars"}
#: Attributes that give all names of an object or module.
_LISTS = {"__dict__", "__getattribute__", "__globals__"}
_IMPORT = External("importlib.import_module")
_ATTRIBUTE_GETTERS = (External("operator.attrgetter"), External("operator.methodcaller"))
#: Fields of nodes that say nothing that their place does not say.
_NO_MEANING = {"ctx", "kind", "type_comment", "type_params"}
_BODIES = {"body", "finalbody", "orelse"}
#: Annotations that decide whether a name in a data class is a field.
_FIELD_KINDS = {"ClassVar", "InitVar", "KW_ONLY"}


class Writer:
    """Writes the tokens of syntax trees of one module.

    Args:
        package: that the module is in.
        module: of the trees.

    Attributes:
        tokens: what was written.
        fixed: whether the names of attributes that are bound here are used elsewhere.
        position: of the statement at the top of the module that is written; None in a function,
            which runs after all of them.
    """

    def __init__(self, package: Package, module: Module) -> None:
        self.package, self.module = package, module
        self.tokens: list[Token] = []
        self.fixed = False
        self.position: int | None = None
        self._scope: Scope | None = None
        self._in_message = self._in_class_body = False

    # Nodes in general.

    def node(self, node: ast.AST) -> None:
        """Write a node and all that is in it."""
        special = _SPECIAL.get(type(node).__name__)
        if special is not None:
            special(self, node)
        else:
            self._any_node(node)

    def _nodes(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is None:
                self.tokens.append("none")
            else:
                self.node(node)

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
                self._nodes(value)
            elif isinstance(value, ast.AST):
                self.node(value)
            else:
                self.tokens.append(ascii(value))
        self.tokens.append("end")

    # Names.

    def _find(self, name: str) -> Variable | Member | str | None:
        return self._scope.find(name) if self._scope is not None else None

    def _resolved(self, expression: ast.expr) -> Target | None:
        """What a name with attributes arrives at; None for a local, a builtin or anything else."""
        parts = dotted(expression)
        if parts is None:
            return None
        found = self._find(parts[0])
        if isinstance(found, str):
            return self.package.resolve(found, parts[1:])
        return self.package.look_up(self.module.name, parts) if found is None else None

    def _builtin(self, expression: ast.expr) -> str:
        """The name of a builtin; empty for anything else."""
        if isinstance(expression, ast.Name) and self._find(expression.id) is None:
            return "" if self._resolved(expression) is not None else expression.id
        return ""

    def _is_outside(self, expression: ast.expr) -> bool:
        """Whether an expression is something outside of the package, or opaque."""
        target = self._resolved(expression)
        return target is not None and isinstance(target[0], External | Opaque)

    def _name(self, node: ast.Name) -> None:
        self._identifier(node.id, is_read=isinstance(node.ctx, ast.Load))

    def _identifier(self, name: str, is_read: bool = False) -> None:
        found = self._find(name)
        if isinstance(found, Member):
            self.tokens += ["member", Attribute(name, "read" if is_read else self._bound)]
            # Before a class body binds a name, the name means what it means outside.
            around = self._scope.find_outside(name) if self._scope is not None else None
            if is_read and (around or self.package.look_up(self.module.name, [name])):
                self._meant(around, name)
            self.tokens.append("end")
        else:
            self._meant(found, name)

    def _meant(self, found: Variable | str | None, name: str) -> None:
        if isinstance(found, Variable):
            self.tokens.append(Local(found))
        elif found is not None:
            self.target(self.package.resolve(found), name)
        else:
            self.target(self.package.look_up(self.module.name, [name]), name)

    @property
    def _bound(self) -> Literal["bound", "fixed"]:
        return "fixed" if self.fixed else "bound"

    def target(self, target: Target | None, name: str) -> None:
        """Write what a name arrived at; None for the builtin of that name."""
        match target:
            case None:
                self.tokens.append(f"builtin {name}")
                if name == "__import__":
                    self._undecided_import()
                elif name in _FIND_NAMES | _FIND_ATTRIBUTE | _LIST_ATTRIBUTES:
                    self._undecided(by_name=name in _FIND_NAMES)
            case Opaque(), _:
                self.tokens.append("opaque")
            case External(path=path), _:
                self.tokens.append(f"external {path}")
                if target[0] == _IMPORT:
                    self._undecided_import()
            case Definition() as definition, attributes:
                for attribute in reversed(attributes):
                    self.tokens += ["Attribute", Attribute(attribute, "read")]
                self.tokens.append(Reference(definition))
                self._note_position(definition)
                if _LISTS & {*attributes}:
                    self._undecided(by_name=True)
            case ModuleObject(module=module), ():
                self.tokens.append(Reference(Namespace(module)))
                if module != self.module.name:
                    self._undecided(listed=False, reads=False)
            case ModuleObject(module=module), attributes:
                self.tokens.append(f"attribute of a module: {'.'.join(attributes)}")
                if _LISTS & {*attributes}:
                    self.tokens.append(Reference(Namespace(module)))

    def _note_position(self, definition: Definition) -> None:
        """Of a name that is bound several times, write which of its values is read."""
        if self.position is not None and definition.module == self.module.name:
            binders = self.package.statements(definition)
            if len(binders) > 1:
                before = self.module.statements[: self.position]
                self.tokens.append(f"binding {sum(statement in before for statement in binders)}")

    def _attribute(self, node: ast.Attribute) -> None:
        target = self._resolved(node)
        if target is not None:
            self.target(target, node.attr)
            return
        is_read = isinstance(node.ctx, ast.Load)
        self.tokens += ["Attribute", Attribute(node.attr, "read" if is_read else self._bound)]
        self.node(node.value)
        if node.attr in _LISTS:
            self._undecided(by_name=node.attr == "__globals__")

    # What cannot be decided by reading.

    def _undecided(self, by_name: bool = False, listed: bool = True, reads: bool = True) -> None:
        """Count all of this module.

        Args:
            by_name: whether code may ask for its definitions by their names.
            listed: whether code may ask for all attributes that there are.
            reads: whether it reads attributes at all.
        """
        name = self.module.name
        self.tokens.append(Reference(Namespace(name) if by_name else Remainder(name)))
        if reads:
            self.tokens.append(ReadsAnyAttribute(listed))

    def _undecided_import(self) -> None:
        """Count all modules: any of them may be imported here."""
        self.tokens += [Reference(Namespace(name)) for name in sorted(self.package.modules())]

    def _finds_by_text(self, node: ast.Call) -> bool:
        """Write a call that finds something by a text, if it is decided what; whether it was."""
        builtin, target = self._builtin(node.func), self._resolved(node.func)
        if builtin == "__import__" or (target is not None and target[0] == _IMPORT):
            match node.args:
                case [ast.Constant(value=str(path)), *_] if not path.startswith("."):
                    self.tokens += ["import", Runs(path)]
                    self.target(self.package.resolve(path), path)
                    return True
        elif builtin in _FIND_ATTRIBUTE and len(node.args) > 1 and not node.keywords:
            self._finds_attribute(builtin, *node.args)
            return True
        elif builtin in _LIST_ATTRIBUTES and len(node.args) == 1 and self._is_outside(node.args[0]):
            self.tokens.append(builtin)
            self.node(node.args[0])
            return True
        elif target is not None and target[0] in _ATTRIBUTE_GETTERS:
            for argument in node.args:
                match argument:
                    case ast.Constant(value=str(path)):
                        self.tokens += [Attribute(name, "read") for name in path.split(".")]
                    case _:
                        self._undecided(listed=False)
        return False

    def _finds_attribute(
        self, builtin: str, whose: ast.expr, which: ast.expr, *others: ast.expr
    ) -> None:
        self.tokens.append(builtin)
        match which:
            case ast.Constant(value=str(name)):
                context = ast.Store() if builtin == "setattr" else ast.Load()
                self.node(ast.Attribute(value=whose, attr=name, ctx=context))
            case _:
                self._nodes([whose, which])
                if not self._is_outside(whose):
                    # To bind an attribute, or to ask whether there is one, does not read it.
                    self._undecided(listed=False, reads=builtin == "getattr")
        self._nodes(others)
        self.tokens.append("end")

    def _subscript(self, node: ast.Subscript) -> None:
        if self._resolved(node.value) == (External("sys.modules"), ()):
            match node.slice:
                case ast.Constant(value=str(path)):
                    self.target(self.package.resolve(path), path)
                case _:
                    self._undecided_import()
        self._any_node(node)

    # Calls.

    def _call(self, node: ast.Call) -> None:
        if self._finds_by_text(node):
            return
        known = self._signature(node.func)
        self.tokens.append("Call")
        self.node(node.func)
        self._nodes(node.args)
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
        match self._resolved(function):
            case Definition() as definition, ():
                return signature(self.package, definition)
            case Opaque(), _:
                return OPAQUE_SIGNATURE
        variable = self._find(function.id) if isinstance(function, ast.Name) else None
        if isinstance(variable, Variable) and variable.function is not None:
            return Signature(tuple(a.arg for a in parameters(variable.function.args)))
        return None

    def _is_outside_call(self, function: ast.expr) -> bool:
        """Whether a called expression, or that of which it is an attribute by text, is outside."""
        match function:
            case ast.Call(func=inner, args=[whose, _]) if self._builtin(inner) == "getattr":
                return self._is_outside(whose)
        return self._is_outside(function)

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
        self._nodes(nodes)
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
            self._builtin(node.value.func) == "print"
            or self._resolved(node.value.func) == (External("warnings.warn"), ())
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
            self._nodes([node.target, node.value])
        elif node.value is not None:
            self._assignment([node.target], node.value)

    def _assignment(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        self.tokens.append("Assign")
        self._nodes(targets)
        self.tokens.append("=")
        self.node(value)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, path, runs in imported(node, self.module.home):
            self.tokens.append(Runs(runs))
            found = self._find(name)
            is_at_top = found is None and name in self.module.imports
            # Otherwise each use of the name is written as what it is bound to.
            if not (isinstance(found, str) or is_at_top or name == "*"):
                self.tokens.append("import")
                self._identifier(name)
                self.target(self.package.resolve(path), path)

    def _nothing(self, node: ast.AST) -> None:
        """Declarations of scope: the names themselves are written as what they refer to."""

    def _handler(self, node: ast.ExceptHandler) -> None:
        self.tokens.append("except")
        self._nodes([node.type])
        self._optional_name(node.name)
        self._nodes(executed(node.body))
        self.tokens.append("end")

    def _optional_name(self, name: str | None) -> None:
        if name is None:
            self.tokens.append("none")
        else:
            self._identifier(name)

    def _match_as(self, node: ast.MatchAs) -> None:
        self.tokens.append("MatchAs")
        self._nodes([node.pattern])
        self._optional_name(node.name)

    def _match_singleton(self, node: ast.MatchSingleton) -> None:
        self.tokens.append(f"MatchSingleton {node.value}")

    def _match_star(self, node: ast.MatchStar) -> None:
        self.tokens.append("MatchStar")
        self._optional_name(node.name)

    def _match_mapping(self, node: ast.MatchMapping) -> None:
        self.tokens.append("MatchMapping")
        self._nodes([*node.keys, *node.patterns])
        self.tokens.append("rest")
        self._optional_name(node.rest)
        self.tokens.append("end")

    def _match_class(self, node: ast.MatchClass) -> None:
        self.tokens.append("MatchClass")
        self._nodes([node.cls, *node.patterns])
        self.tokens += [Attribute(name, "read") for name in node.kwd_attrs]
        self._nodes(node.kwd_patterns)
        self.tokens.append("end")

    # Functions, classes and comprehensions.

    def _nested_function(self, node: Function) -> None:
        self._identifier(node.name)
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
            self._nodes(node.decorator_list)
            body = executed(node.body)
            _add_type_parameters(node, found)
        self.tokens.append("defaults")
        self._nodes([*arguments.defaults, *arguments.kw_defaults])
        with self._within(found):
            self.position = None
            by_name = {*map(id, arguments.args), *map(id, arguments.kwonlyargs)}
            for argument in named:
                variable = self._find(argument.arg)
                assert isinstance(variable, Variable), "a parameter is a variable of its function"
                self.tokens.append(Parameter(variable, id(argument) in by_name))
            counts = (len(arguments.posonlyargs), len(arguments.args), len(arguments.kwonlyargs))
            stars = (arguments.vararg is not None, arguments.kwarg is not None)
            self.tokens.append(f"parameters {counts} {stars}")
            self._nodes(body)
        self.tokens.append("end")

    def _nested_class(self, node: ast.ClassDef) -> None:
        self._identifier(node.name)
        before, self.fixed = self.fixed, bool(node.bases or node.decorator_list)
        self.class_body(node, with_methods=True)
        self.fixed = before

    def class_body(self, node: ast.ClassDef, with_methods: bool) -> None:
        """Write a class without its name."""
        self.tokens.append("class")
        self._nodes(node.decorator_list)
        self.tokens.append("bases")
        self._nodes(node.bases)
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
        outside = self._scope, self._in_class_body, self.position
        self._scope = Scope(self._scope, found, self.module.home, self.module.rebound, is_class)
        self._in_class_body = is_class
        yield
        self._scope, self._in_class_body, self.position = outside

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
                self._nodes(generator.ifs)
            self.tokens.append("of")
            self._nodes([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
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
    "Attribute": Writer._attribute,
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
    "Name": Writer._name,
    "Nonlocal": Writer._nothing,
    "Raise": Writer._raise,
    "SetComp": Writer._comprehension,
    "Subscript": Writer._subscript,
}
