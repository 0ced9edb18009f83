"""What a comparison of networks with their limit found, and what it cannot say, in words.

Charts and the headline share them. Snakemake prints the headline, so that this module imports
neither pandas nor Altair.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ntk_mnist.measures import FITTED

__all__ = ["LOSSES", "NOT_CENTRED", "range_in_words", "signed", "slopes_in_words", "unlike"]

Rows: TypeAlias = Sequence[Mapping[str, Any]]

#: Why networks that are not centred do not approach the mean prediction of their limit.
NOT_CENTRED = "Not centred: a network keeps its random start, which does not shrink as it widens"

#: The losses in words.
LOSSES: Mapping[str, str] = {"cross_entropy": "cross-entropy", "squared_error": "squared error"}


def unlike(
    loss: str,
    parameterization: str,
    train_accuracies: Sequence[float],
    train_errors: Sequence[float] = (),
    test_error: float = 0.0,
) -> list[str]:
    """Why networks are not comparable with the kernels' limits; nothing if they are.

    A network that has not fitted its training set is a point on the way, and the limit is the end.
    Of real-valued targets it has fitted once its train error is a hundredth of the test error.

    Args:
        loss: that the networks minimize.
        parameterization: of the networks.
        train_accuracies: of the networks; of real-valued targets, none.
        train_errors: their train squared errors; none if they are not known.
        test_error: the mean test squared error.
    """
    faults = []
    if loss != "squared_error":
        faults.append(f"the networks' loss is the {LOSSES[loss]}, the kernels' the squared error")
    if parameterization.startswith("glorot"):
        faults.append("the networks' Glorot initialization has another limit")
    if train_accuracies and min(train_accuracies) < FITTED:
        low, high = (f"{extreme(train_accuracies):.2f}" for extreme in (min, max))
        some = "some " if max(train_accuracies) >= FITTED else ""
        seen = " … ".join(dict.fromkeys([low, high]))
        faults.append(f"{some}networks have not fitted their training sets (train accuracy {seen})")
    elif not train_accuracies and train_errors and max(train_errors) > test_error / 100:
        low, high = (f"{extreme(train_errors):.2g}" for extreme in (min, max))
        seen = " … ".join(dict.fromkeys([low, high]))
        faults.append(f"networks have not fitted their training sets (train squared error {seen})")
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
        found[first] = f"{range_in_words([row['slope'] for row in fitted], 2)} (± {half:.2f})"
    return found


def range_in_words(values: Sequence[float], digits: int) -> str:
    """The lowest and the highest of the values, or the one that they all round to."""
    ends = (signed(extreme(values), digits) for extreme in (min, max))
    return " … ".join(dict.fromkeys(ends))


def signed(value: float, digits: int) -> str:
    """A number with the sign of mathematics, which is as wide as a plus."""
    # Adding 0 makes -0.0 positive.
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")
