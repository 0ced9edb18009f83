"""Arrays that may be larger than memory: they are mapped files where memory is short.

A mapped file is read and written as an array; the operating system keeps in memory what was used
last, and the rest on disk. How much memory there is depends on the machine, and on the limit of the
control group, by which Slurm and containers bound a process.
"""

import os
import tempfile
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import TypeAlias

import numpy as np
import psutil
from numpy.typing import NDArray

__all__ = ["Shape", "bytes_of", "mapped", "memory_left"]

Shape: TypeAlias = tuple[int, ...]

_GROUPS = Path("/sys/fs/cgroup")
_BLOCK = 4096


def bytes_of(shapes: Sequence[Shape]) -> int:
    """Of float32 arrays of these shapes."""
    return sum(prod(shape) * np.dtype(np.float32).itemsize for shape in shapes)


def memory_left(group: Path | None = None) -> float:
    """Bytes that this process may still take without swapping or being killed.

    Args:
        group: the folder of its control group; if None, that of Linux, if there is one.
    """
    left: float = psutil.virtual_memory().available
    group = _group() if group is None else group
    while group is not None and (group / "memory.max").is_file():
        limit = (group / "memory.max").read_text().strip()
        if limit != "max":
            # What files take is given up when it is needed.
            files = _statistic(group / "memory.stat", "file")
            left = min(left, int(limit) - int((group / "memory.current").read_text()) + files)
        group = group.parent
    return left


def mapped(folder: Path, shapes: Sequence[Shape]) -> list[NDArray[np.float32]]:
    """Arrays of float32 in a file that vanishes with the process.

    Args:
        folder: on a disk with room for all of them; created if needed.
        shapes: of the arrays.

    Raises:
        OSError: there is no room.
    """
    folder.mkdir(parents=True, exist_ok=True)
    starts = [0]
    for shape in shapes:
        starts.append(-(-(starts[-1] + bytes_of([shape])) // _BLOCK) * _BLOCK)
    with tempfile.TemporaryFile(dir=folder) as file:
        # Now, and not when a page of the map cannot be written, which would kill the process.
        os.posix_fallocate(file.fileno(), 0, max(starts[-1], 1))
        return [
            np.memmap(file, np.float32, "r+", offset=start, shape=shape)
            for start, shape in zip(starts, shapes, strict=False)
        ]


def _group() -> Path | None:
    """The folder of this process's control group (version 2)."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    paths = [line.removeprefix("0::") for line in lines if line.startswith("0::")]
    return _GROUPS / paths[0].lstrip("/") if paths else None


def _statistic(file: Path, name: str) -> int:
    rows = (line.split() for line in file.read_text().splitlines())
    return next((int(value) for key, value in rows if key == name), 0)
