"""What several tests need: the bundled digits as a dataset, and a checkout to run in."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from ntk_mnist.datasets import Dataset, load
from ntk_mnist.originals import prepare
from ntk_mnist.shards import KERNEL_SCHEMA, NETWORK_SCHEMA, read

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def prepared_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of digits' arrays."""
    folder = tmp_path_factory.mktemp("prepared")
    prepare("digits", [], folder)
    return folder


@pytest.fixture(scope="session")
def digits(prepared_digits: Path) -> Dataset:
    """192 training images, which is no multiple of any padding, and 100 test images."""
    return load("digits", prepared_digits, 192, 100)


@pytest.fixture(scope="session")
def pristine_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone holds, without a run's traces."""
    folder = tmp_path_factory.mktemp("clone") / "ntk-mnist"
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listing.stdout.splitlines():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, target)
    # What one checkout compiled serves the jobs of all.
    (folder / "data").mkdir()
    (folder / "data/compiled").symlink_to(tmp_path_factory.mktemp("compiled"))
    return folder


def copy(checkout: Path, to: Path) -> Path:
    """A copy that shares the compiled programs."""
    return Path(shutil.copytree(checkout, to, symlinks=True))


CONFIG = """
experiment: tiny
dataset: digits
test_size: 100
sizes: [64, 96]
network: {widths: [8, 16], epochs: 2, optimizer: {step_size: 0.1}}
kernel: {times: [10, 1000]}
"""
CELLS = {"network": 4, "kernel": 2}
AFTER_CELLS = {"network_table": 1, "kernel_table": 1, "calibration_table": 1, "chart": 3}


ARCHITECTURE = '{"depth": 2, "activation": "relu", "W_std": 1.0, "b_std": 0.0}'
TRAINING = (
    '{"parameterization": "glorot", "optimizer": "momentum", "step_size": 0.01, "mass": 0.9,'
    ' "epochs": 2, "batch_size": 64}'
)


def network(prepared: Path, output: Path, *, dataset: str = "digits", width: int = 8,
            size: int = 64, threads: int = 1) -> list[str]:  # fmt: skip
    return [
        "network", "--threads", str(threads), "--dataset", dataset, "--prepared", str(prepared),
        "--test-size", "100", "--width", str(width), "--size", str(size), "--seed", "0",
        "--architecture", ARCHITECTURE, "--training", TRAINING, "--output", str(output),
        "--compiled", str(output.parent / "compiled"),
    ]  # fmt: skip


def kernel(prepared: Path, output: Path, *, dataset: str = "digits", size: int = 64,
           solver: str = "spectral") -> list[str]:  # fmt: skip
    return [
        "kernel", "--dataset", dataset, "--prepared", str(prepared), "--test-size", "100",
        "--size", str(size), "--architecture", ARCHITECTURE, "--kinds", "nngp", "ntk",
        "--times", "10", "1000", "--diag-reg", "0", "--output", str(output), "--solver", solver,
        "--compiled", str(output.parent / "compiled"),
        "--checkpoint", str(output.parent / "checkpoint"),
    ]  # fmt: skip


def without_times(file: Path, schema: pa.Schema) -> pa.Table:
    """A shard or table without the columns that tell times."""
    table = read(file, schema)[0]
    return table.drop([name for name in table.column_names if name.endswith("_seconds")])


class Checkout:
    """A folder with the workflow in it, and what Snakemake does there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python_path = ""

    @property
    def environment(self) -> dict[str, str]:
        """That of a shell in which the tests' own packages are found first."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "PYTHONPATH": self.python_path}

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
        """Snakemake in the background, at the head of its own group of processes."""
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
        # --configfile takes every word that follows it.
        return self.run(["snakemake", *arguments, "--configfile", "tiny.yaml"])

    def jobs(self, *arguments: str) -> Counter[str]:
        """Run, and count the jobs by rule; aggregate rules without a command are left out."""
        result = self.snakemake("--nocolor", *arguments)
        assert result.returncode == 0, result.stderr
        return self.counted(result.stderr + result.stdout)

    @staticmethod
    def counted(output: str) -> Counter[str]:
        """The jobs by rule that Snakemake said it would run."""
        stats = re.search(r"^job +count\n-.*\n((?:.+\n)+)", output, re.M)
        counts = dict(line.split() for line in stats[1].splitlines()) if stats else {}
        targets = {
            "total",
            "all",
            "data",
            "networks",
            "kernels",
            "tables",
            "partial_tables",
            "figures",
            "evidence",
        }
        return Counter({rule: int(n) for rule, n in counts.items() if rule not in targets})

    def configure(self, text: str) -> None:
        (self.folder / "tiny.yaml").write_text(text)

    def tables(self) -> list[pa.Table]:
        """Both tables without the columns that tell times."""
        folder = self.folder / "results/tiny"
        return [
            without_times(folder / "nn.parquet", NETWORK_SCHEMA),
            without_times(folder / "kernel.parquet", KERNEL_SCHEMA),
        ]

    def results(self) -> set[str]:
        root = self.folder / "results"
        return {
            str(p.relative_to(root))
            for p in root.rglob("*")
            if p.is_file() and "logs" not in p.parts and p.name != "README.md"
        }


@pytest.fixture
def fresh(pristine_checkout: Path, tmp_path: Path) -> Checkout:
    """A checkout in which nothing ran; its path has a space."""
    checkout = Checkout(copy(pristine_checkout, tmp_path / "a checkout"))
    checkout.configure(CONFIG)
    return checkout


@pytest.fixture(scope="session")
def finished(pristine_checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which the whole grid ran; tests must not change it."""
    folder = tmp_path_factory.mktemp("finished") / "checkout"
    checkout = Checkout(copy(pristine_checkout, folder))
    checkout.configure(CONFIG)
    assert checkout.jobs() == Counter(prepare=1, **CELLS, **AFTER_CELLS)
    return checkout


@pytest.fixture
def done(finished: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished checkout, for a test to change."""
    return Checkout(copy(finished.folder, tmp_path / "done"))
