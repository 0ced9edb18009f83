"""The names in a registry, and other constants, read from source and not by importing it.

A registry is a module-level dict, tuple or list whose keys or items are strings, such as
``architecture.ACTIVATIONS``. What may be chosen is declared there alone. The config is checked
against these names while Snakemake plans, where importing JAX would cost more than the plan.
"""

import ast
from functools import cache
from pathlib import Path

__all__ = ["names_in", "text_in"]

_PACKAGE = Path(__file__).resolve().parent


@cache
def names_in(registry: str) -> tuple[str, ...]:
    """The names in a registry, in their order.

    Args:
        registry: module and variable, relative to this package, as in
            ``"networks.training.OPTIMIZERS"``.

    Raises:
        LookupError: there is no such registry, or its names are not written out as strings.
    """
    match _value_of(registry):
        case ast.Dict(keys=items) | ast.Tuple(elts=items) | ast.List(elts=items):
            names = [item.value for item in items if isinstance(item, ast.Constant)]
            if len(names) == len(items) and all(isinstance(name, str) for name in names):
                return tuple(map(str, names))
    raise LookupError(f"the names in the registry {registry} are not written out as strings")


@cache
def text_in(constant: str) -> str:
    """The value of a module-level string.

    Args:
        constant: module and variable, as in ``"charts.comparison.CAPTION"``.

    Raises:
        LookupError: there is no such constant, or it is not written out as a string.
    """
    match _value_of(constant):
        case ast.Constant(value=str(text)):
            return text
    raise LookupError(f"{constant} is not written out as a string")


def _value_of(constant: str) -> ast.expr | None:
    """The expression that a module assigns to a variable."""
    module, _, variable = constant.rpartition(".")
    source = _PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    if source.is_file():
        for statement in ast.parse(source.read_bytes()).body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == variable:
                    return value
                case ast.AnnAssign(target=ast.Name(id=name), value=value) if name == variable:
                    return value
    raise LookupError(f"no {variable} in {source}")
