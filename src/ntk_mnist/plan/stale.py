"""Why each file of an experiment is stale, in words; nothing if it is current or missing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ntk_mnist.measures import COMPARISONS
from ntk_mnist.plan.cells import Cell
from ntk_mnist.plan.experiment import Experiment
from ntk_mnist.plan.published import digest_of_published
from ntk_mnist.store.records import (
    chart_record,
    page_record,
    prepared_record,
    reproduction_record,
    table_record,
)
from ntk_mnist.store.schemas import TABLE_SCHEMAS, columns
from ntk_mnist.store.staleness import accepted, damage, digest, reasons

__all__ = [
    "MADE_BY",
    "stale_arrays",
    "stale_cell",
    "stale_chart",
    "stale_figure",
    "stale_originals",
    "stale_page",
    "stale_table",
]

#: The function that makes the tables of comparisons.
MADE_BY = "commands.compare.compare"


def stale_originals(listing: Path) -> list[str]:
    """Why the original files of a dataset are stale, whose digests are in a file beside them.

    They are checked against the known digests when they are fetched.
    """
    return damage(listing)


def stale_arrays(dataset: str, own: Mapping[str, str], record: Path) -> list[str]:
    """Why the arrays of a dataset are stale, whose record is in a file beside them.

    Args:
        dataset: its name in tables.
        own: what decides one of the user's own (``Description.stated``); of others, nothing.
        record: the file.
    """
    return reasons(record, prepared_record(dataset, own))


def stale_cell(cell: Cell, results: Path) -> list[str]:
    """Why the shards of a cell are stale; a reason that not all outputs share names its own."""
    seeds = getattr(cell, "seeds", ())
    found = {
        output: reasons(results / cell.path(output), cell.record(output), seeds)
        for output in cell.outputs
    }
    first, *others = found.values()
    shared = [reason for reason in first if all(reason in other for other in others)]
    own = [
        f"{output} - {reason}"
        for output, of_output in found.items()
        for reason in of_output
        if reason not in shared
    ]
    return shared + own


def stale_table(experiment: Experiment, name: str, results: Path, file: Path) -> list[str]:
    """Why a table is stale.

    Args:
        experiment: whose shards it gathers.
        name: of the table.
        results: folder of the experiment.
        file: the table.
    """
    if name == "reproduction":
        return _stale_reproduction(experiment, results, file)
    paths = [path for path, _ in experiment.shards(name)]
    digests = {path: digest(results / path) for path in paths}
    marks = {path: accepted(results / path) for path in paths}
    rows = repr(experiment.only(name))
    made_by = {"made_by": MADE_BY} if name in COMPARISONS else {}
    return reasons(
        file, table_record(columns(TABLE_SCHEMAS[name]), digests, rows, marks, **made_by)
    )


def _stale_reproduction(experiment: Experiment, results: Path, file: Path) -> list[str]:
    """Why the table of published numbers is stale."""
    digests = {name: digest(results / f"{name}.parquet") for name in experiment.reproduced}
    published = digest_of_published(Path(experiment.published))
    schema = columns(TABLE_SCHEMAS["reproduction"])
    return reasons(file, reproduction_record(schema, digests, published))


def stale_chart(name: str, tables: Mapping[str, Path], dataset: str, file: Path) -> list[str]:
    """Why a chart is stale.

    Args:
        name: of the chart.
        tables: files by their names.
        dataset: that the tables are of, by its name in them.
        file: the chart as HTML.
    """
    digests = {table: digest(path) for table, path in tables.items()}
    return reasons(file, chart_record(name, digests, dataset))


def stale_page(
    experiment: Experiment, tables: Sequence[str], figures: Sequence[str], results: Path, file: Path
) -> list[str]:
    """Why the page of an experiment is stale.

    Args:
        experiment: that it is of.
        tables: the names of its tables.
        figures: the names of its charts.
        results: folder of the experiment.
        file: the page.
    """
    of_tables = {name: digest(results / f"{name}.parquet") for name in tables}
    of_figures = {name: digest(results / f"figures/{name}.html") for name in figures}
    return reasons(file, page_record(experiment.decisive_json(), of_tables, of_figures))


def stale_figure(
    experiment: Experiment, name: str, tables: Sequence[str], results: Path, file: Path
) -> list[str]:
    """Why a chart does not show an experiment: what is stale or missing, from its shards on.

    Args:
        experiment: that it should show.
        name: of the chart.
        tables: the names of its tables.
        results: folder of the experiment.
        file: the chart as HTML.
    """
    files = {table: results / f"{table}.parquet" for table in tables}
    cells = [
        _or_missing(results / path, path, stale_cell(cell, results))
        for table in tables
        for path, cell in experiment.shards(table)
    ]
    gathered = [
        _or_missing(made, made.name, stale_table(experiment, table, results, made))
        for table, made in files.items()
    ]
    drawn = _or_missing(file, file.name, stale_chart(name, files, experiment.dataset, file))
    # What is stale makes stale what is made from it; the cause says why.
    causes = (stage for stage in (cells, gathered, [drawn]) if any(stage))
    return list(dict.fromkeys(reason for found in next(causes, []) for reason in found))


def _or_missing(file: Path, shown: str, found: list[str]) -> list[str]:
    return found if file.exists() else [f"{shown} is missing"]
