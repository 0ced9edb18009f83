"""The pools of threads are bounded before anything that reads their sizes is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import REPOSITORY

from ntk_mnist.runtime import bound_threads

POOLS = ("NPROC", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in which nothing is set; it is restored afterwards."""
    for variable in (*POOLS, "XLA_PYTHON_CLIENT_PREALLOCATE"):
        monkeypatch.setenv(variable, "to be restored")
        monkeypatch.delenv(variable)


def test_xla_gets_the_threads_of_the_cell_and_linear_algebra_gets_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    bound_threads(3)
    assert [os.environ[variable] for variable in POOLS] == ["3", "1", "1", "1"]


@pytest.mark.parametrize(("given", "used"), [(None, "false"), ("true", "true")])
def test_a_cell_does_not_reserve_a_gpu_unless_the_variable_says_so(
    monkeypatch: pytest.MonkeyPatch, given: str | None, used: str
) -> None:
    if given:
        monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", given)
    bound_threads(1)
    assert os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] == used


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed on Linux only")
@pytest.mark.parametrize("threads", [1, 3])
def test_a_process_has_the_threads_that_it_is_bound_to(threads: int) -> None:
    program = f"""
from ntk_mnist.runtime import bound_threads
bound_threads({threads})
import sys
assert not {{"jax", "numpy"}} & set(sys.modules)
from pathlib import Path
def names():
    return [file.read_text().strip() for file in Path("/proc/self/task").glob("*/comm")]
import numpy as np
np.linalg.eigvalsh(np.eye(500))
linear_algebra = len(names())
import jax.numpy as jnp
jnp.ones((1500, 1500)).dot(1.0).block_until_ready()
print(linear_algebra, names().count("tf_XLAEigen"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", str(threads)]
