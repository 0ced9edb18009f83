"""``fetch``: the original files of a dataset, from the first source that has them."""

import argparse
from pathlib import Path

from ntk_mnist.data.catalogue import CATALOGUE, RECORD
from ntk_mnist.data.sources import fetch
from ntk_mnist.store.file_digests import write_digests


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--dataset", required=True, choices=[d for d in CATALOGUE if CATALOGUE[d].files]
    )
    parser.add_argument(
        "--sources", required=True, nargs="+", help="folders and addresses, in order"
    )
    parser.add_argument("--output", required=True, type=Path, help="folder")


def run(options: argparse.Namespace) -> None:
    """Fetch and check."""
    fetch(options.dataset, options.sources, options.output)
    names = [name for name, _ in CATALOGUE[options.dataset].files]
    write_digests(options.output / RECORD, names, {})
