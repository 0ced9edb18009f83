"""``tabulate``: the shards of a grid as one table.

The grid is named by its axes and not shard by shard, as the names of ten thousand shards
exceed what one command line can hold; a shard that is on disk but not in the grid stays
out of the table.
"""

import argparse
from itertools import product
from pathlib import Path

from ntk_mnist.tables import KERNEL_SCHEMA, NETWORK_SCHEMA, aggregate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--shards", required=True, type=Path, help="folder of the shards")
    parser.add_argument("--sizes", required=True, nargs="+", type=int)
    parser.add_argument("--widths", nargs="+", type=int, help="for networks")
    parser.add_argument("--seeds", nargs="+", type=int, help="for networks")
    parser.add_argument("--output", required=True, type=Path, help="the table")


def run(options: argparse.Namespace) -> None:
    """Read, check, sort and write."""
    if options.widths:
        names = (
            f"width={width}/size={size}/seed={seed}.parquet"
            for width, size, seed in product(options.widths, options.sizes, options.seeds)
        )
        schema, order = NETWORK_SCHEMA, ("width", "size", "seed")
    else:
        names = (f"size={size}.parquet" for size in options.sizes)
        schema, order = KERNEL_SCHEMA, ("kernel", "size", "time")
    aggregate(options.output, schema, [options.shards / name for name in names], order)
