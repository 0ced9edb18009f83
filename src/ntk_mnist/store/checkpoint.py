"""Finished parts of a long cell on disk, so that a cell that was killed continues from them.

A folder holds one array a file and the record of the cell. If the record is another (another
setting, code or library), the folder is emptied first. The SHA-256 of each file is at its end: an
array that was damaged on disk counts as one that was never stored, and is computed again.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ntk_mnist.store.records import Record
from ntk_mnist.store.whole_files import write_whole

__all__ = ["Checkpoint"]

_DIGEST_SIZE = hashlib.sha256().digest_size
_CHUNK = 1 << 20


class Checkpoint(MutableMapping[str, NDArray[Any]]):
    """Arrays by name, in a folder.

    Args:
        folder: created if needed.
        made: the record of the cell.
        linked: whether arrays were computed from one another. If one of them is damaged, all are
            then removed: what would replace it need not fit the others.
    """

    def __init__(self, folder: Path, made: Record, *, linked: bool = False) -> None:
        self._folder = folder
        #: Names of arrays that this process found undamaged; each is read once for that.
        self._intact: set[str] = set()
        record, wanted = folder / "made.json", json.dumps(made, sort_keys=True).encode()
        if not record.is_file() or record.read_bytes() != wanted:
            self.remove()
            folder.mkdir(parents=True)
            record.write_bytes(wanted)
        for incoming in folder.glob(".incoming-*"):
            incoming.unlink()
        files = [*folder.glob("*.npy")] if linked else []
        if not all(self._check(file.stem) for file in files):
            for file in files:
                file.unlink(missing_ok=True)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A stored array."""
        if not self._check(name):
            raise KeyError(name)
        return np.asarray(np.load(self._file(name)))

    def __contains__(self, name: object) -> bool:
        """Whether an array is stored and undamaged; a file exists only if it is complete."""
        return self._file(str(name)).exists() and (name in self._intact or self._check(str(name)))

    def __setitem__(self, name: str, array: NDArray[Any]) -> None:
        """Store an array."""

        def write(stream: BinaryIO) -> None:
            hashing = _Hashing(stream)
            np.save(hashing, array)
            stream.write(hashing.sha256.digest())

        write_whole(self._file(name), write)

    def __delitem__(self, name: str) -> None:
        """Remove an array."""
        self._file(name).unlink()

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return (file.stem for file in self._folder.glob("*.npy") if file.stem in self)

    def __len__(self) -> int:
        """The number of arrays."""
        return sum(1 for _ in self)

    def remove(self) -> None:
        """Remove the folder."""
        if self._folder.exists():
            shutil.rmtree(self._folder)

    def _check(self, name: str) -> bool:
        """Whether a file is there and undamaged; a damaged one is removed."""
        file = self._file(name)
        if not file.exists():
            return False
        if _is_intact(file):
            self._intact.add(name)
            return True
        self._intact.discard(name)
        file.unlink()
        return False

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.npy"


class _Hashing:
    """A stream to write to, which hashes what it passes on; a copy of a large array is not made."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.sha256 = stream, hashlib.sha256()

    def write(self, content: bytes) -> int:
        """Write to the stream."""
        self.sha256.update(content)
        return self._stream.write(content)


def _is_intact(file: Path) -> bool:
    sha256, rest = hashlib.sha256(), file.stat().st_size - _DIGEST_SIZE
    with file.open("rb") as stream:
        while rest > 0 and (chunk := stream.read(min(_CHUNK, rest))):
            sha256.update(chunk)
            rest -= len(chunk)
        return stream.read() == sha256.digest()
