"""``prepare``: the arrays of a dataset, from its original files."""

import argparse
import json
from pathlib import Path

from ntk_mnist.datasets import CATALOGUE
from ntk_mnist.originals import prepare
from ntk_mnist.provenance import of_prepared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--dataset", required=True, choices=list(CATALOGUE))
    parser.add_argument("--originals", nargs="*", type=Path, default=[], help="what fetch put")
    parser.add_argument("--output", required=True, type=Path, help="folder")


def run(options: argparse.Namespace) -> None:
    """Parse, check and write."""
    made = of_prepared(options.dataset)
    prepare(options.dataset, options.originals, options.output)
    (options.output / "made.json").write_text(json.dumps(made))
