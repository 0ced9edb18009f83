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

#: They differ in everything in which the eight do, and no setting follows from another.
FOUR = [EIGHT[0], EIGHT[3], EIGHT[5], EIGHT[6]]

#: They differ in all of it at once.
TWO = [EIGHT[0], EIGHT[-1]]


def table(name: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of the named table; columns that a row lacks hold the default setting, or null."""
    settings = asdict(Inputs()) | asdict(Training())
    # Rows of one schema; what is no column of it is left out.
    complete = [{**settings, **row} for row in rows]
    frame: pd.DataFrame = pa.Table.from_pylist(complete, schema=TABLE_SCHEMAS[name]).to_pandas()
    return frame


def networks(seeds: int = 1, architectures: Sequence[Architecture] = DEFAULT) -> pd.DataFrame:
    """Accuracy 0.5, and 0.02 more a seed, 0.001 an architecture and 0.01 a width and size.

    The loss of the epochs is 2, 1 and 0.5, times 1.1 to the power of the seed.
    """
    cells = list(product(WIDTHS, SIZES))
    return table(
        "network",
        (
            asdict(architecture)
            | {"width": width, "size": size, "seed": seed}
            | {"test_accuracy": 0.5 + i / 100 + a / 1000 + seed / 50}
            | {"epoch_train_loss": [loss * 1.1**seed for loss in (2.0, 1.0, 0.5)]}
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
            | {"log_marginal_likelihood_error": 0.0, "outputs": 10}
            for kind, size in product(KINDS, SIZES)
            for place, architecture in enumerate(architectures[:: 1 if kind == "nngp" else -1])
            for best in [5000.0 - 10 * place]
        ),
    )


def reproduction() -> pd.DataFrame:
    """Four published numbers, one of each verdict."""
    both = {"dataset": "mnist", "column": "test_accuracy", "decimals": 2, "over": "size"}
    rows = [
        {"table": "kernel", "item": "nngp", "at": 64, "published": 0.6, "ours": 0.6, "runs": 1}
        | {"difference": 0.0, "verdict": "equal"},
        {"table": "network", "item": "width 8", "at": 64, "published": 0.5, "ours": 0.52}
        | {"low": 0.4, "high": 0.64, "runs": 3, "difference": 0.02, "verdict": "within"},
        {"table": "network", "item": "width 9", "at": 64, "published": 0.5, "ours": 0.49}
        | {"low": 0.495, "high": 0.485, "runs": 3, "difference": -0.01, "verdict": "differs"},
        {"table": "network", "item": "width 10", "at": 64, "published": 0.5, "runs": 0}
        | {"verdict": "not run"},
    ]
    return table("reproduction", [both | row for row in rows])


def tables(
    seeds: int = 1, architectures: Sequence[Architecture] = DEFAULT
) -> dict[str, pd.DataFrame]:
    """All tables that a chart may draw."""
    return {
        "network": networks(seeds, architectures),
        "kernel": kernels(architectures),
        "calibration": calibration(architectures),
        "evidence": evidence(architectures),
        "reproduction": reproduction(),
    }


#: Of networks that are trained on the NTK's terms.
LIKE_FOR_LIKE: dict[str, Any] = {
    "parameterization": "ntk",
    "loss": "squared_error",
    "optimizer": "gradient_descent",
    "step_size": 2.0,
    "centred": True,
}
#: Of the distances' rows, and of the networks' and kernels' like-for-like ones.
STEP_TIMES = [2.0, 20.0, 200.0]
#: Of the same tables.
STEP_SIZES = [128, 3000]
#: Exponents of the width by quantity.
EXPONENTS = {
    "network_to_limit": -0.5,
    "linearization_to_limit": -0.45,
    "network_to_linearization": -1.0,
    "ntk_to_limit": -0.5,
    "ntk_change": -0.75,
}


def distances(seeds: int = 1, architectures: Sequence[Architecture] = DEFAULT) -> pd.DataFrame:
    """Exact power laws of the width: (1 + time / 100) · width^exponent · 2^seed · size / 100."""
    settings = asdict(Inputs()) | asdict(Training()) | LIKE_FOR_LIKE | {"draw": None}
    return pd.DataFrame(
        settings
        | asdict(architecture)
        | {"width": width, "size": size, "seed": seed, "time": time, "quantity": quantity}
        | {"rms": (1 + time / 100) * width**exponent * 2**seed * size / 100 * (1 + a / 10)}
        | {"max": None if quantity.startswith("ntk") else 1.0}
        for a, architecture in enumerate(architectures)
        for width, size, time in product(WIDTHS, STEP_SIZES, STEP_TIMES)
        for seed in range(seeds)
        for quantity, exponent in EXPONENTS.items()
    )


def convergence(architectures: Sequence[Architecture] = DEFAULT) -> pd.DataFrame:
    """The exponents of the distances, with an interval of ± 0.03; 0.02 steeper without width 64."""
    return pd.DataFrame(
        asdict(Inputs())
        | asdict(Training())
        | LIKE_FOR_LIKE
        | asdict(architecture)
        | {"draw": None}
        | {"size": size, "time": time, "quantity": quantity}
        | {"slope": slope, "low": slope - 0.03, "high": slope + 0.03}
        | {"widths": len(widths), "networks": len(widths)}
        | {"smallest_width": min(widths), "largest_width": max(widths)}
        for architecture in architectures
        for size, time in product(STEP_SIZES, STEP_TIMES)
        for quantity, exponent in EXPONENTS.items()
        for widths, slope in ((WIDTHS, exponent), (WIDTHS[1:], exponent - 0.02))
    )


def networks_over_time(
    seeds: int = 1, architectures: Sequence[Architecture] = DEFAULT
) -> pd.DataFrame:
    """Networks on the NTK's terms; accuracy grows by 0.05 a time, the error is 1 / (10 + time)."""
    cells = networks(seeds, architectures)
    cells = cells[cells["size"].isin(STEP_SIZES)]
    return pd.concat(
        [
            cells.assign(
                **LIKE_FOR_LIKE,
                time=time,
                test_accuracy=cells["test_accuracy"] + 0.05 * i,
                # Half the squared error.
                test_loss=(1 + cells["seed"] / 10) / (10 + time) / 2,
            )
            for i, time in enumerate(STEP_TIMES)
        ],
        ignore_index=True,
    )


def kernels_over_time(architectures: Sequence[Architecture] = DEFAULT) -> pd.DataFrame:
    """The kernels, of squared error 1 / (20 + time), and 0.02 at infinity."""
    table = kernels(architectures)
    table = table[table["size"].isin(STEP_SIZES)]
    return table.assign(test_mse=(1 / (20 + table["time"])).where(table["time"] < math.inf, 0.02))


def ensembles(seeds: int = 1, architectures: Sequence[Architecture] = DEFAULT) -> pd.DataFrame:
    """NTK at 0.7, networks 2 / √width below it, their ensemble half as far."""
    cells = list(product(WIDTHS, STEP_SIZES, STEP_TIMES))
    return table(
        "ensemble",
        (
            asdict(architecture)
            | LIKE_FOR_LIKE
            | {"width": width, "size": size, "time": time, "seeds": seeds}
            | {"limit_accuracy": 0.7, "accuracy_gap": -gap, "accuracy_gap_error": 0.004}
            | {"network_accuracy": 0.7 - gap, "ensemble_accuracy": 0.7 - gap / 2}
            | {"network_accuracy_error": 0.01 if seeds > 1 else None}
            for architecture in architectures
            for width, size, time in cells
            for gap in [2 / width**0.5]
        ),
    )


def like_for_like_tables(
    seeds: int = 1, architectures: Sequence[Architecture] = DEFAULT
) -> dict[str, pd.DataFrame]:
    """All tables that a like-for-like chart may draw."""
    return {
        "network": networks_over_time(seeds, architectures),
        "kernel": kernels_over_time(architectures),
        "distance": distances(seeds, architectures),
        "convergence": convergence(architectures),
        "ensemble": ensembles(seeds, architectures),
    }
