"""A folder with the workflow in it, a small experiment, and what Snakemake does there."""

import atexit
import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pyarrow as pa

from ntk_mnist.store.schemas import SHARD_SCHEMAS, TABLE_SCHEMAS
from ntk_mnist.store.shards import read

REPOSITORY = Path(__file__).resolve().parents[1]

CONFIG = """
experiment: tiny
inputs: {dataset: digits, test_size: 100}
grid: {size: [64, 96], width: [8, 16]}
training: {epochs: 2, step_size: 0.1}
solve: {times: [10, 1000]}
"""
CELLS = {"network": 4, "kernel": 2}
TABLES_AND_CHARTS = {"table": 3, "chart": 5, "page": 1}
#: Of which a run has a job of each kind that makes a result; other charts are drawn as this one is.
RESULT_OF_EACH_KIND = "tables", "results/tiny/figures/calibration.png"
#: Of the files of a chart.
ENDINGS = ("html", "png", "svg", "pdf", "column.pdf")
#: What runs again after some networks, or some kernels, ran again.
AFTER_NETWORKS = Counter(table=1, chart=4, page=1)
AFTER_KERNELS = Counter(table=2, chart=4, page=1)
#: The architecture of the small experiment, in its paths.
RELU = "architecture=relu-depth2-W_std1.0-b_std0.0"
#: Has Snakemake print its own blocks and counts of jobs.
BLOCKS = "--printshellcmds"
#: Of rules that only name other files.
TARGETS = {
    *("total", "all", "data", "networks", "kernels", "tables", "partial_tables", "figures"),
    "evidence",
}


#: What no test has changed, with what the command of a cell sets before it imports.
_ENVIRONMENT = {**os.environ, "OPENBLAS_THREAD_TIMEOUT": "4"}
#: What a Snakemake and its jobs import, those of cells without pandas.
_LIBRARIES = {
    "snakemake": [
        *("jsonschema", "numpy", "pyarrow.parquet", "scipy.special", "smart_open"),
        *("snakemake.cli", "snakemake.report"),
    ],
    "cells": [
        *("jax.example_libraries.optimizers", "jax.experimental.serialize_executable"),
        *("jax.scipy.special", "msgspec.json", "psutil", "pyarrow.parquet", "scipy.linalg"),
    ],
    "others": [
        *("altair", "jinja2", "msgspec.json", "pandas", "pyarrow.compute", "pyarrow.parquet"),
        *("scipy.special", "vl_convert"),
    ],
}


def network_shard(width: int, size: int, architecture: str = RELU, output: str = "network") -> str:
    """The path of a network shard of the small experiment."""
    return f"results/tiny/{output}/{architecture}/width={width},size={size}.parquet"


def kernel_shard(size: int, architecture: str = RELU, output: str = "kernel") -> str:
    """The path of a kernel cell's shard of the small experiment."""
    return f"results/tiny/{output}/{architecture}/size={size}.parquet"


#: Of shards and of tables.
SCHEMAS = {**SHARD_SCHEMAS, **TABLE_SCHEMAS}


def without_times(file: Path, table: str) -> pa.Table:
    """A shard or table without the columns of wall times."""
    rows = read(file, SCHEMAS[table])[0]
    return rows.drop([name for name in rows.column_names if name.endswith("_seconds")])


def copy(checkout: Path, to: Path) -> Path:
    """A copy that shares the compiled programs."""
    return Path(shutil.copytree(checkout, to, symlinks=True))


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one worker build what is in a folder while the others wait."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@cache
def forks() -> Path:
    """A folder of programs: ``snakemake``, and a ``python`` for its jobs, that start as forks.

    The processes that fork end with this one.
    """
    folder = Path(tempfile.mkdtemp(prefix="ntk-mnist-forks-"))
    atexit.register(shutil.rmtree, folder)
    here = Path(__file__).parent
    started = [
        subprocess.Popen(
            [sys.executable, here / "forking.py", folder / f"forking {name}", *libraries],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env=_ENVIRONMENT,
        )
        for name, libraries in _LIBRARIES.items()
    ]
    for process in started:
        atexit.register(process.communicate)
        assert process.stdout
        assert process.stdout.readline() == b"listening\n"
    for name in ("snakemake", "python"):
        words = [sys.executable, "-ISE", str(here / "forked.py"), str(folder), name]
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        program.chmod(0o755)
    return folder


class Checkout:
    """A folder with the workflow in it, and what Snakemake does there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python_path = ""
        self.programs = Path(sys.executable).parent

    @property
    def environment(self) -> dict[str, str]:
        """That of a shell in which the tests' own programs and packages are found first."""
        first = self.programs, Path(sys.executable).parent
        path = os.pathsep.join([*map(str, first), os.environ["PATH"]])
        return {**os.environ, "PATH": path, "PYTHONPATH": self.python_path}

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
        """Start Snakemake in the background, at the head of its own group of processes."""
        with log.open("wb") as stream:
            return subprocess.Popen(
                ["snakemake", *arguments, "--configfile", "tiny.yaml"],
                cwd=self.folder,
                env=self.environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake on the small experiment."""
        # --configfile takes every word that follows it.
        return self.run([f"{forks()}/snakemake", *arguments, "--configfile", "tiny.yaml"])

    def jobs(self, *arguments: str) -> Counter[str]:
        """Run, and count the jobs by rule; rules that only name other files are left out."""
        result = self.snakemake("--nocolor", BLOCKS, *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return self.counted(result.stderr + result.stdout)

    def plan(self, *arguments: str) -> tuple[Counter[str], dict[str, set[str]]]:
        """The jobs that would run by rule, and the reasons that the plan gives by kind of job."""
        result = self.snakemake("--dry-run", "--nocolor", BLOCKS, *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        why: dict[str, set[str]] = {}
        for kind, reason in re.findall(r"Job \d+: (\w+).*\nReason: (.*)", result.stdout):
            found = re.findall(r"\.snakemake/because/(.*?)(?=, \.snakemake|;|$)", reason)
            why.setdefault(kind, set()).update(found)
        return self.counted(result.stderr + result.stdout), why

    @staticmethod
    def counted(output: str) -> Counter[str]:
        """The jobs by rule that Snakemake printed."""
        stats = re.search(r"^job +count\n-.*\n((?:.+\n)+)", output, re.M)
        counts = dict(line.split() for line in stats[1].splitlines()) if stats else {}
        return Counter({rule: int(n) for rule, n in counts.items() if rule not in TARGETS})

    def configure(self, text: str) -> None:
        """Write the config of the small experiment."""
        (self.folder / "tiny.yaml").write_text(text)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the first occurrence of a text in a file."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1))

    def table(self, name: str) -> pa.Table:
        """A table of the small experiment."""
        return read(self.folder / f"results/tiny/{name}.parquet", TABLE_SCHEMAS[name])[0]

    def tables(self) -> list[pa.Table]:
        """All tables without the columns of wall times."""
        folder = self.folder / "results/tiny"
        return [
            without_times(folder / f"{table}.parquet", table)
            for table in ("network", "kernel", "calibration")
        ]

    def results(self) -> set[str]:
        """The files below ``results``, without logs."""
        root = self.folder / "results"
        return {
            str(p.relative_to(root))
            for p in root.rglob("*")
            if p.is_file() and "logs" not in p.parts and p.name != "README.md"
        }
