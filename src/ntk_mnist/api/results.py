"""What a run wrote: its tables as data frames, and its charts."""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ntk_mnist import UserError
from ntk_mnist.charts import CHARTS, LIKE_FOR_LIKE, OF_EPOCHS, tables_of
from ntk_mnist.store.schemas import TABLE_SCHEMAS
from ntk_mnist.store.shards import read

if TYPE_CHECKING:
    import pandas as pd

    from ntk_mnist.charts.style import Figure

__all__ = ["figure", "read_table"]


def read_table(folder: str | Path, name: str) -> "pd.DataFrame":
    """One table of an experiment, checked by its digest and its columns.

    Args:
        folder: where the experiment's tables are, as ``"results/ntk_mnist"``.
        name: of the table, as ``"network"``: the file is ``<folder>/<name>.parquet``.

    Returns:
        A row an observation; ``results/README.md`` says what each column holds.

    Raises:
        UserError: there is no such table, or it is damaged or of another version of this package.
            One line says which tables are there.
    """
    place = _checked_folder(folder)
    if name not in TABLE_SCHEMAS or not (place / f"{name}.parquet").is_file():
        there = _listed(_tables_in(place), "run snakemake, which writes them")
        raise UserError(f"{place} has no table {name!r}; tables there: {there}")
    frame: pd.DataFrame = read(place / f"{name}.parquet", TABLE_SCHEMAS[name])[0].to_pandas()
    return frame


def figure(folder: str | Path, name: str) -> "Figure":
    """One chart of an experiment, drawn from its tables.

    Args:
        folder: where the experiment's tables are, as ``"results/ntk_mnist"``.
        name: of the chart, as ``"comparison"``.

    Returns:
        An Altair chart, which a notebook shows, and ``.save("chart.html")`` writes.

    Raises:
        UserError: there is no such chart, or its tables are not there or of another kind of
            training. One line says what can be drawn there.
    """
    place = _checked_folder(folder)
    tables = _tables_in(place)
    unlike = OF_EPOCHS if "distance" in tables else LIKE_FOR_LIKE
    drawable = [c for c in CHARTS if c not in unlike and set(tables_of(c)) <= set(tables)]
    if name not in drawable:
        charts = _listed(drawable, "run snakemake, which writes the tables")
        raise UserError(f"{place} has no tables of a chart {name!r}; charts there: {charts}")
    frames = {table: read_table(place, table) for table in tables_of(name)}
    drawn: Figure = import_module(f"ntk_mnist.charts.{name}").draw(frames)
    return drawn


def _checked_folder(folder: str | Path) -> Path:
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise UserError(
            f"{place} is not a folder; needed: that of an experiment, as results/ntk_mnist, seen "
            f"from {Path.cwd()}"
        )
    return place


def _tables_in(place: Path) -> list[str]:
    return [name for name in TABLE_SCHEMAS if (place / f"{name}.parquet").is_file()]


def _listed(names: Iterable[str], remedy: str) -> str:
    return ", ".join(names) or f"none; {remedy}"
