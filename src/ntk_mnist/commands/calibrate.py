"""``calibrate``: the calibration of the kernels' variances, as a table of its own.

In the kernel table it stands as lists; here it has a row a group of test images.
"""

import argparse
from pathlib import Path

from ntk_mnist.calibration import Calibration
from ntk_mnist.provenance import of_calibration
from ntk_mnist.shards import CALIBRATION_SCHEMA, KERNEL_SCHEMA, read, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--kernels", required=True, type=Path, help="the kernel table")
    parser.add_argument("--output", required=True, type=Path, help="the table")


def run(options: argparse.Namespace) -> None:
    """Read, unfold and write."""
    table, about = read(options.kernels, KERNEL_SCHEMA)
    rows = []
    for row in table.to_pylist():
        lists = (row[f"calibration_{name}"] for name in Calibration._fields)
        for group in zip(*lists, strict=True):
            unfolded = row | dict(zip(Calibration._fields, group, strict=True))
            rows.append({name: unfolded[name] for name in CALIBRATION_SCHEMA.names})
    write(options.output, CALIBRATION_SCHEMA, rows, of_calibration(about.sha256))
