"""The bundled digits as a dataset, for tests of every room; and what makes tests fast."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ntk_mnist.runtime import bound_threads, ignore_settings

# Before NumPy and JAX are imported: two workers whose threads wait for one another take twice the
# time.
bound_threads(1)
# So that commands run by tests neither compute otherwise on some machines nor say so.
ignore_settings()
# Else each process of a test compiles the package, and reads its code for records, once more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

import jax  # noqa: E402
from jax.experimental.compilation_cache import compilation_cache  # noqa: E402
from settings_of_jax import settings_of_jax  # noqa: E402

from ntk_mnist.data.catalogue import ARRAYS, CATALOGUE, RECORD  # noqa: E402
from ntk_mnist.data.inputs import Dataset, load  # noqa: E402
from ntk_mnist.data.originals import prepare  # noqa: E402
from ntk_mnist.settings import Inputs  # noqa: E402
from ntk_mnist.store.file_digests import write_digests  # noqa: E402

#: Names a folder that all workers share.
_CACHE = "NTK_MNIST_TEST_CACHE"
#: Bytes. A larger folder is emptied before a run, as programs of old code stay in it.
_LARGEST = 4e9


def pytest_configure(config: pytest.Config) -> None:
    """Compile each program once in all workers and runs; most of a small solve is that.

    JAX finds a program again by what it computes, and the commands by the code that it is of.
    """
    if not hasattr(config, "workerinput"):
        assert config.cache
        kept = config.cache.mkdir("compiled")
        if sum(file.stat().st_size for file in kept.rglob("*")) > _LARGEST:
            shutil.rmtree(kept)
            kept.mkdir()
        os.environ[_CACHE] = str(kept)
    jax.config.update("jax_compilation_cache_dir", os.environ[_CACHE])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(ids: list[str]) -> None:
    """Stop if tests are not grouped: each worker would build what one worker builds for its group.

    pytest-xdist adds the group to the name of a test. Some versions of pytest drop it.
    """
    if any("@" not in name for name in ids if name.startswith("tests/browser/")):
        pytest.exit("tests are not grouped; pyproject.toml says with which pytest they are", 4)


@pytest.fixture(autouse=True, scope="module")
def forgotten_programs() -> Iterator[None]:
    """Free the programs of a module after it: Linux maps at most 65,530 pieces into a process."""
    yield
    jax.clear_caches()


@pytest.fixture
def cache_of_jax(tmp_path: Path) -> Iterator[Path]:
    """An empty folder in which JAX keeps each program that it compiles."""
    folder = tmp_path / "of jax"
    folder.mkdir()
    cache = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": 0,
    }
    try:
        with settings_of_jax(cache):
            compilation_cache.reset_cache()
            yield folder
    finally:
        compilation_cache.reset_cache()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """A data folder of all workers, for compiled programs and the script of pages."""
    return Path(os.environ[_CACHE], "data")


@pytest.fixture(scope="session")
def prepared_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of digits' arrays."""
    folder = tmp_path_factory.mktemp("data") / "prepared/digits"
    prepare("digits", [], folder)
    write_digests(folder / RECORD, [f"{array}.npy" for array in ARRAYS], {})
    return folder


@pytest.fixture(scope="session")
def digits(prepared_digits: Path) -> Dataset:
    """192 training images, which is no multiple of any padding, and 100 test images."""
    return load(CATALOGUE["digits"], Inputs(dataset="digits", test_size=100), prepared_digits, 192)
