"""The command line: what the process of a cell loads, and errors in one line."""

import subprocess
import sys
from pathlib import Path

import pytest
from checkout import REPOSITORY

from ntk_mnist.__main__ import CELLS, COMMANDS
from ntk_mnist.plan.cells import Cell, KernelCell, NetworkCell
from ntk_mnist.settings import Architecture, Inputs, Solve, Training
from ntk_mnist.store.shards import about

pytestmark = pytest.mark.slow

INPUTS = Inputs(dataset="digits", test_size=100)
NETWORK = NetworkCell(
    inputs=INPUTS,
    architecture=Architecture(),
    training=Training(epochs=2),
    width=8,
    size=64,
    seeds=(0, 1),
)
KERNEL = KernelCell(inputs=INPUTS, architecture=Architecture(), solve=Solve(times=(10.0,)), size=64)
HEAVY = {
    *("altair", "jsonschema", "neural_tangents", "pandas", "pooch", "scipy", "sklearn"),
    *("snakemake", "tqdm", "yaml"),
}
# As the command line runs it, and then what it has imported.
PROGRAM = f"""
import os, runpy, sys
os._exit = sys.exit
try:
    runpy.run_module("ntk_mnist", run_name="__main__", alter_sys=True)
except SystemExit as end:
    assert not end.code, end
print(*sorted({HEAVY} & set(sys.modules)))
"""


def arguments(cell: Cell, data: Path, folder: Path) -> list[str]:
    """Those of the command that runs a cell and writes into a folder."""
    outputs = [str(folder / cell.path(output)) for output in cell.outputs]
    return [cell.KIND, "--cell", cell.to_json(), "--data", str(data), "--output", *outputs]


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        # Wide enough for the help of each command to be one line.
        env={"PYTHONPATH": str(REPOSITORY / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def ntk_mnist(*words: str) -> subprocess.CompletedProcess[str]:
    """The command line."""
    return python("-m", "ntk_mnist", *words)


@pytest.mark.parametrize(("cell", "loaded"), [(NETWORK, ""), (KERNEL, "scipy")], ids=CELLS)
def test_a_cell_whose_program_is_stored_loads_no_library_that_it_does_not_use(
    prepared_digits: Path, tmp_path: Path, cell: Cell, loaded: str
) -> None:
    data = tmp_path / "data"
    (data / "prepared").mkdir(parents=True)
    (data / "prepared/digits").symlink_to(prepared_digits)
    for folder in ("compiles", "finds the program"):
        done = python("-c", PROGRAM, *arguments(cell, data, tmp_path / folder))
        assert done.returncode == 0, done.stderr
        for output in cell.outputs:
            assert about(tmp_path / folder / cell.path(output)).made == cell.record(output)
    assert done.stdout.strip() == loaded
    assert list((data / "compiled").iterdir())
    assert not list((data / "checkpoints").rglob("*.npy"))


def test_an_error_is_one_line_and_its_code_is_1(tmp_path: Path) -> None:
    done = ntk_mnist(*arguments(NETWORK, tmp_path, tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path}/prepared/digits/train_labels.npy: not a prepared")


def test_an_error_of_the_operating_system_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    folder = str(tmp_path / "file/folder")
    done = ntk_mnist("prepare", "--dataset", "digits", "--output", folder)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert folder in line


@pytest.mark.parametrize("cell", ["{}", "no JSON", KERNEL.to_json()])
def test_a_text_that_is_no_network_cell_is_refused(tmp_path: Path, cell: str) -> None:
    done = ntk_mnist("network", "--cell", cell, "--data", "x", "--output", str(tmp_path / "y"))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "python -m ntk_mnist network: error: argument --c"
    )
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [(), ("train",), ("network",), ("network", "--threads", "two")])
def test_wrong_arguments_show_the_usage(words: tuple[str, ...]) -> None:
    done = ntk_mnist(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m ntk_mnist")
    assert "Traceback" not in done.stderr


def test_the_help_lists_every_command_and_imports_no_library() -> None:
    program = PROGRAM.replace("assert not end.code, end", "pass")
    done = python("-c", program, "--help")
    *lines, loaded = done.stdout.splitlines()
    assert loaded == ""
    # A long name is on a line of its own.
    text = " ".join(" ".join(lines).split())
    for name, summary in COMMANDS.items():
        assert f" {name} {summary} " in text, name
