"""Arrays that may be larger than memory: they are mapped files where memory is short.

A mapped file is read and written as an array; the operating system keeps in memory what was used
last, and the rest on disk. How much memory there is depends on the machine, and on the limit of the
control group, by which Slurm and containers bound a process.
"""

import os
import tempfile
from collections.abc import Sequence
from math import inf, prod
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import psutil
from numpy.typing import NDArray

__all__ = ["Shape", "bytes_of", "mapped", "memory_left"]

Shape: TypeAlias = tuple[int, ...]

_OF_PROCESS = Path("/proc/self/cgroup")


class _Version(NamedTuple):
    """Where a version of Linux's control groups says what a group may take.

    Attributes:
        controllers: what a line of the process's groups states between its colons.
        root: the folder of all groups.
        limit, usage: files of a group, in bytes.
        files: in its statistics, what is given up when memory is needed.
    """

    controllers: str
    root: Path
    limit: str
    usage: str
    files: str


_VERSIONS = (
    _Version("", Path("/sys/fs/cgroup"), "memory.max", "memory.current", "file"),
    _Version(
        *("memory", Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
        *("memory.usage_in_bytes", "total_cache"),
    ),
)

_BLOCK = 4096


def bytes_of(shapes: Sequence[Shape]) -> int:
    """Of float32 arrays of these shapes."""
    return sum(prod(shape) * np.dtype(np.float32).itemsize for shape in shapes)


def memory_left(of_process: Path = _OF_PROCESS, versions: Sequence[_Version] = _VERSIONS) -> float:
    """Bytes that this process may still take without swapping or being killed.

    Args:
        of_process: the file that names the control groups of the process; without one, the
            machine's memory counts.
        versions: of control groups.
    """
    left: float = psutil.virtual_memory().available
    lines = of_process.read_text().splitlines() if of_process.is_file() else []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        for version in versions:
            if version.controllers == controllers:
                group = version.root / path.lstrip("/")
                # The limit of each group above it holds as well.
                for folder in (group, *group.parents[: len(Path(path).parts) - 1]):
                    left = min(left, _left_in(folder, version))
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


def _left_in(group: Path, version: _Version) -> float:
    """Of one control group; infinite without a limit, or if a container hides the group."""
    try:
        limit = (group / version.limit).read_text().strip()
        usage = int((group / version.usage).read_text())
        statistics = (group / "memory.stat").read_text().splitlines()
    except FileNotFoundError:
        return inf
    files = {name: int(value) for name, value in (line.split() for line in statistics)}
    return inf if limit == "max" else int(limit) - usage + files.get(version.files, 0)
