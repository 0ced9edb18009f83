"""A hundred thousand malformed arrays and ten thousand malformed files: each is one error line."""

import gzip
import hashlib
import io
import random
import tracemalloc
from pathlib import Path

import pytest

from ntk_mnist.data.catalogue import CATALOGUE, DatasetError, Description
from ntk_mnist.data.originals import _read_gzipped_idx, prepare, read_idx

ARRAYS, FILES = 100_000, 10_000
SHAPE = (6, 4, 3)
IDX = bytes([0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 4, 0, 0, 0, 3]) + bytes(range(72))
ZIPPED = gzip.compress(IDX, 1)


def mangled(rng: random.Random, content: bytes) -> bytes:
    """``content`` with bytes flipped, cut, inserted, repeated or replaced."""
    match rng.randrange(6):
        case 0:
            flipped = bytearray(content)
            for _ in range(rng.randint(1, 8)):
                flipped[rng.randrange(len(flipped))] ^= rng.randrange(1, 256)
            return bytes(flipped)
        case 1:
            return content[: rng.randrange(len(content))]
        case 2:
            at = rng.randrange(len(content))
            return content[:at] + rng.randbytes(rng.randint(1, 50)) + content[at:]
        case 3:
            return content * rng.randint(2, 5)
        case 4:
            return rng.randbytes(rng.randrange(200))
        case _:
            # A header that states up to 2^96 bytes.
            return content[:4] + rng.randbytes(12) + content[16:]


def test_malformed_arrays_are_refused_in_one_line_or_have_the_expected_shape() -> None:
    rng = random.Random(0)
    refused = 0
    for _ in range(ARRAYS):
        try:
            array = read_idx(io.BytesIO(mangled(rng, IDX)), SHAPE)
        except DatasetError as error:
            assert "\n" not in str(error)  # noqa: PT017
            refused += 1
        else:
            assert array.shape == SHAPE
    assert refused > ARRAYS // 2


@pytest.mark.slow
def test_malformed_gzip_files_are_refused_in_one_line_or_have_the_expected_shape(
    tmp_path: Path,
) -> None:
    rng = random.Random(0)
    refused = 0
    tracemalloc.start()
    for i in range(FILES):
        content = mangled(rng, ZIPPED) if i % 2 else gzip.compress(mangled(rng, IDX), 1)
        # A new file each time: some file systems take long to overwrite one.
        file = tmp_path / f"{i}.gz"
        file.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        try:
            array = _read_gzipped_idx(file, digest, SHAPE)
        except DatasetError as error:
            assert "\n" not in str(error)  # noqa: PT017
            refused += 1
        else:
            assert array.shape == SHAPE
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused > FILES // 2
    assert peak < 2_000_000


def test_a_gzip_bomb_takes_no_more_memory_than_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 256 MB of zeros in 256 kB. Its checksum is the known one.
    bomb = tmp_path / "bomb.gz"
    with gzip.open(bomb, "wb", compresslevel=6) as stream:
        stream.write(IDX[:16])
        for _ in range(256):
            stream.write(bytes(1 << 20))
    digest = hashlib.sha256(bomb.read_bytes()).hexdigest()
    description = Description(
        "Bomb", tuple((bomb.name, digest) for _ in range(4)), 6, 6, (4, 3), 255
    )
    monkeypatch.setitem(CATALOGUE, "mnist", description)
    tracemalloc.start()
    with pytest.raises(DatasetError, match="states 72 bytes of data, the file holds more"):
        prepare("mnist", [bomb] * 4, tmp_path / "prepared")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * bomb.stat().st_size + 1_000_000
    assert not (tmp_path / "prepared").exists()
