"""How far a long cell is, in lines: for a terminal and for a log."""

import time
from typing import TextIO

__all__ = ["ProgressLines"]


class ProgressLines:
    """Writes a line when a stage begins to show, when it ends, and every few seconds between.

    Args:
        what: stands in front of each line.
        stream: where the lines go.
        seconds: between two lines.
    """

    def __init__(self, what: str, stream: TextIO, seconds: float = 5.0) -> None:
        self._what, self._stream, self._seconds = what, stream, seconds
        self._stage = ""
        self._started = self._ended = self._last = time.monotonic()
        self._first = (0.0, 0)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` tiles or steps of ``stage`` are finished."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._started, self._last = stage, self._ended, self._ended
            self._first = (now, done)
        self._ended = now
        if done < total and now - self._last < self._seconds:
            return
        self._last = now
        line = f"{self._what}: {stage}, {done:,} of {total:,}"
        # Compilation comes before the first tile, and tells nothing of the others.
        since, before = self._first
        if done == total:
            line += f", took {_shown(now - self._started)}"
        elif done > before:
            line += f", {_shown((now - since) * (total - done) / (done - before))} left"
        print(line, file=self._stream, flush=True)


def _shown(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
