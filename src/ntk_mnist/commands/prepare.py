"""``prepare``: the arrays of a dataset, from its original files or from the user's own file."""

import argparse
from pathlib import Path

import msgspec

from ntk_mnist.data.catalogue import ARRAYS, RECORD, Description
from ntk_mnist.data.originals import prepare
from ntk_mnist.data.own import name_of
from ntk_mnist.data.own_arrays import prepare_own
from ntk_mnist.store.file_digests import write_digests
from ntk_mnist.store.records import prepared_record


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--dataset", required=True, help="its name, or the path of one's own")
    parser.add_argument(
        "--originals", nargs="*", type=Path, default=[], help="the files that fetch wrote"
    )
    parser.add_argument(
        "--own",
        type=lambda text: msgspec.json.decode(text, type=Description | None),
        help="the description of one's own, as JSON; null of a known dataset",
    )
    parser.add_argument("--output", required=True, type=Path, help="folder")


def run(options: argparse.Namespace) -> None:
    """Parse, check and write."""
    own: Description | None = options.own
    if own:
        made = prepared_record(name_of(options.dataset), own.stated)
        prepare_own(options.dataset, own, options.output)
    else:
        made = prepared_record(options.dataset)
        prepare(options.dataset, options.originals, options.output)
    write_digests(options.output / RECORD, [f"{array}.npy" for array in ARRAYS], made)
