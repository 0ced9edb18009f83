"""Damage is found in any block of a file, and a reader of its beginning checks no more than that."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ntk_mnist.store.file_digests import FileDigest, FileDigests, write_digests

BLOCK = 1 << 17
SIZES = {"empty": 0, "small": 10, "one": BLOCK, "more": BLOCK + 1, "large": 5 * BLOCK // 2}


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    for name, size in SIZES.items():
        (tmp_path / name).write_bytes(bytes(i * 31 % 256 for i in range(size)))
    write_digests(tmp_path / "made.json", SIZES, {"settings": {"dataset": "digits"}})
    return tmp_path / "made.json"


def test_files_that_nobody_changed_are_not_damaged(listing: Path) -> None:
    assert FileDigests.read(listing).damaged(listing.parent) == []
    assert json.loads(listing.read_text())["settings"] == {"dataset": "digits"}


@pytest.mark.parametrize("at", [0, BLOCK - 1, BLOCK, 5 * BLOCK // 2 - 1])
def test_a_flipped_byte_is_found_and_only_by_those_who_read_its_block(
    listing: Path, at: int
) -> None:
    file = listing.parent / "large"
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    digests = FileDigests.read(listing)
    assert digests.damaged(listing.parent) == ["large"]
    digest = digests.digests["large"]
    for end in (1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1, len(content)):
        blocks_read = -(-end // BLOCK)
        assert digest.matches(file, end) == (at >= blocks_read * BLOCK)


@pytest.mark.parametrize(
    "change", [lambda c: c[:-1], lambda c: c + b"x", lambda c: b"", lambda c: c[::-1] + b""]
)
@pytest.mark.parametrize("name", ["small", "one", "more", "large"])
def test_a_file_of_another_length_or_content_is_damaged_for_every_reader(
    listing: Path, name: str, change: Callable[[bytes], bytes]
) -> None:
    file = listing.parent / name
    file.write_bytes(change(file.read_bytes()))
    digests = FileDigests.read(listing)
    assert digests.damaged(listing.parent) == [name]
    assert not digests.digests[name].matches(file, 1)


def test_a_missing_file_is_not_called_damaged(listing: Path) -> None:
    (listing.parent / "large").unlink()
    assert FileDigests.read(listing).damaged(listing.parent) == []


def test_a_flipped_byte_in_the_listing_is_found(listing: Path) -> None:
    content = listing.read_bytes()
    for i in range(len(content)):
        listing.write_bytes(content[:i] + bytes([content[i] ^ 1 << i % 8]) + content[i + 1 :])
        with pytest.raises(ValueError, match=r"checksum"):
            FileDigests.read(listing)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b'{"digests": {"large": {}}}', b'{"digests": 3}']
)
def test_a_listing_that_is_no_listing_is_an_error(listing: Path, content: bytes) -> None:
    listing.write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        FileDigests.read(listing)


def test_a_file_is_read_in_blocks(listing: Path) -> None:
    assert [len(FileDigest.of(listing.parent / name).blocks) for name in SIZES] == [0, 1, 1, 2, 3]
