"""What a comparison of networks with their limit found, and what it cannot say, in words.

Charts and the headline share them. Snakemake prints the headline, so that this module imports
neither pandas nor Altair.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ntk_mnist.measures import FITTED

__all__ = ["LOSSES", "NOT_CENTRED", "signed", "slopes_in_words", "unlike"]

Rows: TypeAlias = Sequence[Mapping[str, Any]]

#: Why networks that are not centred do not approach the mean prediction of their limit.
NOT_CENTRED = "Not centred: a network keeps its random start, which does not shrink as it widens"

#: The losses in words.
LOSSES: Mapping[str, str] = {"cross_entropy": "cross-entropy", "squared_error": "squared error"}


def unlike(loss: str, lowest: float | None = None, highest: float | None = None) -> list[str]:
    """Why networks are not comparable with the kernels' limits; nothing if they are.

    A network that has not fitted its training set is a point on the way, and the limit is the end.

    Args:
        loss: that the networks minimize.
        lowest: the lowest of their train accuracies; of real-valued targets, None.
        highest: the highest of them.
    """
    faults = []
    if loss != "squared_error":
        faults.append(f"the networks' loss is the {LOSSES[loss]}, the kernels' the squared error")
    if lowest is not None and lowest < FITTED:
        fitted = f"train accuracy {lowest:.2f} … {highest:.2f}"
        faults.append(f"networks have not fitted their training sets ({fitted})")
    return faults


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
        ends = (signed(extreme(row["slope"] for row in fitted), 2) for extreme in (min, max))
        found[first] = f"{' … '.join(dict.fromkeys(ends))} (± {half:.2f})"
    return found


def signed(value: float, digits: int) -> str:
    """A number with the sign of mathematics, which is as wide as a plus."""
    # Adding 0 makes -0.0 positive.
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")
