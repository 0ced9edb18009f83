"""Durations, sizes, numbers of things and cells, in words."""

from collections.abc import Sequence

from ntk_mnist.declarations import declared
from ntk_mnist.plan.cells import Cell
from ntk_mnist.settings import Architecture

__all__ = ["cell_words", "counted", "duration", "listed", "size_of"]

_UNITS = ("kB", "MB", "GB", "TB")


def duration(seconds: float) -> str:
    """As in ``40 s``, ``3 min``, ``1 h 20 min``."""
    if seconds < 59.5:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    # From ten hours on, minutes say nothing.
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours:,} h"


def size_of(size: float) -> str:
    """Bytes, as in ``3 MB``."""
    size /= 1000
    units = iter(_UNITS)
    unit = next(units)
    while size >= 999.5:
        size, unit = size / 1000, next(units)
    return f"{size:.1f} {unit}" if size < 9.95 else f"{size:.0f} {unit}"


def counted(number: int, noun: str) -> str:
    """As in ``1 network`` and ``36 networks``, of the plural."""
    return f"{number:,} {noun.removesuffix('s') if number == 1 else noun}"


def listed(words: Sequence[str]) -> str:
    """As in ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def cell_words(cell: Cell, among: Sequence[Architecture]) -> str:
    """A cell, as in ``width 2,048, size 1,024, relu, depth 3``.

    Args:
        cell: the cell.
        among: all architectures of its experiment; what they share is left out.
    """
    axes = [f"{axis} {value:,}" for axis, value in cell.axes.items()]
    fields = [field.name for field in declared(Architecture)]
    varied = [
        f"{name} {getattr(cell.architecture, name)}"
        for name in fields[1:]
        if len({getattr(architecture, name) for architecture in among}) > 1
    ]
    return ", ".join([*axes, str(getattr(cell.architecture, fields[0])), *varied])
