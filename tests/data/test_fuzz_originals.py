"""A hundred thousand malformed arrays and ten thousand malformed files: each is one error line."""

import gzip
import hashlib
import io
import random
import tracemalloc
from pathlib import Path

import pytest

from ntk_mnist.data.catalogue import CATALOGUE, DatasetError, Description
from ntk_mnist.data.originals import canonical, prepare, read_idx

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


def made_up(content: bytes) -> Description:
    """A dataset each of whose files has this content."""
    digest = hashlib.sha256(content).hexdigest()
    return Description("Made up", tuple((f"{i}.gz", digest) for i in range(4)), 6, 6, (4, 3), 255)


@pytest.mark.slow
def test_malformed_files_are_refused_in_one_line_or_are_the_original() -> None:
    rng = random.Random(0)
    description, refused = made_up(IDX), 0
    tracemalloc.start()
    for i in range(FILES):
        match i % 4:
            case 0:
                file = mangled(rng, ZIPPED)
            case 1:
                file = gzip.compress(mangled(rng, IDX), 1)
            case 2:
                file = mangled(rng, IDX)
            case _:
                file = gzip.compress(mangled(rng, ZIPPED), 1)
        try:
            found = canonical(file, description, "train_images")
        except DatasetError as error:
            assert "\n" not in str(error)  # noqa: PT017
            refused += 1
        else:
            assert gzip.decompress(found) == IDX
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused > FILES // 2
    assert peak < 4_000_000


def test_every_level_and_header_of_gzip_is_accepted() -> None:
    rng = random.Random(0)
    description = made_up(IDX)
    for _ in range(1000):
        buffer = io.BytesIO()
        name, time = f"{rng.random()}", rng.randrange(2**32)
        with gzip.GzipFile(name, "wb", rng.randrange(10), buffer, time) as stream:
            stream.write(IDX)
        file = buffer.getvalue()
        for _ in range(rng.randrange(2)):
            file = gzip.compress(file, rng.randrange(10))
        assert gzip.decompress(canonical(file, description, "train_images")) == IDX


@pytest.mark.slow
@pytest.mark.parametrize("layers", [1, 2])
def test_a_gzip_bomb_takes_little_memory(tmp_path: Path, layers: int) -> None:
    # 256 MB of zeros in 256 kB, or in much less.
    bomb = tmp_path / "bomb.gz"
    with gzip.open(bomb, "wb", compresslevel=6) as stream:
        stream.write(IDX[:16])
        for _ in range(256):
            stream.write(bytes(1 << 20))
    file = bomb.read_bytes()
    if layers == 2:
        file = gzip.compress(file)
    tracemalloc.start()
    with pytest.raises(DatasetError, match=r"wrong content .more than 88 bytes"):
        canonical(file, made_up(IDX), "train_images")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6_000_000


def test_a_file_that_does_not_end_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CATALOGUE, "mnist", made_up(IDX))
    long = tmp_path / "long"
    with long.open("wb") as stream:
        stream.truncate(10**12)
    tracemalloc.start()
    with pytest.raises(DatasetError, match="not the original file"):
        prepare("mnist", [long] * 4, tmp_path / "prepared")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6_000_000
    assert not (tmp_path / "prepared").exists()
