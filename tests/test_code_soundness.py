"""Every function that runs in a cell's computation is part of the digest of its code.

The digest follows references by reading the source. Here the computation runs, and every call of a
function of the package is recorded: one that the digest did not reach would be a result that could
change without running again.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
import pytest

import ntk_mnist
from ntk_mnist.data.inputs import load
from ntk_mnist.kernels.cell import solve_cell
from ntk_mnist.networks.training import Trainer
from ntk_mnist.plan.cells import KernelCell, NetworkCell
from ntk_mnist.plan.experiment import experiment_of
from ntk_mnist.store.code_digest import OPAQUE

pytestmark = pytest.mark.slow

PACKAGE = Path(ntk_mnist.__file__).parent
# Nothing that another test compiled, so that every function is traced.
CONFIG: dict[str, Any] = {
    "inputs": {"dataset": "digits", "test_size": 50},
    "grid": {"size": 70, "width": 5},
    "architecture": {"activation": "gelu", "depth": 3, "W_std": 1.3, "b_std": 0.2},
    "training": {"epochs": 1, "parameterization": "ntk"},
    "solve": {"times": [10]},
}


def called(compute: Callable[[], object]) -> set[str]:
    """The definitions of the package whose code ran, without those of opaque modules."""
    codes: set[CodeType] = set()

    def record(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            codes.add(frame.f_code)

    sys.setprofile(record)
    try:
        compute()
    finally:
        sys.setprofile(None)
    return {name for name in map(definition_of, codes) if name}


def definition_of(code: CodeType) -> str:
    """The definition that holds some code; nothing for code of other packages and opaque modules."""
    file = Path(code.co_filename)
    name = code.co_qualname.split(".")[0]
    if not file.is_relative_to(PACKAGE) or name.startswith("<"):
        return ""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts[0] in OPAQUE else f"{'.'.join(parts)}.{name}"


def train(cell: NetworkCell, prepared: Path) -> None:
    dataset = load(cell.description, cell.inputs, prepared, cell.size)
    Trainer(cell.architecture, cell.training, cell.width, dataset)(0)


def solve(cell: KernelCell, prepared: Path, solver: str) -> None:
    dataset = load(cell.description, cell.inputs, prepared, cell.size)
    solve_cell(
        *(cell.architecture, cell.solve.kinds, cell.solve.times, cell.solve.diag_reg),
        *(solver, dataset),
    )


def test_what_a_network_cell_calls_is_in_its_digest(prepared_digits: Path) -> None:
    cell = experiment_of(CONFIG).networks[0]
    ran = called(lambda: train(cell, prepared_digits))
    assert "networks.training.Trainer" in ran
    assert "architecture.finite" in ran
    assert ran <= set(cell.record("network")["code"]["definitions"])


@pytest.mark.parametrize(
    ("solver", "activation"), [("spectral", "gelu"), ("exact", "gelu"), ("spectral", "tanh")]
)
def test_what_a_kernel_cell_calls_is_in_its_digest(
    prepared_digits: Path, solver: str, activation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ntk_mnist.plan.cost.kernel_solver", lambda size: solver)
    architecture = {**CONFIG["architecture"], "activation": activation}
    cell = experiment_of({**CONFIG, "architecture": architecture}).kernels[0]
    assert cell.solver == solver
    ran = called(lambda: solve(cell, prepared_digits, solver))
    assert "architecture.infinite" in ran
    assert any(name.startswith("kernels.exact") for name in ran) == (solver == "exact")
    definitions = set(cell.record("kernel")["code"]["definitions"])
    assert ran <= definitions
    assert any(name.startswith("kernels.exact") for name in definitions) == (solver == "exact")


def test_a_function_that_the_digest_does_not_reach_would_be_seen() -> None:
    from ntk_mnist.comparison.distances import distance

    ran = called(lambda: distance(np.eye(3), np.eye(3)))
    assert ran == {"comparison.distances.distance"}
    assert not ran & set(experiment_of(CONFIG).networks[0].record("network")["code"]["definitions"])
