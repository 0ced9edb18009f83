"""A table is the rows of its shards: checked, sorted, and with a row of nulls for what is missing."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from store.made_up_shards import ARCHITECTURES, NETWORK, SEEDS, SIZES, WIDTHS, write_networks

from ntk_mnist.store.shards import TableError, about
from ntk_mnist.store.tables import aggregate

ORDER = [(axis, "ascending") for axis in ("activation", "width", "size", "seed")]


@pytest.fixture
def shards(tmp_path: Path) -> dict[str, Path]:
    return write_networks(tmp_path)


def axes(table: pa.Table) -> list[tuple[Any, ...]]:
    """What identifies each row."""
    return list(zip(*(table[name].to_pylist() for name, _ in ORDER), strict=True))


def test_a_table_is_the_rows_of_its_shards_sorted(shards: dict[str, Path]) -> None:
    table = aggregate(NETWORK, shards, [], ORDER, {}).table
    everything = [
        (architecture.activation, width, size, seed)
        for architecture in ARCHITECTURES
        for width in WIDTHS
        for size in SIZES
        for seed in SEEDS
    ]
    assert axes(table) == sorted(everything)
    assert table.schema.equals(NETWORK)


def test_a_table_can_be_sorted_in_descending_order(shards: dict[str, Path]) -> None:
    table = aggregate(NETWORK, shards, [], [("width", "descending")], {}).table
    assert table["width"].to_pylist() == sorted(table["width"].to_pylist(), reverse=True)


def test_the_digests_are_those_in_the_shards(shards: dict[str, Path]) -> None:
    digests = aggregate(NETWORK, shards, [], ORDER, {}).digests
    assert digests == {name: about(file).sha256 for name, file in shards.items()}


def test_only_the_rows_with_the_given_values_are_taken(shards: dict[str, Path]) -> None:
    table = aggregate(NETWORK, shards, [], ORDER, {"seed": (7, 8), "width": [64]}).table
    assert len(table) == len(ARCHITECTURES) * len(SIZES)
    assert {(width, seed) for _, width, _, seed in axes(table)} == {(64, 7)}


def test_a_missing_observation_is_a_row_of_nulls_in_its_place(shards: dict[str, Path]) -> None:
    gap = {"activation": "erf", "width": 100, "size": 64, "seed": 0}
    table = aggregate(NETWORK, shards, [gap], ORDER, {"seed": SEEDS}).table
    assert axes(table) == sorted(axes(table))
    assert len(table) == len(shards) * len(SEEDS) + 1
    assert [row for row in table.to_pylist() if row["test_accuracy"] is None] == [
        dict.fromkeys(NETWORK.names) | gap
    ]


def test_a_table_of_no_shards_has_the_columns_and_no_rows() -> None:
    gathered = aggregate(NETWORK, {}, [], ORDER, {})
    assert gathered.table.schema.equals(NETWORK)
    assert len(gathered.table) == len(gathered.digests) == 0


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "other columns"])
def test_the_error_names_a_shard_that_cannot_be_read(shards: dict[str, Path], damage: str) -> None:
    shard = list(shards.values())[1]
    content = shard.read_bytes()
    shard.unlink()
    if damage == "other columns":
        pq.write_table(pa.table({"width": [1]}), shard)
    elif damage != "missing":
        shard.write_bytes(b"" if damage == "empty" else content[: len(content) // 2])
    with pytest.raises(TableError, match=str(shard)):
        aggregate(NETWORK, shards, [], ORDER, {})


def test_one_table_of_all_shards_equals_the_folder_of_shards(
    shards: dict[str, Path], tmp_path: Path
) -> None:
    table = aggregate(NETWORK, shards, [], ORDER, {}).table
    folder = pq.read_table(tmp_path / "network").select(NETWORK.names)
    assert table.to_pylist() == folder.sort_by(ORDER).to_pylist()
