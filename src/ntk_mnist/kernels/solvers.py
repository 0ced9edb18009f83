"""The solvers by name."""

from collections.abc import Callable, Mapping

from ntk_mnist.kernels.exact.solve import ExactSolver
from ntk_mnist.kernels.solver import Services, Solver
from ntk_mnist.kernels.spectral import SpectralSolver

__all__ = ["SOLVERS"]

#: Of the same matrix both give the same solution. ``spectral`` needs the whole matrix in float64
#: and about 10 n³ operations in LAPACK; ``exact`` is for training sets that are too large for that.
SOLVERS: Mapping[str, Callable[[Services], Solver]] = {
    "spectral": SpectralSolver,
    "exact": ExactSolver,
}
