"""``tabulate``: the shards of a grid as one table.

The grid is named by its axes and not shard by shard, as the names of ten thousand shards
exceed what one command line can hold; a shard that is on disk but not in the grid stays
out of the table.
"""

import argparse
from itertools import product
from pathlib import Path

from ntk_mnist.provenance import of_table
from ntk_mnist.shards import KERNEL_SCHEMA, NETWORK_SCHEMA, about
from ntk_mnist.tables import aggregate


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
    shards = {name: options.shards / name for name in names}
    made = of_table({name: about(shard).sha256 for name, shard in shards.items()})
    aggregate(options.output, schema, list(shards.values()), order, made)
