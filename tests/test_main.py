"""The command line: what a cell's process loads."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

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
CELL = [
    "--dataset", "digits", "--test-size", "100", "--size", "64",
    "--architecture", '{"depth": 2, "activation": "relu", "W_std": 1.0, "b_std": 0.0}',
]  # fmt: skip
NETWORK = [
    "network", *CELL, "--width", "8", "--seed", "0", "--training",
    '{"parameterization": "glorot", "optimizer": "momentum", "step_size": 0.01, "mass": 0.9,'
    ' "epochs": 2, "batch_size": 64}',
]  # fmt: skip
KERNEL = ["kernel", *CELL, "--kinds", "nngp", "--times", "10", "--diag-reg", "0"]


@pytest.mark.parametrize(("command", "loaded"), [(NETWORK, ""), (KERNEL, "scipy")])
def test_a_cell_whose_program_is_kept_loads_nothing_that_it_does_not_use(
    prepared_digits: Path, tmp_path: Path, command: list[str], loaded: str
) -> None:
    files = ["--prepared", str(prepared_digits), "--compiled", str(tmp_path / "compiled")]
    for output in ("compiling", "keeping"):
        shard = tmp_path / f"{output}.parquet"
        said = subprocess.run(
            [sys.executable, "-c", PROGRAM, *command, *files, "--output", str(shard)],
            env={"PYTHONPATH": str(REPOSITORY / "src")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert said.strip() == loaded
