"""Cells packed into batches, each one submission to a cluster.

A job of a few seconds is not worth its wait in a queue. Cells of one kind are put into one
batch, in the order in which they are placed, until the next would make it longer than asked.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Batches", "Place"]

#: Asked of the queue for each estimated minute, and for each batch.
_SAFETY, _START_MINUTES = 3, 5


class Place(NamedTuple):
    """Where a cell runs."""

    #: Number of the batch, unique among all kinds.
    batch: int
    #: Its share of the time to ask of the queue. Shares of a batch add up to its time, where
    #: whole minutes a cell would add up to many times that.
    minutes: int


@dataclass
class Batches:
    """Batches of at most ``seconds`` of estimated work, but for a cell that alone takes more."""

    seconds: float
    _places: dict[Hashable, Place] = field(default_factory=dict)
    #: The batch of each kind that is being filled, and the seconds in each batch.
    _filling: dict[Hashable, int] = field(default_factory=dict)
    _work: list[float] = field(default_factory=list)

    def place(self, cell: Hashable, kind: Hashable, seconds: float) -> Place:
        """The place of ``cell``, estimated at ``seconds``; always the same for one cell.

        Args:
            cell: whatever tells it from others, of any kind.
            kind: of cells that may share a batch.
            seconds: of work, above 0.
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
