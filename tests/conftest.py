"""What several tests need: the bundled digits as a dataset, and a checkout to run in."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ntk_mnist.datasets import Dataset, load
from ntk_mnist.originals import prepare

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
    return folder
