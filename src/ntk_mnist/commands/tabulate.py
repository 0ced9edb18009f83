"""``tabulate``: the shards of a grid as one table.

The grid is named by its axes and not shard by shard, as the names of ten thousand shards
exceed what one command line can hold; a shard that is on disk but not in the grid stays
out of the table.
"""

import argparse
from itertools import product
from pathlib import Path

from ntk_mnist.shards import KERNEL_SCHEMA, NETWORK_SCHEMA
from ntk_mnist.tables import aggregate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--shards", required=True, type=Path, help="folder of the shards")
    parser.add_argument("--sizes", nargs="+", type=int)
    parser.add_argument("--widths", nargs="+", type=int, help="for networks")
    parser.add_argument("--seeds", nargs="+", type=int, help="for networks")
    parser.add_argument("--depths", nargs="+", type=int, help="for evidence")
    parser.add_argument("--W-stds", nargs="+", type=_number, help="for evidence")
    parser.add_argument("--b-stds", nargs="+", type=_number, help="for evidence")
    parser.add_argument("--partial", action="store_true", help="a cell may be missing")
    parser.add_argument("--output", required=True, type=Path, help="the table")


def run(options: argparse.Namespace) -> None:
    """Read, check, sort and write."""
    if options.widths:
        axes = {"width": options.widths, "size": options.sizes, "seed": options.seeds}
        schema, order = NETWORK_SCHEMA, _ascending("width", "size", "seed")
    elif options.depths:
        axes = {"depth": options.depths, "W_std": options.W_stds, "b_std": options.b_stds}
        schema, order = KERNEL_SCHEMA, [("log_marginal_likelihood", "descending")]
    else:
        axes = {"size": options.sizes}
        schema, order = KERNEL_SCHEMA, _ascending("kernel", "size", "time")
    cells = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    shards = {"/".join(f"{k}={v}" for k, v in cell.items()) + ".parquet": cell for cell in cells}
    missing = {
        name: cell
        for name, cell in shards.items()
        if options.partial and not (options.shards / name).is_file()
    }
    files = {name: options.shards / name for name in shards if name not in missing}
    for name in missing:
        print(f"missing: {options.shards / name}")
    aggregate(options.output, schema, files, missing, order)


def _ascending(*columns: str) -> list[tuple[str, str]]:
    return [(column, "ascending") for column in columns]


def _number(text: str) -> int | float:
    """As the config has it, so that the name of its shard is found."""
    return int(text) if text.isdecimal() else float(text)
