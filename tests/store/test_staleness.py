"""A file states what made it; if that is not what would make it now, the reasons say why."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from store.made_up_shards import KERNEL, MADE, NETWORK, row

from ntk_mnist.store.records import Record
from ntk_mnist.store.shards import about, write
from ntk_mnist.store.staleness import digest, reasons

OTHER: Record = {**MADE, "settings": MADE["settings"] | {"epochs": 30}}


def shard(folder: Path) -> Path:
    file = folder / "width=64,size=64.parquet"
    write(file, NETWORK, [row(NETWORK, seed=seed) for seed in (0, 1, 2)], MADE)
    return file


def arrays(folder: Path) -> Path:
    file = folder / "made.json"
    file.write_text(json.dumps(MADE))
    return file


def chart(folder: Path) -> Path:
    """The HTML of a chart as Altair writes it."""
    import altair as alt
    import pandas as pd

    figure = alt.Chart(pd.DataFrame({"x": [1.0], "name": ['"usermeta": {"ntk": 1}']})).mark_point()
    file = folder / "chart.html"
    figure.encode(x="x").properties(usermeta={"ntk_mnist": MADE}).save(file)
    return file


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


@pytest.mark.parametrize("write_file", [shard, arrays])
def test_a_truncated_file_is_damaged(write_file: Callable[[Path], Path], tmp_path: Path) -> None:
    file = write_file(tmp_path)
    file.write_bytes(file.read_bytes()[:-20])
    assert reasons(file, MADE) == [f"{file.name} is damaged"]


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


def test_the_digest_of_a_table_is_the_checksum_of_its_rows(tmp_path: Path) -> None:
    file = shard(tmp_path)
    assert digest(file) == about(file).sha256


def test_the_digest_of_a_file_that_cannot_be_read_is_its_fault(tmp_path: Path) -> None:
    (tmp_path / "damaged.parquet").write_bytes(b"")
    assert digest(tmp_path / "damaged.parquet") == "damaged"
    assert digest(tmp_path / "missing.parquet") == "missing"


def test_a_shard_without_seeds_is_current_if_none_are_wanted(tmp_path: Path) -> None:
    write(tmp_path / "k.parquet", KERNEL, [row(KERNEL)], MADE)
    assert reasons(tmp_path / "k.parquet", MADE) == []
