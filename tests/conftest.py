"""The bundled digits as a dataset, for tests of every room."""

from pathlib import Path

import pytest

from ntk_mnist.data.inputs import Dataset, load
from ntk_mnist.data.originals import prepare
from ntk_mnist.settings import Inputs


@pytest.fixture(scope="session")
def prepared_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of digits' arrays."""
    folder = tmp_path_factory.mktemp("data") / "prepared/digits"
    prepare("digits", [], folder)
    return folder


@pytest.fixture(scope="session")
def digits(prepared_digits: Path) -> Dataset:
    """192 training images, which is no multiple of any padding, and 100 test images."""
    return load(Inputs(dataset="digits", test_size=100), prepared_digits, 192)
