"""Made-up tables with the declared columns: default settings, and accuracies that differ by row."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd
import pyarrow as pa
from msgspec.structs import asdict

from ntk_mnist.settings import Architecture, Inputs, Training
from ntk_mnist.store.schemas import TABLE_SCHEMAS

WIDTHS, SIZES, KINDS = [64, 256, 1024], [128, 256, 3000], ["nngp", "ntk"]
TIMES = [10.0, 2500.0, 1e7, math.inf]
DEFAULT = [Architecture()]
#: 2 activations × 2 depths × 2 W_std.
EIGHT = [
    Architecture(activation=activation, depth=depth, W_std=W_std)
    for activation, depth, W_std in product(["erf", "relu"], [2, 3], [1.0, 1.5])
]

#: They differ in everything in which the eight do.
TWO = [EIGHT[0], EIGHT[-1]]


def table(name: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of the named table; columns that a row lacks hold the default setting, or null."""
    settings = asdict(Inputs()) | asdict(Training())
    complete = [{**settings, **row} for row in rows]
    frame: pd.DataFrame = pa.Table.from_pylist(complete, schema=TABLE_SCHEMAS[name]).to_pandas()
    return frame


def networks(seeds: int = 1, architectures: Sequence[Architecture] = DEFAULT) -> pd.DataFrame:
    """Accuracy 0.5, and 0.02 more a seed, 0.001 an architecture and 0.01 a width and size."""
    cells = list(product(WIDTHS, SIZES))
    return table(
        "network",
        (
            asdict(architecture)
            | {"width": width, "size": size, "seed": seed}
            | {"test_accuracy": 0.5 + i / 100 + a / 1000 + seed / 50}
            for a, architecture in enumerate(architectures)
            for i, (width, size) in enumerate(cells)
            for seed in range(seeds)
        ),
    )


def kernels(architectures: Sequence[Architecture] = DEFAULT) -> pd.DataFrame:
    """Accuracy 0.6, and 0.003 more an architecture and 0.01 a kernel, size and time."""
    rows = list(product(KINDS, SIZES, TIMES))
    return table(
        "kernel",
        (
            asdict(architecture)
            | {"kernel": kind, "size": size, "time": time}
            | {"test_accuracy": 0.6 + i / 100 + 3 * a / 1000}
            for a, architecture in enumerate(architectures)
            for i, (kind, size, time) in enumerate(rows)
        ),
    )


def calibration(architectures: Sequence[Architecture] = DEFAULT) -> pd.DataFrame:
    """Two groups of each architecture, kernel and size."""
    return table(
        "calibration",
        (
            asdict(architecture)
            | {"kernel": kind, "size": size, "fraction": fraction, "variance": fraction / 10}
            | {
                "scaled_variance": fraction / 30,
                "squared_error": fraction / 20,
                "accuracy": 1 - fraction / 10 - a / 100,
            }
            for a, architecture in enumerate(architectures)
            for kind, size, fraction in product(KINDS, SIZES, [0.5, 1.0])
        ),
    )


def evidence(architectures: Sequence[Architecture] = DEFAULT) -> pd.DataFrame:
    """Each architecture of each kernel and size 10 nats less likely, and the NTK in reverse order.

    The amplitude is 0.5, and the kernel as it is a hundred nats less likely.
    """
    return table(
        "evidence",
        (
            asdict(architecture)
            | {"kernel": kind, "size": size, "time": math.inf, "amplitude": 0.5}
            | {"maximized_log_marginal_likelihood": best, "log_marginal_likelihood": best - 100}
            | {"log_marginal_likelihood_error": 0.0}
            for kind, size in product(KINDS, SIZES)
            for place, architecture in enumerate(architectures[:: 1 if kind == "nngp" else -1])
            for best in [5000.0 - 10 * place]
        ),
    )


def tables(
    seeds: int = 1, architectures: Sequence[Architecture] = DEFAULT
) -> dict[str, pd.DataFrame]:
    """All tables that a chart may draw."""
    return {
        "network": networks(seeds, architectures),
        "kernel": kernels(architectures),
        "calibration": calibration(architectures),
        "evidence": evidence(architectures),
    }
