"""A run as it goes: which jobs wait, run, are finished and have failed, and how long is left."""

import re
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ntk_mnist.terminal.estimate import Pace, Work, seconds_left
from ntk_mnist.terminal.words import duration

__all__ = ["GROUPS", "Job", "Run", "last_line"]

#: The kinds of jobs in the order in which they are shown, by the name of the rule.
GROUPS = {
    "fetch": "data",
    "prepare": "data",
    "network": "networks",
    "kernel": "kernels",
    "table": "tables",
    "partial_table": "tables",
    "compare": "tables",
    "reproduce": "tables",
    "chart": "charts",
}
_LEFT = re.compile(r", (?:(\d+) min )?(\d+) s left$")
#: The end of a log that has its last line.
_END = 2000


class Job(NamedTuple):
    """One job of a run.

    Attributes:
        rule: its rule.
        what: it is, in words.
        work: what it takes.
        log: its log file.
    """

    rule: str
    what: str
    work: Work
    log: Path | None = None

    @property
    def group(self) -> str:
        """What it is counted among."""
        return GROUPS.get(self.rule, self.rule)


class Run:
    """The jobs of a run by their numbers.

    Args:
        jobs: all that are to run.
        cores: of this machine; on a cluster, jobs at once.
        pace: of this machine.
    """

    def __init__(self, jobs: dict[int, Job], cores: int, pace: Pace) -> None:
        self.jobs, self.cores, self.pace = jobs, max(cores, 1), pace
        totals = Counter(job.group for job in jobs.values())
        order = dict.fromkeys([*GROUPS.values(), *totals])
        self.totals = {group: totals[group] for group in order if totals[group]}
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.started = time.monotonic()
        self._waiting = dict(jobs)
        self._running: dict[int, float] = {}
        self._work = sum(job.work.seconds * job.work.threads for job in jobs.values()) or 1.0
        self._finished_work = 0.0

    def start(self, number: int) -> None:
        """A job begins, perhaps again."""
        if number in self.jobs:
            self._waiting.pop(number, None)
            self._running[number] = time.monotonic()

    def finish(self, number: int) -> None:
        """A job is finished."""
        if (began := self._running.pop(number, None)) is None:
            return
        job = self.jobs[number]
        self.done[job.group] += 1
        self._finished_work += job.work.seconds * job.work.threads
        self.pace.add(job.work, time.monotonic() - began)

    def fail(self, number: int) -> None:
        """A job has failed; it may begin again."""
        if self._running.pop(number, None) is not None:
            self.failed[self.jobs[number].group] += 1

    @property
    def running(self) -> list[tuple[Job, float]]:
        """The running jobs, each with its seconds so far; the one that runs longest is first."""
        now = time.monotonic()
        return [(self.jobs[number], now - began) for number, began in [*self._running.items()]]

    @property
    def fraction(self) -> float:
        """Of the work, finished."""
        return self._finished_work / self._work

    @property
    def seconds_left(self) -> float:
        """Until its end."""
        waiting: Iterable[Work] = (job.work for job in [*self._waiting.values()])
        running = [(self._left(job, elapsed), job.work.threads) for job, elapsed in self.running]
        return seconds_left(waiting, running, self.cores, self.pace)

    def _left(self, job: Job, elapsed: float) -> float:
        # A network states the time left of its whole cell, an exact solve that of a stage.
        if job.rule == "network" and job.log:
            said, age = _last(job.log, elapsed)
            if found := _LEFT.search(said):
                return max(_seconds(found) - age, 0.0)
        return self.pace.left(job.work, elapsed)

    def how_far(self, job: Job, elapsed: float) -> str:
        """How far a running job is: as its log says, else by what it should take."""
        if job.log and (said := last_line(job.log, elapsed)):
            return said
        whole = self.pace.seconds(job.work)
        if elapsed >= whole:
            return "longer than expected"
        return f"about {100 * elapsed / whole:.0f} %, {duration(whole - elapsed)} left"


def last_line(log: Path, elapsed: float) -> str:
    """The progress that a log states last, without what it is of; empty if it states none.

    Args:
        log: the file.
        elapsed: the job's seconds so far; an older log is of a run before.
    """
    said, age = _last(log, elapsed)
    if found := _LEFT.search(said):
        left = _seconds(found) - age
        said = said[: found.start()] + (f", {duration(left)} left" if left > 0 else "")
    return said


def _last(log: Path, elapsed: float) -> tuple[str, float]:
    """The progress as it was written, and how many seconds ago."""
    try:
        with log.open("rb") as file:
            status = log.stat()
            file.seek(max(status.st_size - _END, 0))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return "", 0.0
    age = max(time.time() - status.st_mtime, 0.0)
    _, colon, said = (lines[-1] if lines else "").partition(": ")
    is_progress = bool(colon) and " of " in said and age <= elapsed + 1
    return (said, age) if is_progress else ("", 0.0)


def _seconds(said: re.Match[str]) -> float:
    return 60 * int(said[1] or 0) + int(said[2])
