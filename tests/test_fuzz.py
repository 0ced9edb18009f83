"""A hundred thousand malformed files and ten thousand malformed configs: each one line."""

import copy
import gzip
import hashlib
import io
import random
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import REPOSITORY

from ntk_mnist.config import problems
from ntk_mnist.datasets import CATALOGUE, DatasetError, Description
from ntk_mnist.originals import _read_gzipped_idx, prepare, read_idx

ARRAYS, FILES, CONFIGS = 100_000, 10_000, 10_000
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
            # A header that promises up to 2^96 bytes.
            return content[:4] + rng.randbytes(12) + content[16:]


def test_malformed_arrays_are_refused_or_are_the_array() -> None:
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


def test_malformed_gzip_files_are_refused_or_are_the_array(tmp_path: Path) -> None:
    rng = random.Random(0)
    file = tmp_path / "x.gz"
    refused = 0
    tracemalloc.start()
    for i in range(FILES):
        content = mangled(rng, ZIPPED) if i % 2 else gzip.compress(mangled(rng, IDX), 1)
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


def test_a_gzip_bomb_takes_no_more_than_the_array(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 256 MB of zeros in 256 kB, with the right checksum: as from a source of one's own.
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
    with pytest.raises(DatasetError, match="promises 72 bytes of data, the file holds more"):
        prepare("mnist", [bomb] * 4, tmp_path / "prepared")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * bomb.stat().st_size + 1_000_000
    assert not (tmp_path / "prepared").exists()


SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
DEFAULT = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
ODD: list[Any] = [
    None, True, 0, -1, 1.5, 10**400, float("nan"), float("inf"), "", " ", "64", "1e3", "..",
    "a/b", "$(rm -rf .)", "; ls", "--help", "\n", "\x00", "é", [], [[]], {}, {"a": {}},
    [None], [64, 64], ["64"], {"widths": 3}, "mnist", "relu", [1] * 1000, "x" * 10_000,
]  # fmt: skip


def places(config: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        config.items()
        if isinstance(config, dict)
        else enumerate(config)
        if isinstance(config, list)
        else ()
    )
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def test_malformed_configs_are_told_in_lines() -> None:
    rng = random.Random(0)
    everywhere = places(DEFAULT)[1:]
    accepted = 0
    for _ in range(CONFIGS):
        config = copy.deepcopy(DEFAULT)
        for *parents, last in rng.sample(everywhere, rng.randint(1, 3)):
            place: Any = config
            for key in parents:
                inside = isinstance(place, dict) and key in place
                inside = inside or (
                    isinstance(place, list) and isinstance(key, int) and key < len(place)
                )
                place = place[key] if inside else None
            if isinstance(place, dict):
                match rng.randrange(3):
                    case 0:
                        place.pop(last, None)
                    case 1:
                        place[f"{last}s"] = rng.choice(ODD)
                    case _:
                        place[last] = rng.choice(ODD)
            elif isinstance(place, list) and isinstance(last, int) and last < len(place):
                place[last] = rng.choice(ODD)
        lines = problems(config, SCHEMA)
        assert all(line and "\n" not in line and len(line) < 1000 for line in lines)
        accepted += not lines
        if not lines:
            assert np.isfinite(config["network"]["optimizer"]["step_size"])
            assert config["experiment"].replace("_", "").replace("-", "").isalnum()
    assert accepted < CONFIGS // 4
