"""A run of made-up jobs, and a clock that a test moves."""

from pathlib import Path

import pytest

from ntk_mnist.terminal.estimate import Pace, Work
from ntk_mnist.terminal.run import Job, Run


class Clock:
    """The clock of runs and of lines."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("ntk_mnist.terminal.run.time.monotonic", lambda: self.now)


def network(width: int, seconds: float, log: Path | None = None) -> Job:
    return Job("network", f"width {width:,}, size 64, relu", Work("network", seconds), log)


def made_up_run(networks: int = 4, cores: int = 2, pace: Pace | None = None) -> Run:
    """As many networks of 100 s, a kernel of 10 s and a chart of 4 s."""
    jobs = [network(2**i, 100.0) for i in range(networks)]
    jobs += [
        Job("kernel", "size 64, relu", Work("kernel", 10.0)),
        Job("chart", "comparison", Work("chart", 4.0)),
    ]
    return Run(dict(enumerate(jobs)), cores, pace or Pace())
