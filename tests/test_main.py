"""The command line: what a cell's process loads."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import REPOSITORY, kernel, network

HEAVY = {"altair", "neural_tangents", "pandas", "scipy", "sklearn", "snakemake", "tqdm", "pooch"}
# As the command line runs it, and then what it left imported.
PROGRAM = f"""
import os, runpy, sys
os._exit = sys.exit
try:
    runpy.run_module("ntk_mnist", run_name="__main__", alter_sys=True)
except SystemExit as end:
    assert not end.code, end
print(*sorted({HEAVY} & set(sys.modules)))
"""


@pytest.mark.parametrize(("command", "loaded"), [(network, ""), (kernel, "scipy")])
def test_a_cell_whose_program_is_kept_loads_nothing_that_it_does_not_use(
    prepared_digits: Path, tmp_path: Path, command: Callable[[Path, Path], list[str]], loaded: str
) -> None:
    for output in ("compiling", "keeping"):
        shard = tmp_path / f"{output}.parquet"
        said = subprocess.run(
            [sys.executable, "-c", PROGRAM, *command(prepared_digits, shard)],
            env={"PYTHONPATH": str(REPOSITORY / "src")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert said.strip() == loaded
