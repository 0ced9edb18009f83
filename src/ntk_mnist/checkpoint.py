"""Parts of a long cell on disk, so that one that was killed goes on where it was.

A folder holds an array a file, and what makes the cell: under another configuration, code or
library it is emptied and begun anew.
"""

import json
import shutil
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntk_mnist.provenance import Record
from ntk_mnist.whole_files import write_whole

__all__ = ["Checkpoint"]


class Checkpoint(MutableMapping[str, NDArray[Any]]):
    """Arrays by name, in a folder.

    Args:
        folder: made where it is needed.
        made: what makes the cell's file.
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
        """An array as it was put."""
        if name not in self:
            raise KeyError(name)
        return np.asarray(np.load(self._file(name)))

    def __contains__(self, name: object) -> bool:
        """Whether it was put; a file is there only if it is whole."""
        return self._file(str(name)).exists()

    def __setitem__(self, name: str, array: NDArray[Any]) -> None:
        """Put an array."""
        write_whole(self._file(name), lambda stream: np.save(stream, array))

    def __delitem__(self, name: str) -> None:
        """Forget an array."""
        self._file(name).unlink()

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return (file.stem for file in self._folder.glob("*.npy"))

    def __len__(self) -> int:
        """How many there are."""
        return sum(1 for _ in self)

    def remove(self) -> None:
        """Forget all of it."""
        if self._folder.exists():
            shutil.rmtree(self._folder)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.npy"
