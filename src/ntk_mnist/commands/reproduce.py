"""``reproduce``: published numbers and ours beside them, as a table."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from ntk_mnist import UserError
from ntk_mnist.comparison.published import beside
from ntk_mnist.comparison.tables import known
from ntk_mnist.measures import ReproductionMeasures
from ntk_mnist.plan.published import Published, digest_of_published, matching, read_published
from ntk_mnist.store.records import reproduction_record
from ntk_mnist.store.schemas import TABLE_SCHEMAS, columns
from ntk_mnist.store.shards import read, write_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--published", required=True, type=Path, help="the published numbers")
    parser.add_argument(
        "--tables", required=True, nargs="+", type=Path, help="files named <table>.parquet"
    )
    parser.add_argument("--output", required=True, type=Path, help="the table")


def run(options: argparse.Namespace) -> None:
    """Read, compare and write."""
    digest = digest_of_published(options.published)
    published = read_published(options.published)
    tables, digests = {}, {}
    for file in options.tables:
        table, about = read(file, TABLE_SCHEMAS[file.stem])
        tables[file.stem], digests[file.stem] = table.to_pylist(), about.sha256
    schema = TABLE_SCHEMAS["reproduction"]
    found = [msgspec.structs.asdict(row) for row in rows(published, tables)]
    made = reproduction_record(columns(schema), digests, digest)
    write_table(options.output, pa.Table.from_pylist(found, schema=schema), made)


def rows(
    published: Published, tables: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[ReproductionMeasures]:
    """A row for each published number.

    Args:
        published: the numbers.
        tables: rows of our tables by their names. A table may be missing, and a number whose rows
            are not there has nothing beside it.

    Raises:
        UserError: there is no row at all, or rows of one number are no runs of one thing.
    """
    datasets = [row["dataset"] for table in tables.values() for row in table]
    if not datasets:
        raise UserError("no table of ours has a row; run the experiment first")
    for facts in published.facts:
        ours = matching(facts, tables.get(facts.table, ()))
        for at, value in facts.values.items():
            found_rows = [row for row in ours[at] if row[facts.column] is not None]
            runs = [row[facts.column] for row in found_rows]
            random = any("seed" in row or row["draw"] is not None for row in found_rows)
            found = beside(value, facts.decimals, runs, random=random) if runs else None
            yield ReproductionMeasures(
                dataset=datasets[0],
                table=facts.table,
                item=_in_words(facts.where),
                column=facts.column,
                over=facts.over,
                at=at,
                published=value,
                decimals=facts.decimals,
                runs=len(runs),
                ours=found.ours if found else None,
                low=known(found.low) if found else None,
                high=known(found.high) if found else None,
                difference=found.ours - value if found else None,
                verdict=found.verdict if found else "not run",
            )


def _in_words(where: Mapping[str, str | float]) -> str:
    """As in ``nngp, t = ∞, relu, width 5``."""
    return ", ".join(_setting(name, value) for name, value in where.items())


def _setting(name: str, value: str | float) -> str:
    if isinstance(value, str):
        return value
    number = "∞" if value == inf else f"{value:g}"
    return f"t = {number}" if name == "time" else f"{name} {number}"
