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

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` tiles or steps of ``stage`` are finished."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._started, self._last = stage, self._ended, self._ended
        self._ended = now
        if done < total and now - self._last < self._seconds:
            return
        self._last = now
        elapsed = now - self._started
        left = f"{_shown(elapsed * (total - done) / done)} left" if 0 < done < total else ""
        took = left or f"took {_shown(elapsed)}"
        print(
            f"{self._what}: {stage}, {done:,} of {total:,}, {took}", file=self._stream, flush=True
        )


def _shown(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
