"""Shards and tables: whole or absent, checked when read, open to the usual readers."""

import math
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from ntk_mnist.provenance import of_table
from ntk_mnist.shards import KERNEL_SCHEMA, NETWORK_SCHEMA, TableError, about, read, write
from ntk_mnist.tables import aggregate


def example(schema: pa.Schema, **values: Any) -> dict[str, Any]:
    """A row with something plausible in every column."""
    plausible: dict[pa.DataType, Any] = {pa.string(): "x", pa.float64(): 0.5}
    plausible |= {pa.list_(number): [2.0, 1.0] for number in (pa.float32(), pa.float64())}
    return {field.name: plausible.get(field.type, 3) for field in schema} | values


MADE = of_table({})


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    files = []
    for width in (512, 64):
        for size in (128, 64):
            file = tmp_path / f"nn/width={width}/size={size}/seed=0.parquet"
            write(
                file,
                NETWORK_SCHEMA,
                [example(NETWORK_SCHEMA, width=width, size=size, seed=0)],
                MADE,
            )
            files.append(file)
    return files


ORDER = [("width", "ascending"), ("size", "ascending"), ("seed", "ascending")]


def named(shards: list[Path]) -> dict[str, Path]:
    return {str(shard): shard for shard in shards}


def test_a_table_is_its_shards_rows_sorted(shards: list[Path], tmp_path: Path) -> None:
    aggregate(tmp_path / "nn.parquet", NETWORK_SCHEMA, named(shards), {}, ORDER)
    table = read(tmp_path / "nn.parquet", NETWORK_SCHEMA)[0].to_pandas()
    assert list(zip(table["width"], table["size"], strict=True)) == [
        (64, 64),
        (64, 128),
        (512, 64),
        (512, 128),
    ]


def test_a_missing_cell_is_a_row_of_nulls(shards: list[Path], tmp_path: Path) -> None:
    gap = {"width": 100, "size": 64, "seed": 0}
    missing = {"width=100/size=64/seed=0.parquet": gap}
    aggregate(tmp_path / "nn.parquet", NETWORK_SCHEMA, named(shards), missing, ORDER)
    rows = read(tmp_path / "nn.parquet", NETWORK_SCHEMA)[0].to_pylist()
    assert len(rows) == 5
    assert [row for row in rows if row["test_accuracy"] is None] == [
        dict.fromkeys(NETWORK_SCHEMA.names) | gap
    ]


def test_infinity_is_a_number(tmp_path: Path) -> None:
    write(tmp_path / "k.parquet", KERNEL_SCHEMA, [example(KERNEL_SCHEMA, time=math.inf)], MADE)
    assert read(tmp_path / "k.parquet", KERNEL_SCHEMA)[0]["time"].to_pylist() == [math.inf]


def test_files_say_their_units_and_what_made_them(shards: list[Path]) -> None:
    schema = pq.read_schema(shards[0])
    assert schema.field("train_loss").metadata[b"description"].startswith(b"mean cross-entropy")
    assert about(shards[0]).made == MADE


def test_the_shards_open_as_one_dataset(shards: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "nn"
    frames = [
        pd.read_parquet(folder, partitioning=None),
        ds.dataset(folder, partitioning="hive").to_table().to_pandas(),
        pl.read_parquet(folder).to_pandas(),
        duckdb.read_parquet(f"{folder}/**/*.parquet").df(),
    ]
    for frame in frames:
        assert len(frame) == 4
        assert set(frame["width"]) == {64, 512}


@pytest.mark.parametrize("damage", ["empty", "cut", "html"])
def test_a_damaged_shard_is_named_and_never_tabulated(
    shards: list[Path], tmp_path: Path, damage: str
) -> None:
    content = shards[1].read_bytes()
    shards[1].write_bytes(
        {
            "empty": b"",
            "cut": content[: len(content) // 2],
            "html": b"<html></html>",
        }[damage]
    )
    with pytest.raises(TableError, match=str(shards[1])):
        aggregate(tmp_path / "nn.parquet", NETWORK_SCHEMA, named(shards), {}, ORDER)
    assert not (tmp_path / "nn.parquet").exists()


def test_no_flipped_byte_changes_what_is_read(shards: list[Path]) -> None:
    content, before = shards[0].read_bytes(), read(shards[0], NETWORK_SCHEMA)[0]
    refused = 0
    for i in range(0, len(content), 7):
        shards[0].write_bytes(content[:i] + bytes([content[i] ^ 0x55]) + content[i + 1 :])
        try:
            found = read(shards[0], NETWORK_SCHEMA)[0]
        except TableError:
            refused += 1
        else:
            assert found.equals(before)
    assert refused > 100


def test_a_shard_of_other_columns_is_named(shards: list[Path], tmp_path: Path) -> None:
    pq.write_table(pa.table({"width": [1]}), shards[0])
    with pytest.raises(TableError, match="has the columns width; expected dataset, "):
        aggregate(tmp_path / "nn.parquet", NETWORK_SCHEMA, named(shards), {}, ORDER)


@pytest.mark.parametrize("row", [{"width": "wide"}, {"width": None}, {"train_loss": "low"}])
def test_a_row_of_the_wrong_type_is_not_written(tmp_path: Path, row: dict[str, Any]) -> None:
    with pytest.raises(TableError):
        write(tmp_path / "x.parquet", NETWORK_SCHEMA, [example(NETWORK_SCHEMA, **row)], MADE)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_earlier_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.parquet"
    write(file, NETWORK_SCHEMA, [example(NETWORK_SCHEMA)], MADE)
    before = file.read_bytes()

    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(OSError, match="No space left"):
        write(file, NETWORK_SCHEMA, [example(NETWORK_SCHEMA, width=5)], MADE)
    assert [p.name for p in tmp_path.iterdir()] == ["x.parquet"]
    assert file.read_bytes() == before
