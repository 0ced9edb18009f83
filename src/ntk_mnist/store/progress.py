"""How far a long cell is, in lines of its log, which a terminal shows.

The stages' words are declared here and not where they are computed, so that a word can change
without anything being computed again.
"""

import time
from collections.abc import Callable
from enum import Enum
from typing import TextIO, TypeAlias

__all__ = ["Progress", "ProgressLines", "Stage", "no_progress"]


class Stage(Enum):
    """Stages of an exact solve and of training, by the words that show them."""

    SCHUR_COMPLEMENT = "Schur complement"
    FORWARD_STEPS = "forward steps"
    FACTORIZATION = "factorization"
    INVERSE_STEPS = "inverse steps"
    EXACT_PRODUCTS = "exact products"
    REFINEMENT = "refinement"
    TEST_IMAGES = "test images"
    SEEDS = "seeds"


#: Called with a stage, how many of its tiles or steps are done, and how many there are.
Progress: TypeAlias = Callable[[Stage, int, int], object]


def no_progress(stage: Stage, done: int, total: int) -> None:
    """Show nothing."""


class ProgressLines:
    """Writes a line when a stage first shows progress, every few seconds, and when it ends.

    Args:
        what: the beginning of each line.
        stream: where the lines go.
        seconds: the least time between two lines of a stage.
        quiet: a stage that takes no longer, in seconds, has no line.
    """

    def __init__(self, what: str, stream: TextIO, seconds: float = 5.0, quiet: float = 0.0) -> None:
        self._what, self._stream = what, stream
        self._seconds, self._quiet = max(seconds, quiet), quiet
        self._stage: Stage | None = None
        self._started = self._ended = self._last = time.monotonic()
        self._first = (0.0, 0)

    def __call__(self, stage: Stage, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` tiles or steps of ``stage`` are finished."""
        now = time.monotonic()
        if stage != self._stage or done <= self._first[1]:
            self._stage, self._started, self._last = stage, self._ended, self._ended
            self._first = (now, done)
        self._ended = now
        since_line, since_start = now - self._last, now - self._started
        if since_start < self._quiet or (done < total and since_line < self._seconds):
            return
        self._last = now
        line = f"{self._what}: {stage.value}, {done:,} of {total:,}"
        # Compilation comes before the first tile and says nothing about the others.
        since, before = self._first
        if done == total:
            line += f", took {_duration(now - self._started)}"
        elif done > before:
            line += f", {_duration((now - since) * (total - done) / (done - before))} left"
        print(line, file=self._stream, flush=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
