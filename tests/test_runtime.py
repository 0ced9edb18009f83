"""What decides bits is set before anything that reads it is imported: threads, and no settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import REPOSITORY

from ntk_mnist.runtime import bound_threads, ignore_settings

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


@pytest.mark.slow
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


@pytest.mark.parametrize(
    ("given", "kept", "removed"),
    [
        ({"JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}, {"JAX_PLATFORMS"}, ["JAX_ENABLE_X64"]),
        # Of a version to come.
        ({"JAX_SOME_NEW_SETTING": "1"}, set(), ["JAX_SOME_NEW_SETTING"]),
        ({"NVIDIA_TF32_OVERRIDE": "1"}, set(), ["NVIDIA_TF32_OVERRIDE"]),
        (
            {"XLA_FLAGS": "--xla_cpu_enable_fast_math=true --xla_dump_to=/d", "LANG": "C"},
            {"XLA_FLAGS", "LANG"},
            ["XLA_FLAGS --xla_cpu_enable_fast_math=true"],
        ),
        (
            {"XLA_FLAGS": " --xla_force_host_platform_device_count=2"},
            set(),
            ["XLA_FLAGS --xla_force_host_platform_device_count=2"],
        ),
        ({"XLA_PYTHON_CLIENT_PREALLOCATE": "true"}, {"XLA_PYTHON_CLIENT_PREALLOCATE"}, []),
    ],
)
def test_what_would_decide_a_number_is_removed_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], kept: set[str], removed: list[str]
) -> None:
    monkeypatch.setattr(os, "environ", dict(given))
    assert ignore_settings() == removed
    assert set(os.environ) == kept
    assert os.environ.get("XLA_FLAGS", "--xla_dump_to=/d") == "--xla_dump_to=/d"
