"""``calibrate``: the calibration of the kernels' variances, as a table of its own."""

import argparse
from pathlib import Path

from ntk_mnist.tables import tabulate_calibration


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--kernels", required=True, type=Path, help="the kernel table")
    parser.add_argument("--output", required=True, type=Path, help="the table")


def run(options: argparse.Namespace) -> None:
    """Read, unfold and write."""
    tabulate_calibration(options.output, options.kernels)
