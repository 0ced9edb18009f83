"""What the meaning of code is made of: the parts that count as wholes, and their tokens.

Tokens that are plain strings count as they are. The others wait for what only all of the reached
code decides: which number a part, a variable or a private attribute gets, and whether a parameter
may be passed by its name.
"""

from collections.abc import Mapping
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
    "Runs",
    "Text",
    "Token",
    "module_of",
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
#: By registry, the keys of the entries that alone count.
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
