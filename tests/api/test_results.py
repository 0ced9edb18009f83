"""Tables and charts from the folder of an experiment."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from charts.made_up_tables import like_for_like_tables, tables

import ntk_mnist as ntk
from ntk_mnist.charts import CHARTS, LIKE_FOR_LIKE, OF_EPOCHS
from ntk_mnist.store.schemas import TABLE_SCHEMAS
from ntk_mnist.store.shards import write_table


def results(folder: Path, frames: dict[str, pd.DataFrame]) -> Path:
    for name, frame in frames.items():
        table = pa.Table.from_pandas(frame, TABLE_SCHEMAS[name], preserve_index=False)
        write_table(folder / f"{name}.parquet", table, {})
    return folder


def test_a_table_is_its_rows(tmp_path: Path) -> None:
    frame = tables()["network"]
    read = ntk.read_table(results(tmp_path, {"network": frame}), "network")
    pd.testing.assert_frame_equal(read, frame)
    pd.testing.assert_frame_equal(ntk.read_table(str(tmp_path), "network"), frame)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHARTS)
def test_a_notebook_shows_any_chart(name: str, tmp_path: Path) -> None:
    frames = like_for_like_tables() if name in LIKE_FOR_LIKE else tables()
    figure = ntk.figure(results(tmp_path, frames), name)
    # As Jupyter asks for it.
    shown = figure._repr_mimebundle_()
    assert isinstance(shown, dict)
    assert "vega-lite" in shown["text/html"]


def test_an_unknown_table_gets_one_line_that_lists_those_there(tmp_path: Path) -> None:
    results(tmp_path, {"kernel": tables()["kernel"]})
    for name in ("network", "../kernel", "kernels"):
        with pytest.raises(ntk.UserError) as error:
            ntk.read_table(tmp_path, name)
        assert str(error.value) == f"{tmp_path} has no table '{name}'; tables there: kernel"


def test_an_unknown_chart_gets_one_line_that_lists_what_can_be_drawn_there(tmp_path: Path) -> None:
    of_epochs, like = tmp_path / "epochs", tmp_path / "like"
    frames = {name: frame for name, frame in tables().items() if name in ("network", "kernel")}
    results(of_epochs, frames)
    results(like, like_for_like_tables())
    for name in ("comparisons", *LIKE_FOR_LIKE):
        with pytest.raises(ntk.UserError) as error:
            ntk.figure(of_epochs, name)
        there = ", ".join(OF_EPOCHS)
        assert str(error.value) == (
            f"{of_epochs} has no tables of a chart '{name}'; charts there: {there}"
        )
    with pytest.raises(
        ntk.UserError, match=r"charts there: .*convergence, distance_map, accuracy, dynamics"
    ):
        ntk.figure(like, "comparison")


def test_a_folder_that_is_missing_or_empty_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(ntk.UserError, match=r"nowhere is not a folder; needed: that of an exp"):
        ntk.read_table(tmp_path / "nowhere", "network")
    with pytest.raises(ntk.UserError, match=r"tables there: none; run snakemake, which writes"):
        ntk.read_table(tmp_path, "network")
    with pytest.raises(ntk.UserError, match=r"charts there: none; run snakemake, which writes"):
        ntk.figure(tmp_path, "comparison")


def test_a_damaged_table_gets_one_line(tmp_path: Path) -> None:
    file = results(tmp_path, {"network": tables()["network"]}) / "network.parquet"
    content = file.read_bytes()
    file.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    with pytest.raises(ntk.UserError, match="not a complete Parquet file of this project"):
        ntk.read_table(tmp_path, "network")
