"""What a cell requests from Snakemake and from a cluster."""

from typing import NamedTuple

from ntk_mnist.plan.batches import Batches
from ntk_mnist.plan.cells import Cell

__all__ = ["Submission", "Submissions", "memory_mb"]

#: The two Snakemakes under which a submitted cell runs, MB.
_SUBMITTED_MB = 300


class Submission(NamedTuple):
    """The submission of a cell.

    Attributes:
        batch: name of the batch that it shares with others; None where cells run one by one.
        minutes: the cell's share of the time to request.
    """

    batch: str | None
    minutes: int


class Submissions:
    """Puts small cells into shared submissions.

    Args:
        batch_minutes: estimated work of a submission.
    """

    def __init__(self, batch_minutes: float) -> None:
        self._batches = Batches(60 * batch_minutes)

    def of(self, cell: Cell, batched: bool) -> Submission:
        """The submission of a cell; always the same for one cell.

        Args:
            cell: the cell.
            batched: whether cells share submissions.
        """
        # A submission requests what its largest cell takes: for no other cell twice what that
        # needs.
        kind = (cell.KIND, cell.threads, memory_mb(cell, batched).bit_length())
        key = (cell.KIND, *cell.key.values())
        batch, minutes = self._batches.place(key, kind, cell.seconds)
        return Submission(f"batch{batch}" if batched else None, minutes)


def memory_mb(cell: Cell, batched: bool, attempt: int = 1) -> int:
    """Memory that a cell requests; a second and third attempt request more."""
    return attempt * (cell.memory_mb + _SUBMITTED_MB * batched)
