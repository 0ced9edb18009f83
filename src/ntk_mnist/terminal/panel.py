"""A run on a terminal: a bar for each kind of job, what runs now, and how long is left."""

import threading
from contextlib import suppress
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ntk_mnist.terminal.run import Run
from ntk_mnist.terminal.words import duration

__all__ = ["Panel", "drawn"]

#: Running jobs that are shown.
_SHOWN = 8
_BAR = 40
#: For which the end of the process waits for the panel.
_SECONDS = 1.0


def drawn(run: Run) -> RenderableType:
    """The panel as it is now."""
    bars = Table.grid(padding=(0, 2))
    bars.add_column(no_wrap=True)
    bars.add_column(width=_BAR)
    bars.add_column(justify="right", no_wrap=True)
    for group, total in run.totals.items():
        done, failed = run.done[group], run.failed[group]
        number = Text(f"{done:,}/{total:,}")
        if failed:
            number.append(f", {failed:,} failed", "red")
        bars.add_row(group, ProgressBar(total, done, width=_BAR), number)
    running, shown = run.running, Table.grid(padding=(0, 2))
    shown.add_column(no_wrap=True, overflow="ellipsis")
    for column in ("elapsed", "how far"):
        shown.add_column(column, justify="right" if column == "elapsed" else "left", no_wrap=True)
    for job, elapsed in running[:_SHOWN]:
        shown.add_row(f"  {job.what}", duration(elapsed), run.how_far(job, elapsed))
    last = f"About {duration(run.seconds_left)} left"
    if len(running) > _SHOWN:
        last = f"  and {len(running) - _SHOWN:,} more\n{last}"
    return Group(bars, shown, Text(last, "bold"))


class Panel:
    """Draws the panel at the bottom of a terminal, and clears it for what is printed meanwhile.

    Args:
        run: what it shows.
        stream: the terminal.
    """

    def __init__(self, run: Run, stream: TextIO) -> None:
        self._run = run
        self._console = Console(file=stream, highlight=False)
        self._live: Live | None = None
        self._lock = threading.RLock()
        self._ended = False

    def draw(self) -> None:
        """Draw it as it is now."""
        with self._lock:
            if self._ended:
                return
            if self._live is None:
                # Its own thread would go on while the process is stopped by a signal.
                self._live = Live(console=self._console, auto_refresh=False, transient=True)
                self._live.start()
            self._live.update(drawn(self._run), refresh=True)

    def clear(self) -> None:
        """Clear it; the next :meth:`draw` draws it below what was printed meanwhile."""
        with self._lock:
            if self._live is not None:
                self._live.stop()
                self._live = None

    def end(self) -> None:
        """Clear it for good, also from a handler of a signal."""
        self._ended = True
        if self._lock.acquire(timeout=_SECONDS):
            with suppress(Exception):
                self.clear()
            self._lock.release()
        # Whatever held the lock: a terminal keeps a hidden cursor.
        self._console.show_cursor()
