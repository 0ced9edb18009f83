"""What the meaning of code is made of: the parts that count as wholes, and their tokens.

Tokens that are plain strings count as they are. How the others are written depends on all of the
reached code (``closure``): which number a part, a variable or a private attribute gets, and whether
a parameter may be passed by its name. Here they are written without numbers, either with the names
in the source or without names that may be changed.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ntk_mnist.store.code.scopes import Variable
from ntk_mnist.store.code.source import Definition

__all__ = [
    "Attribute",
    "Choices",
    "Effects",
    "Keyword",
    "Local",
    "Method",
    "Namespace",
    "Parameter",
    "Part",
    "PassesNames",
    "ReadsAnyAttribute",
    "Reference",
    "Remainder",
    "Render",
    "Runs",
    "Text",
    "Token",
    "digest_of",
    "is_private",
    "module_of",
    "name_of",
    "named",
    "rendered",
    "unnamed",
]


@dataclass(frozen=True)
class Method:
    """The functions of one name in a class at the top of a module."""

    owner: Definition
    name: str


@dataclass(frozen=True)
class Effects:
    """What importing a module does besides binding its names."""

    module: str


@dataclass(frozen=True)
class Namespace:
    """Everything that the names of a module refer to, by these names."""

    module: str


@dataclass(frozen=True)
class Remainder:
    """All definitions of a module in which it cannot be decided which of them are used."""

    module: str


#: What is reached and counts as a whole.
Part: TypeAlias = Definition | Method | Effects | Namespace | Remainder
#: By registry, the keys of the only entries that count.
Choices: TypeAlias = Mapping[Definition, frozenset[str]]


def module_of(part: Part) -> str:
    """The module that a part is in."""
    return part.owner.module if isinstance(part, Method) else part.module


@dataclass(frozen=True)
class Reference:
    """Another part, or the same one again, is used here."""

    part: Part


@dataclass(frozen=True)
class Local:
    """A local variable is read or bound here."""

    variable: Variable


@dataclass(frozen=True)
class Parameter:
    """A parameter is declared here; ``by_name`` if a caller may pass it by keyword."""

    variable: Variable
    by_name: bool


@dataclass(frozen=True)
class Attribute:
    """An attribute is read here, or bound.

    It is *fixed* if it is bound where code outside of the package may use its name, or where it
    becomes a column: it keeps its name even if that is private.
    """

    name: str
    role: Literal["read", "bound", "fixed"]


@dataclass(frozen=True)
class Keyword:
    """An argument is passed by keyword.

    Attributes:
        name: of the argument.
        position: of the parameter, if it is known.
        unresolved: whether any function of the package might get it.
    """

    name: str
    position: int | None
    unresolved: bool


@dataclass(frozen=True)
class Text:
    """A string constant that is not part of a message."""

    value: str


@dataclass(frozen=True)
class PassesNames:
    """Parameters are named here by other means than a keyword.

    Attributes:
        names: the parameters; None for any, as in ``**mapping``.
    """

    names: tuple[str, ...] | None


@dataclass(frozen=True)
class Runs:
    """The modules on an absolute dotted path are imported here."""

    path: str


@dataclass(frozen=True)
class ReadsAnyAttribute:
    """Attributes are read here whose names are not written out.

    Attributes:
        listed: whether their names come from a list of all that there are, as ``vars`` gives it.
    """

    listed: bool


Token: TypeAlias = (
    str
    | Reference
    | Local
    | Parameter
    | Attribute
    | Keyword
    | Text
    | PassesNames
    | Runs
    | ReadsAnyAttribute
)

#: Writes one token as a line; None for one that says nothing by itself.
Render: TypeAlias = Callable[[Token], str | None]


def rendered(tokens: Iterable[Token], render: Render) -> Iterator[str]:
    """The lines of some tokens."""
    return (line for token in tokens if (line := render(token)) is not None)


def named(token: Token) -> str | None:
    """A token with the names as they are."""
    line: str | None = None
    match token:
        case str():
            line = token
        case Reference(part=part):
            line = f"name {name_of(part).rpartition('.')[2]}"
        case Local(variable=variable) | Parameter(variable=variable):
            line = f"variable {variable.name}"
        case Attribute(name=name):
            line = f"attribute {name}"
        case Keyword(name=name):
            line = f"keyword {name}"
        case Text(value=value):
            line = f"text {value!a}"
    return line


def unnamed(token: Token) -> str | None:
    """A token without any name that may be changed."""
    match token:
        case Reference() | Local() | Parameter() | Keyword():
            return type(token).__name__
        case Attribute(name=name) if is_private(name):
            return "private"
    return named(token)


def name_of(part: Part) -> str:
    """The name under which a part is reported, relative to the package."""
    match part:
        case Definition():
            return str(part)
        case Method(owner=owner):
            return str(owner)
        case Effects(module=module):
            return f"{module or '__init__'} (import-time effects)"
        case Namespace(module=module) | Remainder(module=module):
            return f"{module or '__init__'} (whole module: reachability cannot be decided)"


def is_private(attribute: str) -> bool:
    """Whether the name of an attribute is private to the package."""
    return attribute.startswith("_") and not attribute.endswith("_")


def digest_of(lines: Iterable[str]) -> str:
    """The SHA-256 of some lines, in hexadecimal digits."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
