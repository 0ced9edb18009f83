"""``prepare``: the arrays of a dataset, from its original files."""

import argparse
from pathlib import Path

from ntk_mnist.data.catalogue import ARRAYS, CATALOGUE, RECORD
from ntk_mnist.data.originals import prepare
from ntk_mnist.store.file_digests import write_digests
from ntk_mnist.store.records import prepared_record


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--dataset", required=True, choices=list(CATALOGUE))
    parser.add_argument(
        "--originals", nargs="*", type=Path, default=[], help="the files that fetch wrote"
    )
    parser.add_argument("--output", required=True, type=Path, help="folder")


def run(options: argparse.Namespace) -> None:
    """Parse, check and write."""
    made = prepared_record(options.dataset)
    prepare(options.dataset, options.originals, options.output)
    write_digests(options.output / RECORD, [f"{array}.npy" for array in ARRAYS], made)
