"""Declarations read back: the name, type, bounds and sentence of each field of a struct.

``settings`` and ``measures`` declare their fields as ``Annotated[type, msgspec.Meta(...)]``. All
that is generated from them (the check of the config, the JSON schema, the reference, the columns
of the tables) reads them here.
"""

from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from msgspec import NODEFAULT, Meta, Struct
from msgspec.structs import fields

__all__ = ["Field", "declared"]


class Field(NamedTuple):
    """One field of a struct.

    Attributes:
        name: of the field; of the config's key and of the column too.
        type: without its annotations; of ``tuple[int, ...]``, ``int``.
        many: whether it is a tuple of values.
        description: the sentence.
        bounds: of the value, or of each value of a tuple.
        default: ``msgspec.NODEFAULT`` if it has none.
        optional: whether its column may be null in a complete row.
    """

    name: str
    type: Any
    many: bool
    description: str
    bounds: Meta
    default: Any
    optional: bool = False

    @property
    def choices(self) -> str:
        """The registry whose names are allowed; empty if any value is."""
        return str((self.bounds.extra or {}).get("choices", ""))

    @property
    def may_be_path(self) -> bool:
        """Whether a path is allowed beside the names in the registry."""
        return bool((self.bounds.extra or {}).get("may_be_path"))


def declared(struct: type[Struct]) -> Iterator[Field]:
    """The fields of a struct, in their order."""
    for field in fields(struct):
        kind, meta = _unwrapped(field.type)
        optional = type(None) in get_args(kind)
        if optional:
            kind = get_args(kind)[0]
        description, bounds, many = meta.description, meta, get_origin(kind) is tuple
        if many:
            kind, inner = _unwrapped(get_args(kind)[0])
            description = description or inner.description
            # What is declared of the tuple itself for its column, and of its values.
            bounds = inner if inner != Meta() else meta
        default = field.default
        if default is NODEFAULT and field.default_factory is not NODEFAULT:
            default = field.default_factory()
        optional |= (bounds.extra or {}).get("may_be_unused", False)
        yield Field(field.name, kind, many, description or "", bounds, default, optional)


def _unwrapped(kind: Any) -> tuple[Any, Meta]:
    if get_origin(kind) is Annotated:
        inner, *annotations = get_args(kind)
        return inner, next((a for a in annotations if isinstance(a, Meta)), Meta())
    return kind, Meta()
