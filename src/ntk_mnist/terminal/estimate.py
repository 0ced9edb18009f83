"""How long a run takes, by the cost model of its cells and by what this machine took so far."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["Pace", "Work", "seconds_left"]

#: Modelled seconds that what is known from before counts for: the first cells of a run, which
#: compile, do not overthrow it.
_BEFORE = 60.0


class Work(NamedTuple):
    """A job, as its cost model has it.

    Attributes:
        kind: of the job.
        seconds: its wall time.
        threads: that it takes.
        start: the part of its time before it computes anything.
    """

    kind: str
    seconds: float
    threads: int = 1
    start: float = 0.0

    @property
    def is_short(self) -> bool:
        """Whether it says more of the start than of what comes after it."""
        return self.seconds < 2 * self.start


class Pace:
    """Measured time over modelled time of each kind of job, and of its start.

    Short cells are mostly start, which says nothing of long ones.

    Args:
        before: that of earlier runs, by kind.
    """

    def __init__(self, before: Mapping[str, float] | None = None) -> None:
        self._before = dict(before or {})
        self._modelled: dict[str, float] = {}
        self._measured: dict[str, float] = {}

    @classmethod
    def read(cls, file: Path) -> "Pace":
        """That of earlier runs on this machine; of none, if there is no such file."""
        try:
            before = {str(k): float(v) for k, v in json.loads(file.read_text()).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            before = {}
        return cls({kind: factor for kind, factor in before.items() if factor > 0})

    def write(self, file: Path) -> None:
        """Keep it for later runs."""
        kinds = {*self._before, *self._modelled}
        file.write_text(json.dumps({kind: round(self.factor(kind), 4) for kind in sorted(kinds)}))

    def knows(self, kind: str) -> bool:
        """Whether a job of this kind ran here."""
        return any(key in self._before or key in self._modelled for key in (kind, _start(kind)))

    def add(self, work: Work, measured: float) -> None:
        """Count a finished job, which took so many seconds."""
        key, modelled = _start(work.kind), work.seconds
        if not work.is_short:
            key, modelled = work.kind, work.seconds - work.start
            measured = max(measured - work.start * self.factor(_start(work.kind)), 0.0)
        self._modelled[key] = self._modelled.get(key, 0.0) + modelled
        self._measured[key] = self._measured.get(key, 0.0) + measured

    def factor(self, kind: str) -> float:
        """By which modelled time is multiplied."""
        modelled, measured = self._modelled.get(kind, 0.0), self._measured.get(kind, 0.0)
        return (_BEFORE * self._before.get(kind, 1.0) + measured) / (_BEFORE + modelled)

    def seconds(self, work: Work) -> float:
        """The wall time of a job."""
        start = work.start * self.factor(_start(work.kind))
        return start + (work.seconds - work.start) * self.factor(work.kind)

    def left(self, work: Work, elapsed: float) -> float:
        """The time until a job ends that runs for so many seconds."""
        whole = self.seconds(work)
        # One that takes longer than thought: nobody knows how much longer.
        return max(whole - elapsed, 0.1 * elapsed if elapsed > whole else 0.0)


def _start(kind: str) -> str:
    return f"start of {kind}"


def seconds_left(
    waiting: Iterable[Work], running: Iterable[tuple[float, int]], cores: int, pace: Pace
) -> float:
    """The time until all jobs are finished, if no core is idle before the last ones.

    Args:
        waiting: jobs that have not begun.
        running: of those that have, the seconds left and the threads.
        cores: of the machine; a job takes no more.
        pace: of this machine.
    """
    left = [(pace.seconds(work), work.threads) for work in waiting] + [*running]
    if not left:
        return 0.0
    of_cores = sum(seconds * min(threads, cores) for seconds, threads in left)
    return max(of_cores / cores, *(seconds for seconds, _ in left), 0.0)
