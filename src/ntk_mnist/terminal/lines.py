"""A run in plain lines: for a file, a pipe, or a terminal that cannot move its cursor."""

import time

from ntk_mnist.terminal.run import Run
from ntk_mnist.terminal.words import counted, duration

__all__ = ["Lines", "counts"]

#: The least and the most seconds between two lines; and shares of the work at which there is one.
_LEAST, _MOST, _SHARES = 5.0, 600.0, 10
#: Running jobs that a line names.
_NAMED = 2


class Lines:
    """Says when a line is due: at each tenth of the work, and every ten minutes.

    Args:
        run: the run.
    """

    def __init__(self, run: Run) -> None:
        self._run, self._share, self._last = run, 0, run.started

    def due(self) -> str | None:
        """The line that is due now, if one is."""
        now, share = time.monotonic(), int(self._run.fraction * _SHARES)
        waited = now - self._last
        if not (waited >= _MOST or (share > self._share and waited >= _LEAST)) or share == _SHARES:
            return None
        self._last, self._share = now, share
        return line(self._run)


def counts(run: Run) -> str:
    """As in ``16 of 36 networks, 5 of 5 kernels``, of what has begun."""
    # What comes before all else is of no interest after it.
    groups = [group for group in run.totals if group != "data"] or [*run.totals]
    return ", ".join(
        f"{run.done[group]:,} of {counted(run.totals[group], group)}"
        for group in groups
        if run.done[group] or group in ("networks", "kernels", "data")
    )


def line(run: Run) -> str:
    """What is done, what runs and how long is left."""
    running = run.running
    named = [f"{job.what} ({run.how_far(job, elapsed)})" for job, elapsed in running[:_NAMED]]
    more = [f"{len(running) - _NAMED:,} more"] if len(running) > _NAMED else []
    now = f"; now {'; '.join([*named, *more])}" if named else ""
    return f"{time.strftime('%H:%M')} {counts(run)}; about {duration(run.seconds_left)} left{now}"
