"""Why each file of an experiment is stale, in words; nothing if it is current or missing."""

from collections.abc import Mapping
from pathlib import Path

from ntk_mnist.plan.cells import Cell
from ntk_mnist.plan.experiment import Experiment
from ntk_mnist.store.records import chart_record, prepared_record, table_record
from ntk_mnist.store.schemas import TABLE_SCHEMAS, columns
from ntk_mnist.store.staleness import accepted, digest, reasons

__all__ = ["stale_arrays", "stale_cell", "stale_chart", "stale_table"]


def stale_arrays(dataset: str, record: Path) -> list[str]:
    """Why the arrays of a dataset are stale, whose record is in a file beside them."""
    return reasons(record, prepared_record(dataset))


def stale_cell(cell: Cell, results: Path) -> list[str]:
    """Why the shards of a cell are stale; of several outputs, each reason names its output."""
    seeds = getattr(cell, "seeds", ())
    return [
        reason if len(cell.OUTPUTS) == 1 else f"{output} - {reason}"
        for output in cell.OUTPUTS
        for reason in reasons(results / cell.path(output), cell.record(output), seeds)
    ]


def stale_table(experiment: Experiment, name: str, results: Path, file: Path) -> list[str]:
    """Why a table is stale.

    Args:
        experiment: whose shards it gathers.
        name: of the table.
        results: folder of the experiment.
        file: the table.
    """
    paths = [path for path, _ in experiment.shards(name)]
    digests = {path: digest(results / path) for path in paths}
    marks = {path: accepted(results / path) for path in paths}
    rows = repr(experiment.only(name))
    return reasons(file, table_record(columns(TABLE_SCHEMAS[name]), digests, rows, marks))


def stale_chart(name: str, tables: Mapping[str, Path], dataset: str, file: Path) -> list[str]:
    """Why a chart is stale.

    Args:
        name: of the chart.
        tables: files by their names.
        dataset: that the tables are of.
        file: the chart as HTML.
    """
    digests = {table: digest(path) for table, path in tables.items()}
    return reasons(file, chart_record(name, digests, dataset))
