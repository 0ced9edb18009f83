"""By which names functions and methods may be called, and who else may call them.

The names of parameters are written in the code that calls by keyword; the names of methods may be
called by code that is not read, such as a base class from elsewhere.
"""

import ast
from functools import lru_cache
from typing import NamedTuple

from ntk_mnist.store.code.scopes import Function, executed, parameters
from ntk_mnist.store.code.source import Definition, External, Opaque, Package

__all__ = [
    "OPAQUE_SIGNATURE",
    "Signature",
    "calls_from_opaque_modules",
    "is_open",
    "may_register",
    "methods",
    "signature",
]

#: Decorators that leave a function's parameters and their names as they are.
_SAME_PARAMETERS = {
    External("contextlib.contextmanager"),
    External("functools.cache"),
    External("functools.lru_cache"),
    External("jax.jit"),
}
#: Decorators that call none of a class's methods by a name without two underscores.
_PLAIN_DECORATORS = {
    External("dataclasses.dataclass"),
    External("enum.unique"),
    External("functools.total_ordering"),
    External("typing.final"),
    External("typing.runtime_checkable"),
}
#: Bases likewise.
_PLAIN_BASES = {
    "abc.ABC",
    "enum.Enum",
    "enum.Flag",
    "enum.IntEnum",
    "enum.IntFlag",
    "enum.StrEnum",
    "msgspec.Struct",
    "typing.Generic",
    "typing.NamedTuple",
    "typing.Protocol",
}


class Signature(NamedTuple):
    """How a function or class of the package is called by keyword.

    Attributes:
        parameters: the names of its parameters, in their order.
        fields: the fields of a class that declares no ``__init__``.
        is_opaque: whether it takes keywords that do not matter.
    """

    parameters: tuple[str, ...]
    fields: frozenset[str] = frozenset()
    is_opaque: bool = False

    def position(self, keyword: str) -> int | None:
        """The position of the parameter of that name, if there is one."""
        return self.parameters.index(keyword) if keyword in self.parameters else None

    def takes(self, keyword: str) -> bool:
        """Whether a keyword is known to name a parameter or a field."""
        return self.is_opaque or keyword in self.parameters or keyword in self.fields


OPAQUE_SIGNATURE = Signature((), is_opaque=True)


def methods(class_: ast.ClassDef) -> dict[str, list[Function]]:
    """The functions in a class body by their names."""
    found: dict[str, list[Function]] = {}
    for statement in executed(class_.body):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            found.setdefault(statement.name, []).append(statement)
    return found


def signature(package: Package, definition: Definition) -> Signature | None:
    """How a definition is called by keyword; None if that is not known."""
    function, class_ = package.function(definition), package.class_of(definition)
    if function is not None:
        if _decorators(package, definition.module, function) <= _SAME_PARAMETERS:
            return Signature(tuple(a.arg for a in parameters(function.args)))
    elif class_ is not None:
        return _constructor(package, definition)
    return None


def _constructor(package: Package, definition: Definition) -> Signature | None:
    fields: set[str] = set()
    for each in _lineage(package, definition):
        class_ = package.class_of(each)
        if class_ is None or "__new__" in methods(class_) or "metaclass" in _keywords(class_):
            return None
        if not _decorators(package, each.module, class_) <= _PLAIN_DECORATORS:
            return None
        if "__init__" in methods(class_):
            names = [a.arg for a in parameters(methods(class_)["__init__"][-1].args)]
            return Signature(tuple(names[1:]))
        fields |= {
            statement.target.id
            for statement in class_.body
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        }
    return Signature((), frozenset(fields))


def is_open(package: Package, definition: Definition) -> bool:
    """Whether code that is not read may call the methods of a class by their names.

    It may if the class has a base or a decorator from outside of the package, apart from a few
    that are known.
    """
    for each in _lineage(package, definition):
        class_ = package.class_of(each)
        if class_ is None:
            return True
        decorators = _decorators(package, each.module, class_)
        if any(isinstance(found, External) for found in decorators - _PLAIN_DECORATORS):
            return True
        if not all(map(_is_plain_base, _bases(package, each.module, class_))):
            return True
    return False


def _is_plain_base(base: object) -> bool:
    match base:
        case External(path=path):
            return path.replace("typing_extensions.", "typing.") in _PLAIN_BASES
        case str():
            return base == "object" or base.endswith(("Exception", "Error", "Warning"))
    return isinstance(base, Definition)


def may_register(package: Package, definition: Definition) -> bool:
    """Whether defining this at the top of a module may act on more than its own name.

    A decorator of the package may put what it decorates in a registry, and so may one from
    elsewhere whose name says so; a class may be registered by its metaclass, or by
    ``__init_subclass__`` of a base.
    """
    function = package.function(definition)
    if function is not None:
        return any(map(_registers, _decorators(package, definition.module, function)))
    for each in _lineage(package, definition):
        class_ = package.class_of(each)
        if class_ is not None and (
            any(map(_registers, _decorators(package, each.module, class_)))
            or (each != definition and "__init_subclass__" in methods(class_))
            or any(
                isinstance(package.refers_to(each.module, keyword.value), Definition)
                for keyword in class_.keywords
                if keyword.arg == "metaclass"
            )
        ):
            return True
    return False


def _registers(decorator: object) -> bool:
    if isinstance(decorator, External):
        return "register" in decorator.path.rpartition(".")[2]
    return not isinstance(decorator, Opaque | str)


def _lineage(package: Package, definition: Definition) -> list[Definition]:
    """A class, and the bases in this package of it and of these, each once."""
    found: list[Definition] = []
    waiting = [definition]
    while waiting:
        each = waiting.pop(0)
        class_ = package.class_of(each)
        if each not in found:
            found.append(each)
            bases = _bases(package, each.module, class_) if class_ is not None else []
            waiting = [*(base for base in bases if isinstance(base, Definition)), *waiting]
    return found


def _keywords(class_: ast.ClassDef) -> set[str | None]:
    return {keyword.arg for keyword in class_.keywords}


def _decorators(package: Package, module: str, node: Function | ast.ClassDef) -> set[object]:
    """What the decorators refer to."""
    return {_decorator(package, module, decorator) for decorator in node.decorator_list}


def _decorator(package: Package, module: str, decorator: ast.expr) -> object:
    """What a decorator refers to, without its arguments; of ``partial(f, …)`` it is f."""
    if not isinstance(decorator, ast.Call):
        return package.refers_to(module, decorator)
    found = _decorator(package, module, decorator.func)
    if found == External("functools.partial") and decorator.args:
        return _decorator(package, module, decorator.args[0])
    return found


def _bases(package: Package, module: str, class_: ast.ClassDef) -> list[object]:
    """What the bases of a class refer to, without type arguments."""
    return [
        package.refers_to(module, base.value if isinstance(base, ast.Subscript) else base)
        for base in class_.bases
    ]


@lru_cache(maxsize=1024)
def calls_from_opaque_modules(
    package: Package, definition: Definition
) -> set[tuple[int | None, ...]]:
    """The keywords of each call from an opaque module, as positions of parameters.

    The content of opaque modules does not count, but which parameter a keyword names there is
    decided by the definition.
    """
    known = signature(package, definition)
    calls: set[tuple[int | None, ...]] = set()
    if known is None:
        return calls
    for module in package.opaque_modules_with(definition.name):
        for (path, *attributes), keywords in module.keyword_calls:
            if package.resolve(path, attributes) == (definition, ()):
                calls.add(tuple(known.position(name) for name in keywords))
    return calls
