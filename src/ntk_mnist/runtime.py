"""What decides a cell's bits in its process, set before JAX is imported."""

import os

__all__ = ["bound_threads"]


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
