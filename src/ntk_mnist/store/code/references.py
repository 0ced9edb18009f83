"""What the names in code refer to, and where that cannot be decided by reading.

A name is written as what it refers to, so that renaming it changes nothing: a local variable,
another definition, a full dotted path outside of the package.

Code that finds something by a text which it computes may use any of the definitions of its module,
and any method. Then all of these count. Where the text is written out, it is a name like others.
"""

import ast
from collections.abc import Iterable
from typing import Literal

from ntk_mnist.store.code.scopes import Member, Scope, Variable
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
    Local,
    Namespace,
    ReadsAnyAttribute,
    Reference,
    Remainder,
    Runs,
    Token,
)

__all__ = ["ReferenceWriter"]

#: Builtins that find names of a module, attributes by a text, and all attributes.
_FIND_NAMES = {"eval", "exec", "globals", "locals"}
_FIND_ATTRIBUTE = {"delattr", "getattr", "hasattr", "setattr"}
_LIST_ATTRIBUTES = {"dir", "vars"}
#: Attributes that give all names of an object or module.
_LISTS = {"__dict__", "__getattribute__", "__globals__"}
_IMPORT = External("importlib.import_module")
_ATTRIBUTE_GETTERS = (External("operator.attrgetter"), External("operator.methodcaller"))


class ReferenceWriter:
    """Writes the tokens of names, attributes, and calls that find something by a text.

    Args:
        package: that the module is in.
        module: of the syntax trees.

    Attributes:
        tokens: what was written.
        scope: the names around the node that is being written; None at the top of the module.
        fixed: whether the names of attributes that are bound here are used elsewhere.
        position: of the statement at the top of the module that is being written; None in a
            function, which runs after all of them.
    """

    def __init__(self, package: Package, module: Module) -> None:
        self.package, self.module = package, module
        self.tokens: list[Token] = []
        self.scope: Scope | None = None
        self.fixed = False
        self.position: int | None = None

    def node(self, node: ast.AST) -> None:
        """Write a node and all that is in it."""
        raise NotImplementedError

    def nodes(self, nodes: Iterable[ast.AST | None]) -> None:
        """Write nodes in their order; None takes a place as well."""
        for node in nodes:
            if node is None:
                self.tokens.append("none")
            else:
                self.node(node)

    def find(self, name: str) -> Variable | Member | str | None:
        """What a name means in this scope, as :meth:`Scope.find`; None at the top."""
        return self.scope.find(name) if self.scope is not None else None

    def resolved(self, expression: ast.expr) -> Target | None:
        """What a name with attributes arrives at; None for a local, a builtin or anything else."""
        parts = dotted(expression)
        if parts is None:
            return None
        found = self.find(parts[0])
        if isinstance(found, str):
            return self.package.resolve(found, parts[1:])
        return self.package.look_up(self.module.name, parts) if found is None else None

    def builtin(self, expression: ast.expr) -> str:
        """The name of a builtin; empty for anything else."""
        if isinstance(expression, ast.Name) and self.find(expression.id) is None:
            return "" if self.resolved(expression) is not None else expression.id
        return ""

    def is_outside(self, expression: ast.expr) -> bool:
        """Whether an expression is something outside of the package, or opaque."""
        target = self.resolved(expression)
        return target is not None and isinstance(target[0], External | Opaque)

    def name(self, node: ast.Name) -> None:
        """Write a name."""
        self.identifier(node.id, is_read=isinstance(node.ctx, ast.Load))

    def identifier(self, name: str, is_read: bool = False) -> None:
        """Write what an identifier refers to."""
        found = self.find(name)
        if isinstance(found, Member):
            self.tokens += ["member", Attribute(name, "read" if is_read else self._bound)]
            # Before a class body binds a name, the name means what it means outside.
            around = self.scope.find_outside(name) if self.scope is not None else None
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
                    self.undecided_import()
                elif name in _FIND_NAMES | _FIND_ATTRIBUTE | _LIST_ATTRIBUTES:
                    self._undecided(by_name=name in _FIND_NAMES)
            case Opaque(), _:
                self.tokens.append("opaque")
            case External(path=path), _:
                self.tokens.append(f"external {path}")
                if target[0] == _IMPORT:
                    self.undecided_import()
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

    def attribute(self, node: ast.Attribute) -> None:
        """Write an attribute; after a module, what it refers to."""
        target = self.resolved(node)
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

    def undecided_import(self) -> None:
        """Count all modules: any of them may be imported here."""
        self.tokens += [Reference(Namespace(name)) for name in sorted(self.package.modules())]

    def finds_by_text(self, node: ast.Call) -> bool:
        """Write a call that finds something by a text, if it is decided what; whether it was."""
        builtin, target = self.builtin(node.func), self.resolved(node.func)
        if builtin == "__import__" or (target is not None and target[0] == _IMPORT):
            match node.args:
                case [ast.Constant(value=str(path)), *_] if not path.startswith("."):
                    self.tokens += ["import", Runs(path)]
                    self.target(self.package.resolve(path), path)
                    return True
        elif builtin in _FIND_ATTRIBUTE and len(node.args) > 1 and not node.keywords:
            self._finds_attribute(builtin, *node.args)
            return True
        elif builtin in _LIST_ATTRIBUTES and len(node.args) == 1 and self.is_outside(node.args[0]):
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
                self.nodes([whose, which])
                if not self.is_outside(whose):
                    # To bind an attribute, or to ask whether there is one, does not read it.
                    self._undecided(listed=False, reads=builtin == "getattr")
        self.nodes(others)
        self.tokens.append("end")
