"""Digests of files by blocks, by which damage is found in the part of a file that is read.

They are in a JSON file beside the files, together with the record of what made these and the
JSON file's own digest.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from ntk_mnist.store.stated_digest import PLACE, state_digest, stated_digest
from ntk_mnist.store.whole_files import write_whole

__all__ = ["FileDigest", "FileDigests", "write_digests"]

#: Small, as a cell of 64 images reads one block of them.
_BLOCK = 1 << 17


class FileDigest(Struct, frozen=True):
    """What is known of a file.

    Attributes:
        size: in bytes.
        blocks: the SHA-256 of each block; the last one may be shorter than the others.
    """

    size: int
    blocks: tuple[str, ...]

    @classmethod
    def of(cls, file: Path) -> "FileDigest":
        """Of a file that is right."""
        with file.open("rb") as stream:
            blocks = tuple(_block_digests(stream, None))
            return cls(stream.tell(), blocks)

    def matches(self, file: Path, end: int | None = None) -> bool:
        """Whether a file is the same up to the block in which byte ``end`` is, or all of it.

        Raises:
            OSError: it cannot be read.
        """
        with file.open("rb") as stream:
            if stream.seek(0, 2) != self.size:
                return False
            stream.seek(0)
            count = None if end is None else -(-end // _BLOCK)
            return tuple(_block_digests(stream, count)) == self.blocks[:count]


class FileDigests(Struct, frozen=True):
    """The digests of some files in a folder, by their names."""

    digests: Mapping[str, FileDigest]

    @classmethod
    def read(cls, listing: Path) -> "FileDigests":
        """What :func:`write_digests` wrote.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged.
        """
        content = listing.read_bytes()
        stated_digest(content)
        try:
            return msgspec.json.decode(content, type=cls)
        except msgspec.MsgspecError as error:
            raise ValueError(str(error)) from None

    def damaged(self, folder: Path) -> list[str]:
        """The names of the files that are not the same any more; a missing file is not named."""
        return [
            name
            for name, digest in self.digests.items()
            if (folder / name).exists() and not digest.matches(folder / name)
        ]


def write_digests(listing: Path, names: Iterable[str], made: Mapping[str, Any]) -> None:
    """Write the digests of files into a JSON file beside them.

    Args:
        listing: the JSON file.
        names: of the files.
        made: what else the JSON file says.
    """
    digests = {name: FileDigest.of(listing.parent / name) for name in names}
    listed = {**made, "digests": digests, "sha256": PLACE}
    content = state_digest(msgspec.json.encode(listed))
    write_whole(listing, lambda stream: stream.write(content))


def _block_digests(stream: BinaryIO, count: int | None) -> Iterable[str]:
    while count is None or count > 0:
        if not (block := stream.read(_BLOCK)):
            return
        yield hashlib.sha256(block).hexdigest()
        count = None if count is None else count - 1
