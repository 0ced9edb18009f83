"""Shards with plausible rows, at the paths that their cells give them."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa

from ntk_mnist.plan.cells import KernelCell, NetworkCell
from ntk_mnist.settings import Architecture, Inputs, Solve, Training
from ntk_mnist.store.records import Record
from ntk_mnist.store.schemas import SHARD_SCHEMAS
from ntk_mnist.store.shards import write

NETWORK, KERNEL = SHARD_SCHEMAS["network"], SHARD_SCHEMAS["kernel"]
#: What made them.
MADE: Record = {
    "settings": {"epochs": 20, "times": [10.0, 100.0]},
    "columns": {"size": "int32"},
    "code": {"digest": "0123", "definitions": {}},
    "libraries": {"jax": "0.10.2"},
}
ARCHITECTURES = [Architecture(), Architecture(activation="erf", W_std=1.5)]
WIDTHS, SIZES, SEEDS = [64, 512], [64, 128], [0, 7]


def row(schema: pa.Schema, **values: Any) -> dict[str, Any]:
    """A row with a plausible value in every column."""
    plausible = {pa.string(): "x", pa.float64(): 0.5, pa.list_(pa.float32()): [2.0, 1.0]}
    plausible[pa.bool_()] = True
    return {field.name: plausible.get(field.type, 3) for field in schema} | values


def network_cell(architecture: Architecture, width: int, size: int) -> NetworkCell:
    return NetworkCell(
        inputs=Inputs(),
        architecture=architecture,
        training=Training(),
        width=width,
        size=size,
        seeds=tuple(SEEDS),
    )


def write_networks(results: Path, seeds: Sequence[int] = SEEDS) -> dict[str, Path]:
    """A shard for each architecture, width and size; the files by their paths."""
    shards = {}
    for cell in (network_cell(*axes) for axes in product(ARCHITECTURES, WIDTHS, SIZES)):
        rows = [row(NETWORK, **cell.identity, seed=seed) for seed in seeds]
        file = results / cell.path("network")
        write(file, NETWORK, rows, MADE)
        shards[cell.path("network")] = file
    return shards


def write_kernels(results: Path) -> None:
    """A shard for each architecture and size, with two kernels and two times."""
    for architecture, size in product(ARCHITECTURES, SIZES):
        cell = KernelCell(inputs=Inputs(), architecture=architecture, solve=Solve(), size=size)
        rows = [
            row(KERNEL, **cell.identity, kernel=kind, time=time)
            for kind in cell.solve.kinds
            for time in (10.0, float("inf"))
        ]
        write(results / cell.path("kernel"), KERNEL, rows, MADE)
