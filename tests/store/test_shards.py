"""Shards are complete or absent, checked when read, and open as one dataset in usual readers."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pandas.api.types import is_integer_dtype
from store.made_up_shards import (
    ARCHITECTURES,
    KERNEL,
    MADE,
    NETWORK,
    SEEDS,
    SIZES,
    WIDTHS,
    row,
    write_kernels,
    write_networks,
)

from ntk_mnist.store.records import Record
from ntk_mnist.store.schemas import SHARD_SCHEMAS
from ntk_mnist.store.shards import TableError, about, is_current, read, write, write_table

#: How each reader opens a folder of shards. None has an argument beside the folder.
READERS: dict[str, Callable[[str], pd.DataFrame]] = {
    "pandas": pd.read_parquet,
    "polars": lambda folder: pl.read_parquet(folder).to_pandas(),
    "duckdb": lambda folder: duckdb.execute(f"from '{folder}/**/*.parquet'").df(),
    "pyarrow.dataset": lambda folder: ds.dataset(folder).to_table().to_pandas(),
    "pyarrow.parquet": lambda folder: pq.read_table(folder).to_pandas(),
}


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """One shard with two seeds."""
    file = tmp_path / "width=64,size=128.parquet"
    write(file, NETWORK, [row(NETWORK, width=64, size=128, seed=seed) for seed in SEEDS], MADE)
    return file


@pytest.mark.parametrize("reader", READERS)
def test_the_network_shards_open_as_one_dataset_without_arguments(
    reader: str, tmp_path: Path
) -> None:
    write_networks(tmp_path)
    frame = READERS[reader](str(tmp_path / "network"))
    found = frame[["activation", "W_std", "width", "size", "seed"]]
    assert sorted(found.itertuples(index=False, name=None)) == sorted(
        (architecture.activation, architecture.W_std, width, size, seed)
        for architecture in ARCHITECTURES
        for width in WIDTHS
        for size in SIZES
        for seed in SEEDS
    )
    integers = ["width", "size", "depth", "epochs", "seed"]
    assert all(is_integer_dtype(frame[name]) for name in integers)
    assert all(frame[name].dtype == np.float64 for name in ("W_std", "b_std", "test_accuracy"))
    assert isinstance(frame["activation"].iloc[0], str)
    assert list(frame["epoch_train_loss"].iloc[0]) == [2.0, 1.0]


@pytest.mark.parametrize("reader", READERS)
def test_the_kernel_shards_open_as_one_dataset_without_arguments(
    reader: str, tmp_path: Path
) -> None:
    write_kernels(tmp_path)
    frame = READERS[reader](str(tmp_path / "kernel"))
    assert len(frame) == len(ARCHITECTURES) * len(SIZES) * 4
    assert set(frame["size"]) == set(SIZES)
    assert set(frame["time"]) == {10.0, math.inf}
    assert set(frame["kernel"]) == {"nngp", "ntk"}
    assert is_integer_dtype(frame["size"])


def test_what_is_written_is_read(shard: Path) -> None:
    table, said = read(shard, NETWORK)
    assert table.schema.equals(NETWORK, check_metadata=False)
    assert table.to_pylist() == [row(NETWORK, width=64, size=128, seed=seed) for seed in SEEDS]
    assert said.made == MADE
    assert said == about(shard)


@pytest.mark.parametrize("name", SHARD_SCHEMAS)
def test_a_shard_of_every_schema_can_be_written_and_read(name: str, tmp_path: Path) -> None:
    schema = SHARD_SCHEMAS[name]
    write(tmp_path / "x.parquet", schema, [row(schema)], MADE)
    assert read(tmp_path / "x.parquet", schema)[0].to_pylist() == [row(schema)]


def test_infinity_is_a_number(tmp_path: Path) -> None:
    write(tmp_path / "k.parquet", KERNEL, [row(KERNEL, time=math.inf)], MADE)
    assert read(tmp_path / "k.parquet", KERNEL)[0]["time"].to_pylist() == [math.inf]


def test_a_file_has_the_meaning_of_its_columns_and_what_made_it(shard: Path) -> None:
    schema = pq.read_schema(shard)
    assert schema.field("train_loss").metadata[b"description"].startswith(b"mean loss")
    assert json.loads(pq.read_metadata(shard).metadata[b"ntk_mnist"])["made"] == MADE


def test_a_file_names_its_seeds_in_ascending_order(tmp_path: Path) -> None:
    write(tmp_path / "x.parquet", NETWORK, [row(NETWORK, seed=s) for s in (7, 0, 2**32 - 1)], MADE)
    assert about(tmp_path / "x.parquet").seeds == (0, 7, 2**32 - 1)


def test_a_file_without_seeds_names_none(tmp_path: Path) -> None:
    write(tmp_path / "k.parquet", KERNEL, [row(KERNEL)], MADE)
    assert about(tmp_path / "k.parquet").seeds == ()


def test_the_checksum_is_that_of_the_rows_and_the_record(tmp_path: Path) -> None:
    other: Record = {**MADE, "settings": {"epochs": 30}}
    values = ((0.5, MADE), (0.5, MADE), (0.6, MADE), (0.5, other))
    files = [tmp_path / f"{i}.parquet" for i in range(len(values))]
    for file, (accuracy, made) in zip(files, values, strict=True):
        write(file, NETWORK, [row(NETWORK, test_accuracy=accuracy)], made)
    first, same, *others = (about(file).sha256 for file in files)
    assert first == same
    assert len({first, *others}) == 3
    assert files[0].read_bytes() == files[1].read_bytes()


def test_what_a_file_says_of_itself_is_in_it_once(shard: Path) -> None:
    assert shard.read_bytes().count(b'"made"') == 1


def test_a_file_is_current_if_its_record_is_the_same(shard: Path) -> None:
    assert is_current(shard, MADE)
    assert not is_current(shard, {**MADE, "libraries": {"jax": "0.4.1"}})
    assert not is_current(shard.with_name("missing.parquet"), MADE)
    shard.write_bytes(b"")
    assert not is_current(shard, MADE)


@pytest.mark.parametrize("damage", ["empty", "cut", "html", "missing"])
def test_the_error_names_a_damaged_shard(shard: Path, damage: str) -> None:
    content = shard.read_bytes()
    shard.unlink()
    if damage != "missing":
        damaged = {"empty": b"", "cut": content[: len(content) // 2], "html": b"<html></html>"}
        shard.write_bytes(damaged[damage])
    for opened in (lambda: read(shard, NETWORK), lambda: about(shard)):
        with pytest.raises(TableError, match=f"{shard}: not a complete Parquet file") as error:
            opened()
        assert "\n" not in str(error.value)


@pytest.mark.slow
def test_every_flipped_byte_is_found_by_all_that_open_a_file(shard: Path) -> None:
    content = shard.read_bytes()
    damaged = shard.with_name("damaged.parquet")
    for i in range(len(content)):
        # Another bit each time; a flipped case of a hexadecimal digit counts too.
        damaged.write_bytes(content[:i] + bytes([content[i] ^ 1 << i % 8]) + content[i + 1 :])
        assert not is_current(damaged, MADE)
        if i % 50 == 0:
            with pytest.raises(TableError, match=r"checksum.*run snakemake again"):
                read(damaged, NETWORK)
            with pytest.raises(TableError, match=r"checksum.*run snakemake again"):
                about(damaged)


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + b" ", lambda c: c[1:]])
def test_a_file_that_is_shorter_or_longer_is_damaged(
    shard: Path, change: Callable[[bytes], bytes]
) -> None:
    shard.write_bytes(change(shard.read_bytes()))
    assert not is_current(shard, MADE)


def test_changed_rows_are_a_checksum_mismatch(shard: Path) -> None:
    table = pq.ParquetFile(shard).read()
    index = table.schema.get_field_index("test_accuracy")
    forged = table.set_column(index, table.schema.field(index), pa.array([1.0, 1.0]))
    pq.write_table(forged, shard)
    with pytest.raises(TableError, match=f"{shard}: .*checksum mismatch.*; run snakemake again"):
        read(shard, NETWORK)


def test_the_error_names_the_columns_of_a_file_with_another_schema(shard: Path) -> None:
    write_table(shard, pa.table({"width": [1]}), MADE)
    with pytest.raises(TableError, match="has the columns width; expected dataset, "):
        read(shard, NETWORK)


def test_a_parquet_file_of_another_project_is_refused(shard: Path) -> None:
    pq.write_table(pq.ParquetFile(shard).read().replace_schema_metadata(), shard)
    with pytest.raises(TableError, match="not a complete Parquet file of this project"):
        read(shard, NETWORK)
    with pytest.raises(TableError, match="not a complete Parquet file of this project"):
        about(shard)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": "wide"}, "wide"),
        ({"width": None}, "a row lacks the column width"),
        ({"train_loss": "low"}, "low"),
        ({"brightness": 1.0, "hue": 2.0}, "the schema has no column brightness, hue"),
    ],
)
def test_a_row_that_does_not_fit_the_schema_is_not_written(
    tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(TableError, match=message):
        write(tmp_path / "x.parquet", NETWORK, [row(NETWORK), row(NETWORK, **values)], MADE)
    assert list(tmp_path.iterdir()) == []


def test_a_row_without_a_column_is_not_written(tmp_path: Path) -> None:
    incomplete = row(NETWORK)
    del incomplete["test_loss"]
    with pytest.raises(TableError, match="a row lacks the column test_loss"):
        write(tmp_path / "x.parquet", NETWORK, [incomplete], MADE)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_earlier_file(
    shard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shard.read_bytes()

    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(shard, NETWORK, [row(NETWORK, width=5)], MADE)
    assert [file.name for file in shard.parent.iterdir()] == [shard.name]
    assert shard.read_bytes() == before


def test_a_table_may_have_nulls(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([{"width": 64, "seed": 3}], schema=NETWORK)
    write_table(tmp_path / "x.parquet", table, MADE)
    found, said = read(tmp_path / "x.parquet", NETWORK)
    assert found.to_pylist() == [dict.fromkeys(NETWORK.names) | {"width": 64, "seed": 3}]
    assert said.seeds == (3,)
