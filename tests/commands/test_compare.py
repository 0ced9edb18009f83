"""Which network is compared with which kernel, at which time."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from ntk_mnist.commands.compare import compare
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.data.preprocessing import Preprocessing
from ntk_mnist.plan.experiment import Experiment, experiment_of

CONFIG: dict[str, Any] = {
    "inputs": {"dataset": "digits", "test_size": 2},
    "architecture": {"activation": ["relu", "erf"]},
    "grid": {"size": [64, 96], "width": [8, 32], "seed": [4, 1]},
    "training": {
        "parameterization": "ntk",
        "loss": "squared_error",
        "optimizer": "gradient_descent",
        "step_size": 2.0,
        "centred": True,
    },
    "solve": {"times": [2.0, 8.0]},
}


_IMAGES = np.zeros((2, 64), np.uint8)
DATASET = Dataset(
    CATALOGUE["digits"],
    Preprocessing("scale", 16),
    *(_IMAGES, np.array([0, 1], np.uint8), _IMAGES, np.array([3, 1], np.uint8)),
)


def value(activation: str, size: int, time: float) -> float:
    """All outputs of a limit; no two are equal."""
    return {"relu": 1.0, "erf": 2.0}[activation] * size + time


def shards(experiment: Experiment) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Networks whose distance from their limit is their seed over their width.

    Each shard has a seed that the experiment does not have, and each kernel's has the NNGP too.
    """
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for kernel in experiment.kernels:
        times = [2.0, 8.0, float("inf")]
        activation = kernel.architecture.activation
        found[kernel.path("kernel_prediction"), "kernel_prediction"] = [
            {"kernel": kind, "time": time, "prediction": [content] * 20}
            for kind, time in product(("nngp", "ntk"), times)
            for content in [value(activation, kernel.size, time) if kind == "ntk" else -1e3]
        ]
        found[kernel.path("kernel"), "kernel"] = [
            {"kernel": kind, "time": time, "trained_variance": time if kind == "ntk" else None}
            for kind, time in product(("nngp", "ntk"), times)
        ]
    for cell in experiment.networks:
        rows = [
            {"seed": seed, "time": time, "ntk_to_limit": 0.5, "ntk_change": 0.25}
            | {"prediction": [limit + seed / cell.width] * 20, "linearization": []}
            for seed, time in product((1, 4, 9), (2.0, 8.0))
            for limit in [value(cell.architecture.activation, cell.size, time)]
        ]
        for output in cell.outputs:
            found[cell.path(output), output] = rows
    return found


def compared(**training: Any) -> dict[str, list[dict[str, Any]]]:
    experiment = experiment_of(CONFIG | {"training": CONFIG["training"] | training})
    of_path = shards(experiment)
    return compare(experiment, lambda path, output: of_path[path, output], lambda cell: DATASET)


def test_each_network_is_compared_with_the_ntk_of_its_architecture_size_and_time() -> None:
    rows = [r for r in compared()["distance"] if r["quantity"] == "network_to_limit"]
    assert len(rows) == 2 * 2 * 2 * 2 * 2
    for row in rows:
        assert row["rms"] == pytest.approx(row["seed"] / row["width"], rel=1e-4)
    assert {row["seed"] for row in rows} == {1, 4}


def test_a_slope_is_of_all_widths_and_seeds_of_one_architecture_size_and_time() -> None:
    rows = [r for r in compared()["convergence"] if r["quantity"] == "network_to_limit"]
    assert len(rows) == 2 * 2 * 2
    assert len({(r["activation"], r["size"], r["time"]) for r in rows}) == len(rows)
    for row in rows:
        assert row["slope"] == pytest.approx(-1, rel=1e-3)
        assert (row["networks"], row["widths"]) == (4, 2)
        assert "width" not in row


def test_the_limit_has_a_variance_unless_networks_are_centred() -> None:
    assert {row["limit_variance"] for row in compared()["ensemble"]} == {0.0}
    rows = compared(centred=False)["ensemble"]
    assert {(row["time"], row["limit_variance"]) for row in rows} == {(2.0, 2.0), (8.0, 8.0)}
    assert {row["seeds"] for row in rows} == {2}
