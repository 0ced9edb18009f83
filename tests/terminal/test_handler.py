"""Which of Snakemake's messages a person reads."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest
from terminal.made_up_run import made_up_run

from ntk_mnist.terminal.handler import Milestones, Terminal
from ntk_mnist.terminal.run import Run

OURS = "/checkout/workflow"


class Log:
    """A terminal, or a pipe, and what was printed there."""

    def __init__(self, show_logs: bool = True) -> None:
        self.stream = io.StringIO()
        inner: logging.StreamHandler[TextIO] = logging.StreamHandler(self.stream)
        self.said: list[str] = []
        self.terminal = Terminal(inner, self.said.append, (OURS,), show_logs=show_logs)

    def log(
        self, message: str, level: int = logging.INFO, path: str = "/lib/snakemake", **extra: Any
    ) -> None:
        record = logging.LogRecord("", level, path, 1, message, None, None)
        record.__dict__.update(extra)
        self.terminal.handle(record)

    @property
    def printed(self) -> str:
        return self.stream.getvalue()


@pytest.fixture
def run() -> Iterator[Log]:
    log = Log()
    log.log("Workflow has started!", event="workflow_started")
    log.terminal.begin(made_up_run())
    yield log
    log.terminal.end()


def test_what_runs_nothing_prints_as_ever() -> None:
    log = Log()
    log.log("Unlocked working directory.")
    assert log.printed == "Unlocked working directory.\n"


def test_blocks_and_chatter_are_not_printed(run: Log) -> None:
    run.log("Select jobs to execute...")
    run.log("Job stats", event="run_info")
    run.log("rule", event="job_info", jobid=0)
    run.log("Shell command", event="shellcmd")
    run.log("Finished jobid: 0", event="job_finished", job_id=0)
    run.log("1 of 4 steps", event="progress")
    assert run.printed == ""


def test_warnings_errors_and_our_own_lines_are_printed(run: Log) -> None:
    run.log("a warning", logging.WARNING)
    run.log("Nothing is accepted", logging.ERROR, event="error", exception="WorkflowError")
    run.log("Infinite width", path=f"{OURS}/rules/headline.smk")
    run.log("Trying to restart job 3.")
    assert run.printed.splitlines() == [
        "a warning", "Nothing is accepted", "Infinite width", "Trying to restart job 3.",
    ]  # fmt: skip


@pytest.mark.parametrize("shows", [True, False])
def test_a_failed_job_shows_its_log_once(tmp_path: Path, shows: bool) -> None:
    log, file = Log(shows), tmp_path / "log"
    file.write_text("error: width 2 diverged\n")
    log.log("Workflow has started!", event="workflow_started")
    log.terminal.begin(made_up_run())
    log.log("RuleException:\nCalledProcessError in file", logging.ERROR, event="error")
    log.log("Error in rule", logging.ERROR, event="job_error", jobid=1, log=[str(file)])
    log.log("Cannot restore x: no backup found.", logging.WARNING)
    log.terminal.end()
    lines = log.printed.splitlines()
    assert lines[0] == "Failed: network, width 2, size 64, relu. Its log:"
    assert lines[1:] == ([f"{file}:", "error: width 2 diverged"] if shows else [str(file)])


def test_other_errors_of_a_rule_are_printed(run: Log) -> None:
    run.log("RuleException:\nMissing file", logging.ERROR, event="error")
    assert run.printed == "RuleException:\nMissing file\n"


def test_a_log_that_is_missing_hides_no_failure(run: Log, tmp_path: Path) -> None:
    run.log("x", logging.ERROR, event="job_error", jobid=77, rule_name="table", log=["nowhere"])
    assert run.printed.splitlines() == ["Failed: table. Its log:", "nowhere:", "(there is none)"]


def test_the_plan_is_told_once_and_its_jobs_are_followed() -> None:
    told: list[str] = []
    run = made_up_run()

    def plan() -> Run:
        told.append("plan")
        return run

    milestones = Milestones(plan, "Nothing to be done", lambda: told.append("nothing"))

    def log(message: str, event: str | None = None, **extra: int) -> None:
        record = logging.LogRecord("", logging.INFO, "", 1, message, None, None)
        record.__dict__.update(event=event, **extra)
        milestones.handle(record)

    # Of a job before the plan, there is none.
    log("job", "job_info", jobid=0)
    log("stats", "run_info")
    for number in range(3):
        log("job", "job_info", jobid=number)
    log("finished", "job_finished", job_id=0)
    log("failed", "job_error", jobid=1)
    log("stats", "run_info")
    log("other")
    assert (told, milestones.run) == (["plan"], run)
    assert (dict(run.done), dict(run.failed)) == ({"networks": 1}, {"networks": 1})
    assert [job for job, _ in run.running] == [run.jobs[2]]
    log("Nothing to be done")
    assert told == ["plan", "nothing"]
