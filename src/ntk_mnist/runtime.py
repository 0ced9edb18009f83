"""What decides a cell's bits in its process, set before JAX is imported."""

import os
from collections.abc import Iterable

__all__ = ["bound_threads", "ignore_settings", "let_idle_threads_sleep", "threads"]

#: Variables of JAX that choose a device or what is shown. Others may decide a number, and so may
#: those of versions to come.
_HARMLESS = {
    "JAX_PLATFORMS",
    "JAX_CUDA_VISIBLE_DEVICES",
    "JAX_ROCM_VISIBLE_DEVICES",
    "JAX_COMPILATION_CACHE_DIR",
    "JAX_ENABLE_COMPILATION_CACHE",
    "JAX_LOGGING_LEVEL",
    "JAX_LOG_COMPILES",
    "JAX_DEBUG_LOG_MODULES",
    "JAX_TRACEBACK_FILTERING",
}
#: XLA's flags that say where its files are.
_HARMLESS_FLAGS = ("--xla_gpu_cuda_data_dir", "--xla_dump_")
#: Of other libraries, variables that choose how numbers are computed.
_OTHERS = {
    "LIBTPU_INIT_ARGS",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "NVIDIA_TF32_OVERRIDE",
    "OPENBLAS_CORETYPE",
}


def bound_threads(threads: int) -> None:
    """Bound the pools of XLA, OpenBLAS and OpenMP, which read these when they are imported.

    XLA gets the cell's threads, the others one: LAPACK's bits depend on the count, and small
    diagonalizations gain nothing from a second.
    """
    os.environ["NPROC"] = str(threads)
    # On a GPU, a cell takes only the memory that it uses, so that several share a card.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"


def let_idle_threads_sleep() -> None:
    """Make OpenBLAS's threads sleep between calls, before NumPy is imported.

    By default they wait for the next call on a core that XLA's threads need: an exact solve, which
    gives OpenBLAS several threads, would take three times as long.
    """
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")


def threads() -> int:
    """Of this process: what :func:`bound_threads` was called with, or the machine's cores."""
    return int(os.environ.get("NPROC") or os.cpu_count() or 1)


def ignore_settings() -> list[str]:
    """Remove from the environment what would decide numbers without a trace in a cell's record.

    The package decides its types, random numbers and precision itself (``compilation.pinned``). A
    process also uses one device only.

    Returns:
        The variables and flags that were removed.
    """
    removed = [name for name in sorted(os.environ) if _decides(name)]
    for name in removed:
        del os.environ[name]
    flags = os.environ.pop("XLA_FLAGS", "").split()
    kept = [flag for flag in flags if flag.startswith(_HARMLESS_FLAGS)]
    if kept:
        os.environ["XLA_FLAGS"] = " ".join(kept)
    return [*removed, *_without(flags, kept)]


def _decides(name: str) -> bool:
    return (name.startswith("JAX_") and name not in _HARMLESS) or name in _OTHERS


def _without(flags: Iterable[str], kept: list[str]) -> list[str]:
    return [f"XLA_FLAGS {flag}" for flag in flags if flag not in kept]
