"""``evidence``: the likeliest architectures and the best on validation images, in lines."""

import argparse
from pathlib import Path

from ntk_mnist.charts.likeliest import announcements
from ntk_mnist.store.schemas import TABLE_SCHEMAS
from ntk_mnist.store.shards import read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--table", required=True, type=Path, help="the evidence")


def run(options: argparse.Namespace) -> None:
    """Read the evidence and print."""
    rows, _ = read(options.table, TABLE_SCHEMAS["evidence"])
    for line in announcements(rows.to_pandas()):
        print(line)
