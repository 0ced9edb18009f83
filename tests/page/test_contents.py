"""What stands on the page of an experiment: tables, downloads, settings and times."""

import base64
import csv
import gzip
import io
import json
import math

import pandas as pd
import pyarrow as pa
from charts.made_up_tables import TWO, tables

from ntk_mnist.declarations import declared
from ntk_mnist.page.contents import (
    LARGEST_DOWNLOAD,
    cell_times,
    csv_of,
    downloads,
    preview,
    settings_of,
    times_in_words,
)
from ntk_mnist.plan.experiment import experiment_of
from ntk_mnist.settings import Inputs, Solve

TABLE = pa.table(
    {
        "width": pa.array([8, 16], pa.int32()),
        "time": [1.5, math.inf],
        "dataset": ["digits", "digits"],
        "loss": pa.array([[0.5, 0.25], None], pa.list_(pa.float64())),
        "comment": ["a, b", None],
    }
)


def test_csv_holds_every_value_of_a_table() -> None:
    found = pd.read_csv(io.BytesIO(csv_of(TABLE)))
    assert list(found["width"]) == [8, 16]
    assert list(found["time"]) == [1.5, math.inf]
    assert json.loads(found["loss"][0]) == [0.5, 0.25]
    assert found["comment"][0] == "a, b"
    assert found[["loss", "comment"]].iloc[1].isna().all()


def test_floats_in_csv_are_read_back_to_the_last_bit() -> None:
    values = [0.1 + 0.2, 1e-310, 2 / 3, 1e22]
    rows = csv.DictReader(io.StringIO(csv_of(pa.table({"x": values})).decode()))
    assert [float(row["x"]) for row in rows] == values


def test_downloads_are_the_csv_compressed_and_the_file_as_it_is() -> None:
    of_csv, of_parquet = downloads("network", TABLE, b"bytes of the file")
    assert (of_csv.file, of_parquet.file) == ("network.csv", "network.parquet")
    assert gzip.decompress(base64.b64decode(of_csv.content)) == csv_of(TABLE)
    assert base64.b64decode(of_parquet.content) == b"bytes of the file"


def test_equal_tables_make_equal_downloads() -> None:
    assert downloads("network", TABLE, b"") == downloads("network", TABLE, b"")


def test_a_large_table_is_linked_and_not_in_the_page() -> None:
    _, of_parquet = downloads("network", TABLE, bytes(LARGEST_DOWNLOAD + 1))
    assert (of_parquet.content, of_parquet.file) == ("", "network.parquet")


def test_a_preview_leaves_out_what_has_one_value_and_lists() -> None:
    shown = preview(TABLE)
    assert [column.name for column in shown.columns] == ["width", "time", "comment"]
    assert shown.rows == [["8", "1.5", "a, b"], ["16", "∞", ""]]
    assert [column.number for column in shown.columns] == [True, True, False]
    assert shown.left_out.startswith("2 rows. 2 columns with one value")


def test_a_preview_of_many_rows_says_so() -> None:
    shown = preview(pa.table({"size": list(range(1000))}))
    assert len(shown.rows) == 25
    assert shown.left_out == "The first 25 of 1,000 rows."


def test_settings_are_those_of_the_experiment_and_none_is_missing() -> None:
    found = {s.key: s.value for s in settings_of(experiment_of({"grid": {"width": [8, 16]}}))}
    assert found["grid.width"] == "8, 16"
    assert found["architecture"] == "relu, 2 hidden layers, W_std 1, b_std 0"
    for section, struct in (("inputs", Inputs), ("solve", Solve)):
        assert {f"{section}.{field.name}" for field in declared(struct)} <= set(found)
    # Momentum has a mass; what changes nothing is left out.
    assert found["training.mass"] == "0.9"
    sgd = experiment_of({"training": {"optimizer": "sgd"}})
    assert "training.mass" not in {s.key for s in settings_of(sgd)}


def test_a_cell_took_the_time_of_all_its_runs_once_each() -> None:
    frames = tables(3, TWO)
    networks = frames["network"].assign(train_seconds=2.0)
    # The rows of several times hold the whole time of a run each.
    networks = pd.concat([networks.assign(time=time) for time in (1.0, 2.0)])
    kernels = frames["kernel"].assign(solve_seconds=0.25)
    found = cell_times({"network": networks, "kernel": kernels})
    assert {cell.seconds for cell in found if cell.name.startswith("network")} == {6.0}
    assert {cell.seconds for cell in found if cell.name.startswith("kernel")} == {0.5}
    assert found[0].name.startswith("network, width ")
    assert times_in_words(found).startswith(f"{len(found)} cells took ")
