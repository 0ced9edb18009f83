"""Snakemake's messages as a person reads them: a panel on a terminal, else a few plain lines.

Snakemake's own log file has everything. Its events are strings here, as nothing in the package
imports Snakemake.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from ntk_mnist.terminal.lines import Lines
from ntk_mnist.terminal.run import Run

__all__ = ["Milestones", "Terminal"]

#: Seconds between two looks at a run.
_TICK = 1.0
#: Begins what Snakemake says of things that take minutes, or that happen seldom.
_TELLING = ("Creating conda", "Downloading", "Pulling", "Trying to restart")
#: Begins what it says of a failed job beside what we show: its whole command, and that a shard
#: which was not there before is not there.
_REPEATED = ("RuleException:\nCalledProcessError", "Cannot restore ")


class Milestones(logging.Handler):
    """Follows a run, whoever shows it: when its plan is known, its jobs, and if there are none.

    Snakemake has no hooks for `--dry-run` and for what is up to date.

    Args:
        planned: called when the plan is known; gives the run, if it is one.
        nothing: the message that there is nothing to do.
        up_to_date: called then.
    """

    def __init__(
        self, planned: Callable[[], Run | None], nothing: str, up_to_date: Callable[[], object]
    ) -> None:
        super().__init__()
        self._planned: Callable[[], Run | None] | None = planned
        self._nothing, self._up_to_date = nothing, up_to_date
        self.run: Run | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Look whether a message is one of these."""
        event = _event(record)
        # A plan states its jobs before and after them.
        if event == "run_info" and self._planned:
            planned, self._planned = self._planned, None
            self.run = planned()
        elif event == "job_info" and self.run:
            self.run.start(getattr(record, "jobid", -1))
        elif event == "job_error" and self.run:
            self.run.fail(getattr(record, "jobid", -1))
        elif event == "job_finished" and self.run:
            self.run.finish(getattr(record, "job_id", -1))
        elif record.msg == self._nothing:
            self._up_to_date()


class Terminal(logging.Handler):
    """Shows what a person needs to know in place of Snakemake's own handler.

    Args:
        inner: Snakemake's handler, which prints what is shown as it is.
        say: prints a line and writes it to Snakemake's log file.
        ours: folders and files whose own messages are shown.
        show_logs: whether the logs of failed jobs are shown.
        talking: rules whose jobs print to the terminal; the panel is away meanwhile.
    """

    def __init__(
        self,
        inner: "logging.StreamHandler[TextIO]",
        say: Callable[[str], object],
        ours: tuple[str, ...],
        *,
        show_logs: bool = True,
        talking: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__()
        self._inner, self._say, self._ours = inner, say, ours
        self._show_logs, self._talking = show_logs, talking
        self._executing = False
        self.run: Run | None = None
        self._panel: Any = None
        self._lines: Lines | None = None
        self._ended = threading.Event()

    @property
    def is_live(self) -> bool:
        """Whether the stream is a terminal that can move its cursor."""
        return bool(getattr(self._inner, "is_tty", False)) and not _is_dumb()

    def begin(self, run: Run) -> None:
        """Show a run from now on."""
        self.run = run
        if self.is_live:
            # It takes a tenth of a second to import.
            from ntk_mnist.terminal.panel import Panel

            self._panel = Panel(run, self._inner.stream)
        else:
            self._lines = Lines(run)
        threading.Thread(target=self._look, daemon=True).start()

    def end(self) -> None:
        """Show the run no longer."""
        self._ended.set()
        if self._panel:
            self._panel.end()

    def close(self) -> None:
        """End, at the end of Snakemake."""
        self.end()
        self._inner.close()
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Show a message, or what it is about."""
        try:
            self._show(record)
        except Exception:
            self.handleError(record)

    def _show(self, record: logging.LogRecord) -> None:
        event = _event(record)
        if not self._executing:
            # Of a command that runs nothing, as `--list` and `--report`.
            self._executing = event == "workflow_started"
            if not self._executing:
                self._inner.handle(record)
        elif event == "job_error":
            with self._away():
                for line in self._failure(record):
                    self._print(line)
        elif event in (None, "error") and self._is_shown(record):
            with self._away():
                self._inner.handle(record)

    def _is_shown(self, record: logging.LogRecord) -> bool:
        said = str(record.msg)
        if said.startswith(_REPEATED):
            return False
        return (
            record.levelno >= logging.WARNING
            or record.pathname.startswith(self._ours)
            or said.startswith(_TELLING)
        )

    def _failure(self, record: logging.LogRecord) -> Iterator[str]:
        number, logs = getattr(record, "jobid", -1), list(getattr(record, "log", ()))
        job = self.run.jobs.get(number) if self.run else None
        what = f"{job.rule}, {job.what}" if job else getattr(record, "rule_name", "a job")
        yield f"Failed: {what}{'. Its log:' if logs else ''}"
        for log in logs:
            yield f"{log}:" if self._show_logs else str(log)
            if self._show_logs:
                try:
                    yield Path(log).read_text(errors="replace").rstrip()
                except OSError:
                    yield "(there is none)"

    def _print(self, text: str) -> None:
        record = logging.LogRecord("", logging.ERROR, "", 0, text, None, None)
        self._inner.handle(record)

    @contextmanager
    def _away(self) -> Iterator[None]:
        """While something is printed."""
        if self._panel:
            self._panel.clear()
        yield
        self._draw()

    def _draw(self) -> None:
        if self._panel and self.run and not self._ended.is_set():
            if self._talking & {job.rule for job, _ in self.run.running}:
                self._panel.clear()
            else:
                self._panel.draw()

    def _look(self) -> None:
        while not self._ended.wait(_TICK):
            if self._panel:
                self.acquire()
                try:
                    self._draw()
                finally:
                    self.release()
            elif self._lines and (line := self._lines.due()):
                self._say(line)


def _event(record: logging.LogRecord) -> str | None:
    event = getattr(record, "event", None)
    return None if event is None else str(event)


def _is_dumb() -> bool:
    return os.environ.get("TERM", "") in ("", "dumb", "unknown")
