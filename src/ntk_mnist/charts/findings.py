"""What a comparison of networks with their limit found: a line an architecture and size.

A person reads them at the end of a run. Snakemake prints them, so that this module imports
neither pandas nor Altair.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from ntk_mnist.charts.labels import counted, time_label
from ntk_mnist.settings import Architecture

__all__ = ["NOT_CENTRED", "findings", "slopes_in_words"]

Rows: TypeAlias = Sequence[Mapping[str, Any]]

#: Why networks that are not centred do not approach the mean prediction of their limit.
NOT_CENTRED = "Not centred: a network keeps its random start, which does not shrink as it widens"

#: What identifies a line.
_LINE: tuple[str, ...] = (*Architecture.__struct_fields__, "size")

#: The distances of functions that are told, in words.
_QUANTITIES: Mapping[str, str] = {
    "network_to_limit": "network to NTK",
    "network_to_linearization": "network to linearization",
}


def findings(convergence: Rows, ensembles: Rows) -> Iterator[str]:
    """How fast networks approach the NTK, and how far the widest ones are from its accuracy.

    Args:
        convergence: rows of the table ``convergence``.
        ensembles: rows of the table ``ensemble``.
    """
    for key in dict.fromkeys(_key(row) for row in ensembles):
        own = [row for row in ensembles if _key(row) == key]
        last = max(own, key=lambda row: (row["time"], row["width"]))
        activation, depth, W_std, b_std, size = key
        slopes = [
            f"{what} {', from '.join([first, *(f'width {w:,} on {s}' for w, s in others)])}"
            for quantity, what in _QUANTITIES.items()
            if (
                fitted := slopes_in_words(
                    [row for row in convergence if _key(row) == key and row["quantity"] == quantity]
                )
            )
            for (_, first), *others in [fitted.items()]
        ]
        error = last["accuracy_gap_error"]
        words = [
            f"{activation}, {counted(depth, 'hidden layer')}, W_std {W_std:g}, b_std {b_std:g}, "
            f"{counted(size, 'training image')}.",
            *([f"Slopes of distances over width: {'; '.join(slopes)}."] if slopes else []),
            f"Width {last['width']:,}, t = {time_label(last['time'])}: "
            f"test accuracy {last['network_accuracy']:.3f}, NTK {last['limit_accuracy']:.3f}, "
            f"gap {_signed(last['accuracy_gap'], 3)}"
            + ("" if error is None else f" ± {error:.3f}"),
        ]
        yield " ".join(words)
    if not all(row["centred"] for row in ensembles):
        yield f"{NOT_CENTRED}; the table `ensemble` compares the mean over seeds"


def slopes_in_words(rows: Rows) -> dict[int, str]:
    """Lowest and highest slope over times, and half of the longest 95 % interval.

    Args:
        rows: of the table ``convergence``, of one quantity, architecture and size.

    Returns:
        By the smallest width of a fit, words as in ``−0.51 … −0.44 (± 0.04)``, those over all
        widths first. There are none of fits that have no slope.
    """
    found = {}
    for first in sorted({row["smallest_width"] for row in rows if row["slope"] is not None}):
        fitted = [r for r in rows if r["smallest_width"] == first and r["slope"] is not None]
        half = max((row["high"] - row["low"]) / 2 for row in fitted)
        ends = (_signed(extreme(row["slope"] for row in fitted), 2) for extreme in (min, max))
        found[first] = f"{' … '.join(dict.fromkeys(ends))} (± {half:.2f})"
    return found


def _signed(value: float, digits: int) -> str:
    """With the sign of mathematics, which is as wide as a plus."""
    # Adding 0 makes -0.0 positive.
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _LINE)
