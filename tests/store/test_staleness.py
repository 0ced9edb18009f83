"""A file states what made it; if that is not what would make it now, the reasons say why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from store.made_up_shards import KERNEL, MADE, NETWORK, row

from ntk_mnist.charts.layouts import LAYOUTS
from ntk_mnist.commands.chart import render
from ntk_mnist.store import staleness
from ntk_mnist.store.file_digests import write_digests
from ntk_mnist.store.records import Record
from ntk_mnist.store.shards import about, write
from ntk_mnist.store.staleness import damage, digest, reasons

OTHER: Record = {**MADE, "settings": MADE["settings"] | {"epochs": 30}}


def shard(folder: Path) -> Path:
    file = folder / "width=64,size=64.parquet"
    write(file, NETWORK, [row(NETWORK, seed=seed) for seed in (0, 1, 2)], MADE)
    return file


def arrays(folder: Path) -> Path:
    for name in ("images.npy", "labels.npy"):
        (folder / name).write_bytes(name.encode() * 1000)
    write_digests(folder / "made.json", ["images.npy", "labels.npy"], MADE)
    return folder / "made.json"


def chart(folder: Path) -> Path:
    """A chart as the command writes it."""
    import altair as alt
    import pandas as pd

    figure = alt.Chart(pd.DataFrame({"x": [1.0], "name": ['"usermeta": {"ntk": 1}']})).mark_point()
    drawn: Any = figure.encode(x="x")
    drawn = drawn.properties(usermeta={"title": "A chart", "subtitle": []})
    render(dict.fromkeys(LAYOUTS, drawn), MADE, "", folder / "chart")
    return folder / "chart.html"


KINDS = pytest.mark.parametrize("write_file", [shard, arrays, chart])


@KINDS
def test_a_file_with_the_wanted_record_is_current(
    write_file: Callable[[Path], Path], tmp_path: Path
) -> None:
    assert reasons(write_file(tmp_path), MADE) == []


@KINDS
def test_a_file_with_another_record_is_stale_and_the_reason_is_the_difference(
    write_file: Callable[[Path], Path], tmp_path: Path
) -> None:
    assert reasons(write_file(tmp_path), OTHER) == ["epochs was 20, is 30"]


@KINDS
@pytest.mark.parametrize("damage", [lambda c: b"", lambda c: b"<html>", lambda c: b"\xff" * 99])
def test_a_file_that_cannot_be_read_is_damaged(
    write_file: Callable[[Path], Path], damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    file = write_file(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    assert reasons(file, MADE) == [f"{file.name} is damaged"]


@KINDS
def test_a_truncated_file_is_damaged(write_file: Callable[[Path], Path], tmp_path: Path) -> None:
    file = write_file(tmp_path)
    file.write_bytes(file.read_bytes()[:-20])
    assert reasons(file, MADE) == [f"{file.name} is damaged"]


@pytest.mark.parametrize("write_file", [shard, chart])
def test_a_flipped_byte_anywhere_is_damage(
    write_file: Callable[[Path], Path], tmp_path: Path
) -> None:
    file = write_file(tmp_path)
    content = file.read_bytes()
    for i in range(0, len(content), max(1, len(content) // 50)):
        file.write_bytes(content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :])
        assert reasons(file, MADE) == [f"{file.name} is damaged"]
        # Files that change within a tick of the clock look the same.
        staleness._digest.cache_clear()
        assert digest(file) == "damaged"


@pytest.mark.parametrize(
    ("write_file", "name"),
    [
        (arrays, "images.npy"),
        (arrays, "labels.npy"),
        (chart, "chart.png"),
        (chart, "chart.svg"),
        (chart, "chart.pdf"),
        (chart, "chart.column.pdf"),
    ],
)
def test_a_file_beside_the_record_is_checked_too(
    write_file: Callable[[Path], Path], name: str, tmp_path: Path
) -> None:
    file = write_file(tmp_path)
    other = tmp_path / name
    content = other.read_bytes()
    other.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    assert reasons(file, MADE) == [f"{name} is damaged"]
    assert reasons(file, OTHER) == ["epochs was 20, is 30"]
    # A missing file is Snakemake's to find.
    other.unlink()
    assert reasons(file, MADE) == []


def test_damage_of_listed_files_is_named(tmp_path: Path) -> None:
    listing = arrays(tmp_path)
    assert damage(listing) == []
    (tmp_path / "labels.npy").write_bytes(b"")
    assert damage(listing) == ["labels.npy is damaged"]
    listing.write_bytes(b"{")
    assert damage(listing) == ["made.json is damaged"]
    assert damage(tmp_path / "missing.json") == []


def test_a_missing_file_has_no_reasons(tmp_path: Path) -> None:
    assert reasons(tmp_path / "missing.parquet", MADE, seeds=[0]) == []


@pytest.mark.parametrize(
    ("seeds", "found"),
    [
        ([], []),
        ([0], []),
        ([2, 1, 0], []),
        ([0, 7], ["seed 7 is missing"]),
        ([9, 7, 0], ["seeds 7, 9 (2) are missing"]),
        ([3, 4, 5], ["seeds 3, 4, 5 (3) are missing"]),
        (range(25), ["seeds 3, 4, 5 ... (22) are missing"]),
    ],
)
def test_a_shard_is_stale_if_it_lacks_a_seed_and_the_reason_names_it(
    tmp_path: Path, seeds: Any, found: list[str]
) -> None:
    assert reasons(shard(tmp_path), MADE, seeds) == found


def test_another_record_is_the_reason_even_if_seeds_are_missing_too(tmp_path: Path) -> None:
    assert reasons(shard(tmp_path), OTHER, [7]) == ["epochs was 20, is 30"]


def test_the_digest_of_a_table_is_its_checksum(tmp_path: Path) -> None:
    file = shard(tmp_path)
    assert digest(file) == about(file).sha256


def test_the_digest_of_a_file_that_cannot_be_read_is_its_fault(tmp_path: Path) -> None:
    (tmp_path / "damaged.parquet").write_bytes(b"")
    assert digest(tmp_path / "damaged.parquet") == "damaged"
    assert digest(tmp_path / "missing.parquet") == "missing"


def test_a_shard_without_seeds_is_current_if_none_are_wanted(tmp_path: Path) -> None:
    write(tmp_path / "k.parquet", KERNEL, [row(KERNEL)], MADE)
    assert reasons(tmp_path / "k.parquet", MADE) == []
