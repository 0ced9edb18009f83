"""Checkouts in which the workflow runs; the finished one is built once for all workers."""

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from checkout import CELLS, CONFIG, REPOSITORY, TABLES_AND_CHARTS, Checkout, copy, one_at_a_time


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of this run of the tests see."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def pristine_checkout(shared: Path, shared_data: Path) -> Path:
    """What a clone holds, without the traces of a run."""
    folder = shared / "clone/ntk-mnist"
    with one_at_a_time(shared):
        if folder.exists():
            return folder
        listing = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY,
            check=True,
            capture_output=True,
            text=True,
        )
        for name in filter(lambda name: (REPOSITORY / name).exists(), listing.stdout.splitlines()):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target)
        # What one checkout compiled serves the jobs of all.
        compiled = shared_data / "compiled"
        compiled.mkdir(parents=True, exist_ok=True)
        (folder / "data").mkdir()
        (folder / "data/compiled").symlink_to(compiled)
        # So does what Python compiles, and what a plan reads of the code.
        planned = Checkout(folder)
        planned.configure(CONFIG)
        planned.plan()
        shutil.rmtree(folder / ".snakemake")
        (folder / "tiny.yaml").unlink()
    return folder


@pytest.fixture
def fresh(pristine_checkout: Path, tmp_path: Path) -> Checkout:
    """A checkout in which nothing ran; its path has a space."""
    checkout = Checkout(copy(pristine_checkout, tmp_path / "a checkout"))
    checkout.configure(CONFIG)
    return checkout


@pytest.fixture(scope="session")
def finished(pristine_checkout: Path, shared: Path) -> Checkout:
    """A checkout in which the whole grid ran; tests must not change it."""
    checkout = Checkout(shared / "finished")
    with one_at_a_time(shared):
        if not checkout.folder.exists():
            building = Checkout(copy(pristine_checkout, shared / "building"))
            building.configure(CONFIG)
            assert building.jobs() == Counter(prepare=1, **CELLS, **TABLES_AND_CHARTS)
            building.folder.rename(checkout.folder)
    return checkout


@pytest.fixture
def done(finished: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished checkout, for a test to change."""
    return Checkout(copy(finished.folder, tmp_path / "done"))
