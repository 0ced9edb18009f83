"""Finished parts of a long cell on disk, so that a cell that was killed continues from them.

A folder holds one array a file and the record of the cell. If the record is another (another
setting, code or library), the folder is emptied first.
"""

import json
import shutil
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntk_mnist.store.records import Record
from ntk_mnist.store.whole_files import write_whole

__all__ = ["Checkpoint"]


class Checkpoint(MutableMapping[str, NDArray[Any]]):
    """Arrays by name, in a folder.

    Args:
        folder: created if needed.
        made: the record of the cell.
    """

    def __init__(self, folder: Path, made: Record) -> None:
        self._folder = folder
        record, wanted = folder / "made.json", json.dumps(made, sort_keys=True)
        if not record.is_file() or record.read_text() != wanted:
            self.remove()
            folder.mkdir(parents=True)
            record.write_text(wanted)
        for incoming in folder.glob(".incoming-*"):
            incoming.unlink()

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A stored array."""
        if name not in self:
            raise KeyError(name)
        return np.asarray(np.load(self._file(name)))

    def __contains__(self, name: object) -> bool:
        """Whether an array is stored; a file exists only if it is complete."""
        return self._file(str(name)).exists()

    def __setitem__(self, name: str, array: NDArray[Any]) -> None:
        """Store an array."""
        write_whole(self._file(name), lambda stream: np.save(stream, array))

    def __delitem__(self, name: str) -> None:
        """Remove an array."""
        self._file(name).unlink()

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return (file.stem for file in self._folder.glob("*.npy"))

    def __len__(self) -> int:
        """The number of arrays."""
        return sum(1 for _ in self)

    def remove(self) -> None:
        """Remove the folder."""
        if self._folder.exists():
            shutil.rmtree(self._folder)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.npy"
