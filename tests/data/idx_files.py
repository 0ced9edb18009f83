"""Original files in MNIST's format, made up for tests."""

import struct
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: The contents of files by their names.
Contents: TypeAlias = dict[str, bytes]


def idx(array: NDArray[Any]) -> bytes:
    """An array of unsigned bytes in the IDX format."""
    header = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


def write_files(folder: Path, contents: Contents) -> Path:
    """Write the files into the folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def read_files(folder: Path) -> Contents:
    """The contents of all files in the folder, also of hidden ones."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}
