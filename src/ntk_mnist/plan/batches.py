"""Cells packed into batches, each one submission to a cluster.

A job of a few seconds is not worth its wait in a queue. Cells of one kind are put into one batch,
in the order in which they are placed, until another would make it longer than the limit.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Batches", "Place"]

#: Requested from the queue for each estimated minute, and for each batch.
_SAFETY, _START_MINUTES = 3, 5


class Place(NamedTuple):
    """Where a cell runs.

    Attributes:
        batch: number of the batch, unique among all kinds.
        minutes: the cell's share of the time to request from the queue. The shares of a batch add
            up to its time; whole minutes a cell would add up to many times that.
    """

    batch: int
    minutes: int


@dataclass
class Batches:
    """Batches of at most ``seconds`` of estimated work; a longer cell is a batch of its own."""

    seconds: float
    _places: dict[Hashable, Place] = field(default_factory=dict)
    #: The batch of each kind that is being filled, and the seconds in each batch.
    _filling: dict[Hashable, int] = field(default_factory=dict)
    _work: list[float] = field(default_factory=list)

    def place(self, cell: Hashable, kind: Hashable, seconds: float) -> Place:
        """The place of a cell; always the same for one cell.

        Args:
            cell: a value that identifies it among the cells of all kinds.
            kind: cells of one kind may share a batch.
            seconds: estimated work, above 0.
        """
        if cell not in self._places:
            batch = self._filling.get(kind)
            if batch is None or self._work[batch] + seconds > self.seconds:
                batch = self._filling[kind] = len(self._work)
                self._work.append(0)
            before = _minutes(self._work[batch])
            self._work[batch] += seconds
            self._places[cell] = Place(batch, _minutes(self._work[batch]) - before)
        return self._places[cell]


def _minutes(seconds: float) -> int:
    return _START_MINUTES + math.ceil(_SAFETY * seconds / 60) if seconds else 0
