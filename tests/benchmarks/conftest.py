"""Runs a benchmark as a whole, from its command line."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

#: From the name of a benchmark and its arguments, the folder in which it wrote its results.
RunBenchmark: TypeAlias = Callable[..., Path]


@pytest.fixture
def run_benchmark(tmp_path: Path) -> RunBenchmark:
    """Runs a benchmark; fails with what it printed if it fails."""

    def run(name: str, *arguments: str) -> Path:
        results = tmp_path / "results"
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        done = subprocess.run(
            [*command, "--folder", str(results)],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return results

    return run
