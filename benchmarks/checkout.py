"""A copy of the workflow in a folder of its own, in which a benchmark runs it."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import REPOSITORY, run
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.plan.cells import Cell
from ntk_mnist.settings import Inputs

__all__ = ["cell_command", "default_inputs", "lay_out", "prepared_arrays", "write_config"]

_WORKFLOW = ("Snakefile", "workflow", "src", "config", "profiles", "environment.yml")


def lay_out(folder: Path, dataset: str) -> None:
    """Put the workflow and the prepared arrays of a dataset into an empty folder."""
    for name in _WORKFLOW:
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    prepared_arrays(folder, dataset)


def prepared_arrays(folder: Path, dataset: str) -> Path:
    """Put the prepared arrays of a dataset into ``folder``, and return where they are.

    Raises:
        SystemExit: this repository has no prepared arrays of a dataset that is not bundled.
    """
    arrays = folder / "data/prepared" / dataset
    prepared = REPOSITORY / "data/prepared" / dataset
    if not CATALOGUE[dataset].files:
        command = ("python", "-m", "ntk_mnist", "prepare", "--dataset", dataset)
        run(folder, *command, "--output", str(arrays))
    elif prepared.is_dir():
        shutil.copytree(prepared, arrays)
    else:
        raise SystemExit(f"{prepared} is missing; `snakemake data` makes it for MNIST")
    return arrays


def cell_command(module: str, cell: Cell, threads: int, results: Path) -> list[str]:
    """The process of a cell, which runs where the prepared arrays are in ``data``.

    Args:
        module: that Python runs, with the arguments of the cell's command.
        cell: of networks or kernels.
        threads: of the process.
        results: below which its shards are written.
    """
    command = [sys.executable, "-m", module, cell.KIND, "--threads", str(threads)]
    command += ["--cell", cell.to_json(), "--data", "data"]
    return [*command, "--output", *(str(results / cell.path(name)) for name in cell.outputs)]


def default_inputs(dataset: str) -> dict[str, Any]:
    """The section ``inputs`` of a config: the default one, or a smaller test set as a whole."""
    test_size = min(Inputs().test_size, CATALOGUE[dataset].test_size)
    return {"dataset": dataset, "test_size": test_size}


def write_config(file: Path, overlay: Mapping[str, Any]) -> None:
    """Write a config that overlays the default one."""
    file.write_text(yaml.safe_dump(dict(overlay)))
