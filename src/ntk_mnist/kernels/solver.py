"""The interface of every solver, and the policy on singular matrices that they share.

A solver predicts with the kernels of one architecture at one training-set size, at all times. All
solvers take the same arguments and give the same :class:`~ntk_mnist.kernels.solution.Solution`.

*Rounding.* An entry of a kernel matrix is known to about ``precision.entry_error`` of the largest
entry. These errors, and those of the solve, move the eigenvalues of a matrix with n rows by about
n ε λ_max, where λ_max is the largest, and the predictions by what :func:`rounding_errors`
estimates.

*Singular matrices.* If the smallest eigenvalue is not above its rounding error, the matrix is
singular to working precision, and the predictions would be rounding errors. ``diag_reg`` is then
raised to the smallest power of ten that lifts the smallest eigenvalue above, and
``Solution.diag_reg`` reports the value in use. If a solver still cannot solve, it is raised
further, a few times at most.

*Killed cells.* What a solver stores in the checkpoint of a kernel belongs to one value of
``diag_reg``, but for the parts whose names begin with :data:`REUSED`: these hold for every value,
and are kept when it is raised. A raised value is itself stored, so that a cell that was killed
continues with it. A finished solution replaces everything else in the checkpoint.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ntk_mnist import UserError, settings
from ntk_mnist.compilation import Programs, compile_in_memory
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.solution import Arrays, Matrix, Solution, restore_solution, store_solution
from ntk_mnist.store.progress import Progress, no_progress

__all__ = [
    "REUSED",
    "Attempt",
    "MakeArrays",
    "NullStore",
    "Services",
    "Singular",
    "SolveFailed",
    "Solver",
    "check_diagonal",
    "check_regular",
    "in_memory",
    "rounding_errors",
]

#: Solves one kernel with a given ``diag_reg``. It continues from what it stored in the checkpoint.
Attempt: TypeAlias = Callable[[float, Arrays], Solution]

#: Makes arrays of float32 of the given shapes.
MakeArrays: TypeAlias = Callable[[Sequence[tuple[int, ...]]], Sequence[NDArray[np.float32]]]

_EPS = float(np.finfo(np.float64).eps)
#: How often ``diag_reg`` is raised.
_RAISES = 4
_RAISED = "raised_diag_reg"
#: Begins the names of parts in a checkpoint that hold for every ``diag_reg``.
REUSED = "any_diag_reg,"


class SolveFailed(UserError):
    """The kernel is not a finite matrix, vanishes, or stays singular however it is regularized."""


class Singular(Exception):
    """The matrix is singular to working precision.

    Args:
        needed: a ``diag_reg`` that is not enough; any larger one may be.
    """

    def __init__(self, needed: float) -> None:
        super().__init__(needed)
        self.needed = needed


def in_memory(shapes: Sequence[tuple[int, ...]]) -> list[NDArray[np.float32]]:
    """Arrays of float32 with any content."""
    return [np.empty(shape, np.float32) for shape in shapes]


class NullStore(dict[str, NDArray[Any]]):
    """A checkpoint that stores nothing."""

    def __setitem__(self, name: str, array: NDArray[Any]) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Services:
    """What a solver may use of its surroundings. By default nothing is stored or shown.

    Attributes:
        programs: provides compiled programs.
        checkpoint: from a kind of kernel, the arrays that its solve may store and continue from.
        progress: from a kind of kernel, the function that shows the progress of its solve.
        arrays: from shapes, arrays of float32 that together may be larger than memory.
    """

    programs: Programs = compile_in_memory
    checkpoint: Callable[[str], Arrays] = lambda kind: NullStore()
    progress: Callable[[str], Progress] = lambda kind: no_progress
    arrays: MakeArrays = in_memory


class Solver(ABC):
    """Predicts with infinite-width kernels under gradient flow.

    Args:
        services: what the solver may use of its surroundings.
    """

    def __init__(self, services: Services | None = None) -> None:
        self.services = services or Services()

    @abstractmethod
    def attempts(
        self,
        architecture: settings.Architecture,
        kinds: Sequence[str],
        dataset: Dataset,
        times: Sequence[float],
        step_size: float,
    ) -> Iterator[Attempt]:
        """A function that solves, for each kind in turn; the arguments are of :meth:`solutions`.

        It raises :class:`Singular` if the matrix is singular with the given ``diag_reg``, and
        :class:`SolveFailed` if no ``diag_reg`` helps. It may be called several times.
        """

    def trained_variances(
        self,
        architecture: settings.Architecture,
        dataset: Dataset,
        times: Sequence[float],
        diag_reg: float,
        step_size: float,
    ) -> Matrix | None:
        """The variance of trained networks over initial parameters, at each time and test image.

        The arguments are of :meth:`solutions`, ``diag_reg`` is the one in use.

        Returns:
            Shape (times, m); None from a solver that does not follow gradient descent.
        """
        return None

    def solutions(
        self,
        architecture: settings.Architecture,
        kinds: Sequence[str],
        dataset: Dataset,
        times: Sequence[float],
        diag_reg: float,
        step_size: float = 0.0,
    ) -> Iterator[Solution]:
        """Solve one kernel after another, each at every time.

        Args:
            architecture: its infinite-width limit is taken.
            kinds: of ``recursion.KINDS``.
            dataset: n training images and m test images.
            times: gradient-flow times; ``inf`` is the limit.
            diag_reg: added to the diagonal of each Gram matrix, in units of its mean.
            step_size: of gradient descent to each finite time; 0 for gradient flow.

        Returns:
            One solution a kind, in their order.

        Raises:
            SolveFailed: a Gram matrix has entries that are NaN, infinite or not known, vanishes,
                or stays singular however it is regularized; or descent diverges.
        """
        attempts = self.attempts(architecture, kinds, dataset, times, step_size)
        # Before an attempt is asked for, as a solver may compute its matrices then.
        started = time.perf_counter()
        for kind, attempt in zip(kinds, attempts, strict=True):
            checkpoint = self.services.checkpoint(kind)
            solution = restore_solution(checkpoint)
            if solution is None:
                solution = _regularized(kind, attempt, diag_reg, checkpoint)
                solution = replace(solution, seconds=time.perf_counter() - started)
            store_solution(solution, checkpoint)
            yield solution
            started = time.perf_counter()


def check_diagonal(mean: float, diag_reg: float = 0.0) -> None:
    """Check that a Gram matrix with this mean diagonal can be solved.

    Args:
        mean: of the diagonal.
        diag_reg: added to the diagonal, in units of the mean.

    Raises:
        SolveFailed: the mean vanishes, or it or the regularized mean is not finite.
    """
    if not np.isfinite(mean):
        raise SolveFailed(
            "the training Gram matrix has entries that are NaN or infinite: architecture.W_std or "
            "b_std is too large for this depth"
        )
    if not mean > np.finfo(np.float64).tiny / _EPS:
        raise SolveFailed(
            "the training Gram matrix vanishes: architecture.W_std or b_std is too small for this "
            "depth, or every input is 0, as standardized makes of rows of equal values"
        )
    if not np.isfinite(mean * diag_reg):
        raise SolveFailed(f"solve.diag_reg {diag_reg:g} is too large: the kernel is lost beside it")


def check_regular(
    count: int,
    smallest: float,
    largest: float,
    mean_diagonal: float,
    diag_reg: float,
    entry_error: float = 0.0,
) -> None:
    """Check that a regularized Gram matrix is regular to working precision.

    Args:
        count: n, its rows.
        smallest: its smallest eigenvalue before regularization.
        largest: its largest eigenvalue before regularization.
        mean_diagonal: mean of its diagonal before regularization.
        diag_reg: added to its diagonal, in units of that mean.
        entry_error: of an entry, relative to the largest; 0 if the matrix is exact.

    Raises:
        Singular: the smallest eigenvalue is within the rounding error of the largest.
    """
    noise = max(count * _EPS, entry_error) * largest
    if smallest + diag_reg * mean_diagonal <= noise:
        # Where the two are equal, any positive ``diag_reg`` lifts the smallest above.
        raise Singular(max(noise - smallest, _EPS * noise) / mean_diagonal)


def rounding_errors(
    coefficients: Sequence[Matrix],
    times: Sequence[float],
    weights: float,
    mean_diagonal: float,
    prior: float,
    entry_error: float,
) -> Matrix:
    """Estimated error of predictions that the rounding of the kernel's entries causes.

    A prediction is f_t(x) = Θ(x, X) a_t. To first order, errors of the entries change it by
    δΘ(x, X) a_t − w_t(x)ᵀ δK a_t with w_t(x) = φ_t(K) Θ(X, x) (``kernels.diagonalization``). For
    independent errors of size ε Θ̄ that is about ε Θ̄ |a_t| (1 + |w_t(x)|).

    Args:
        coefficients: a_t at each time, shape (n, k) each.
        times: gradient-flow times; ``inf`` is the limit.
        weights: the largest |w_∞(x)| of a test image, or a bound.
        mean_diagonal: Θ̄, of the matrix before regularization.
        prior: the largest Θ(x, x) of a test image.
        entry_error: ε, of an entry relative to Θ̄.

    Returns:
        Shape (times,).
    """
    errors = []
    for a, t in zip(coefficients, times, strict=True):
        # φ_t is at most t / nk. The coefficients alone may be too large for a sum of squares.
        early = t / a.size * float(np.sqrt(len(a) * mean_diagonal) * np.sqrt(prior))
        length = float(np.linalg.norm(a * mean_diagonal, axis=0).max())
        errors.append(entry_error * length * (1 + min(weights, early)))
    return np.array(errors)


def _regularized(kind: str, attempt: Attempt, diag_reg: float, checkpoint: Arrays) -> Solution:
    """Solve one kernel; raise ``diag_reg`` where the matrix is singular."""
    if _RAISED in checkpoint:
        diag_reg = float(checkpoint[_RAISED])
    for _ in range(_RAISES + 1):
        try:
            return attempt(diag_reg, checkpoint)
        except Singular as singular:
            needed = max(singular.needed, diag_reg)
        diag_reg = float(10.0 ** (np.floor(np.log10(needed)) + 1))
        # First removed, then stored: parts of the smaller value must not meet the larger one.
        for name in list(checkpoint):
            if not name.startswith(REUSED):
                del checkpoint[name]
        checkpoint[_RAISED] = np.asarray(diag_reg)
    raise SolveFailed(
        f"the {kind} Gram matrix is singular to working precision even with solve.diag_reg = "
        f"{needed:g}; set solve.diag_reg to {diag_reg:g} or more"
    )
