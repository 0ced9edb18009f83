"""``tabulate``: the shards of a grid as one table.

The grid follows from the experiment, as the names of ten thousand shards would not fit on a
command line. A shard on disk that is not in the grid is not in the table either, nor is the row of
a seed that is not in it.
"""

import argparse
from pathlib import Path

from ntk_mnist.plan.cells import NetworkCell
from ntk_mnist.plan.experiment import TABLES, Experiment
from ntk_mnist.store.records import table_record
from ntk_mnist.store.schemas import TABLE_SCHEMAS, columns
from ntk_mnist.store.shards import about, write_table
from ntk_mnist.store.staleness import FAULTS, digest
from ntk_mnist.store.tables import aggregate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--table", required=True, choices=list(TABLES))
    parser.add_argument(
        "--experiment", required=True, type=Experiment.from_json, help="the experiment, as JSON"
    )
    parser.add_argument("--results", required=True, type=Path, help="the experiment's folder")
    parser.add_argument(
        "--partial",
        action="store_true",
        help="a row that is missing or damaged is written as a row of nulls",
    )
    parser.add_argument("--output", required=True, type=Path, help="the table")


def run(options: argparse.Namespace) -> None:
    """Read, check, sort and write."""
    experiment: Experiment = options.experiment
    schema, table = TABLE_SCHEMAS[options.table], TABLES[options.table]
    shards, missing, faults = {}, [], {}
    for path, cell in experiment.shards(options.table):
        file = options.results / path
        fault = digest(file) if options.partial else ""
        if fault in FAULTS:
            faults[path] = fault
        else:
            shards[path] = file
        rows = _missing_rows(cell, file, fault in FAULTS) if options.partial else []
        missing += [cell.identity | row for row in rows]
        for row in rows:
            print(f"missing: {file} {' '.join(f'{k} {v}' for k, v in row.items())}".rstrip())
    only = experiment.only(options.table)
    found = aggregate(schema, shards, missing, table.order, only)
    made = table_record(columns(schema), faults | found.digests, repr(only), found.accepted)
    write_table(options.output, found.table, made)


def _missing_rows(cell: object, file: Path, faulty: bool) -> list[dict[str, int]]:
    """What identifies each row that a shard lacks, beside its cell; all rows if it is faulty."""
    if not isinstance(cell, NetworkCell):
        return [{}] if faulty else []
    found = () if faulty else about(file).seeds
    return [{"seed": seed} for seed in cell.seeds if seed not in found]
