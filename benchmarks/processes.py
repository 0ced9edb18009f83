"""Run a process, and measure its wall time and its peak memory."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ntk_mnist.runtime import bound_threads, let_idle_threads_sleep

__all__ = ["REPOSITORY", "RESULTS", "VARIABLES", "Finished", "bounded", "run"]

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = REPOSITORY / "benchmarks/results"
#: Environment of every process: this Python first, and this repository's package and benchmarks.
VARIABLES = {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]),
    "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)]),
}


class Finished(NamedTuple):
    """A process that succeeded.

    Attributes:
        seconds: its wall time.
        cpu_seconds: the time that processors worked on it and on what it waited for.
        peak_mb: the peak memory of the process or of one that it started, MB.
        stdout: what it printed.
        stderr: what it printed there.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    stdout: str
    stderr: str


def run(folder: Path, *command: str, variables: Mapping[str, str] | None = None) -> Finished:
    """Run a command in a folder.

    Args:
        folder: the working directory.
        command: a program and its arguments.
        variables: further environment variables.

    Raises:
        SystemExit: the command failed; with the end of what it printed.
    """
    environment = {**os.environ, **VARIABLES, **(variables or {})}
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=stdout, stderr=stderr
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        printed = []
        for stream in (stdout, stderr):
            stream.seek(0)
            printed.append(stream.read())
    if process.returncode:
        ends = "".join(text[-5000:] for text in printed)
        raise SystemExit(f"{' '.join(command)} failed:\n{ends}")
    return Finished(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, *printed)


def bounded(threads: int) -> dict[str, str]:
    """Environment variables that bound a process's thread pools as the command line does."""
    before = dict(os.environ)
    try:
        bound_threads(threads)
        let_idle_threads_sleep()
        return {name: v for name, v in os.environ.items() if before.get(name) != v}
    finally:
        os.environ.clear()
        os.environ.update(before)
