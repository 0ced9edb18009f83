"""The registry of solvers, as the digest of a cell's code reads it."""

import pytest

from ntk_mnist.kernels.solvers import SOLVERS
from ntk_mnist.registries import names_in
from ntk_mnist.store.code_digest import code_of


def test_the_names_of_the_solvers_can_be_read_without_importing_them() -> None:
    assert names_in("kernels.solvers.SOLVERS") == tuple(SOLVERS)


@pytest.mark.parametrize(
    ("solver", "other"),
    [
        ("spectral", "kernels.exact."),
        ("exact", "kernels.spectral."),
        ("exact", "kernels.diagonalization."),
        ("exact", "kernels.dynamics."),
        ("exact", "kernels.trained_ensemble."),
    ],
)
def test_a_cell_depends_on_the_code_of_its_own_solver_only(solver: str, other: str) -> None:
    code = code_of(("kernels.cell.solve_cell",), (("kernels.solvers.SOLVERS", solver),))
    assert "kernels.solver.Solver" in code.definitions
    assert not any(name.startswith(other) for name in code.definitions)
