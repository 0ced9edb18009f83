"""What every solver does alike: results, singular matrices, checkpoints."""

from collections.abc import Iterator, Sequence
from functools import partial
from math import inf
from typing import Any

import numpy as np
import pytest
from kernels.problems import ARCHITECTURE, TIMES, blends, lapack, solved, with_copies
from numpy.typing import NDArray

from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.exact.recomputed_gram import RecomputedGram
from ntk_mnist.kernels.exact.solve import ExactSolver
from ntk_mnist.kernels.solution import Arrays, Solution
from ntk_mnist.kernels.solver import (
    Attempt,
    NullStore,
    Services,
    Singular,
    SolveFailed,
    Solver,
    check_regular,
)
from ntk_mnist.kernels.solvers import SOLVERS
from ntk_mnist.kernels.spectral import SpectralSolver
from ntk_mnist.settings import Architecture
from ntk_mnist.store.progress import Stage

EPS = float(np.finfo(np.float64).eps)


class Killed(Exception):
    """Stands for the end of the process."""


class Scripted(Solver):
    """Raises Singular with each of the given values in turn, and records its calls."""

    def __init__(self, failures: Sequence[float], services: Services | None = None) -> None:
        super().__init__(services)
        self.failures = list(failures)
        self.tried: list[tuple[str, float]] = []

    def attempts(
        self,
        architecture: Architecture,
        kinds: Sequence[str],
        dataset: Dataset,
        times: Sequence[float],
        step_size: float,
    ) -> Iterator[Attempt]:
        def attempt(kind: str, diag_reg: float, checkpoint: Arrays) -> Solution:
            self.tried.append((kind, diag_reg))
            assert "part" not in checkpoint
            checkpoint["part"] = np.ones(3)
            if self.failures:
                raise Singular(self.failures.pop(0))
            empty = np.zeros((len(times), 1, 1))
            return Solution(kind, empty, empty, empty[:, 0, 0], np.zeros(1), diag_reg, *[0.0] * 7)

        for kind in kinds:
            yield partial(attempt, kind)


@pytest.mark.slow
def test_both_solvers_give_the_same_solutions_of_bytes(digits: Dataset) -> None:
    architecture = Architecture(activation="relu", depth=2, W_std=1.4, b_std=0.3)
    both = [
        list(make(Services()).solutions(architecture, ("ntk", "nngp"), digits, TIMES, 1e-6))
        for make in SOLVERS.values()
    ]
    for spectral, ours in zip(*both, strict=True):
        assert spectral.kind == ours.kind
        assert spectral.diag_reg == ours.diag_reg == 1e-6
        np.testing.assert_allclose(ours.train, spectral.train, atol=1e-6)
        np.testing.assert_allclose(ours.test, spectral.test, atol=1e-6)
        np.testing.assert_allclose(ours.variances, spectral.variances, rtol=1e-3)
        assert ours.errors.shape == spectral.errors.shape == (len(TIMES),)
        assert ours.condition_number == pytest.approx(spectral.condition_number, rel=5e-2)
        assert ours.log_marginal_likelihood == pytest.approx(
            spectral.log_marginal_likelihood, abs=max(ours.log_marginal_likelihood_error, 1e-3)
        )
        assert ours.amplitude == pytest.approx(spectral.amplitude, rel=1e-6)
        assert ours.maximized_log_marginal_likelihood == pytest.approx(
            spectral.maximized_log_marginal_likelihood,
            abs=max(ours.log_marginal_likelihood_error, 1e-3),
        )
        assert max(ours.residual, spectral.residual) < 1e-8
        assert min(ours.seconds, spectral.seconds) > 0
    assert [solution.kind for solution in both[0]] == ["ntk", "nngp"]


@pytest.mark.slow
@pytest.mark.parametrize("solver", [SpectralSolver(), ExactSolver(largest_tile=192)])
def test_a_singular_matrix_is_regularized_and_the_value_in_use_reported(solver: Solver) -> None:
    # One image twice, with two labels.
    problem = with_copies(blends(300), 1, relabel=True)
    ours = solved(solver, problem, "nngp", times=[inf])
    assert ours.diag_reg > 0
    assert ours.diag_reg == pytest.approx(10.0 ** round(np.log10(ours.diag_reg)), rel=1e-12)
    assert ours.condition_number < 1 / (301 * EPS)
    on_train, on_test = lapack(problem, "nngp", diag_reg=ours.diag_reg)
    np.testing.assert_allclose(ours.train[-1], on_train, atol=ours.errors[-1])
    np.testing.assert_allclose(ours.test[-1], on_test, atol=ours.errors[-1])
    # Of the two labels of one image, each gets half.
    labels = problem.train_labels[-2:]
    np.testing.assert_allclose(on_train[-1][labels], 0.5, atol=1e-2)
    np.testing.assert_allclose(ours.train[-1][-1][labels], 0.5, atol=1e-2)


def test_diag_reg_is_raised_to_the_next_power_of_ten_until_it_suffices(digits: Dataset) -> None:
    solver = Scripted([3e-13, 1e-12, 0.0])
    [ours] = solver.solutions(ARCHITECTURE, ["nngp"], digits, [inf], 0.0)
    # A larger one each time, even if the solver asks for less.
    assert [diag_reg for _, diag_reg in solver.tried] == [
        0.0,
        *(pytest.approx(d) for d in (1e-12, 1e-11, 1e-10)),
    ]
    assert ours.diag_reg == solver.tried[-1][1]


def test_a_matrix_that_stays_singular_is_refused_in_one_line_that_says_what_to_set(
    digits: Dataset,
) -> None:
    solver = Scripted([1e-7] * 100)
    with pytest.raises(SolveFailed, match=r"nngp .* set solve\.diag_reg to 0\.01 or more$"):
        list(solver.solutions(ARCHITECTURE, ["nngp"], digits, [inf], 0.0))
    assert len(solver.tried) == 5


@pytest.mark.parametrize("smallest", [-1.0, 0.0, 1.0, 2.0])
def test_a_matrix_is_singular_if_its_smallest_eigenvalue_is_within_rounding(
    smallest: float,
) -> None:
    # In units of ε: the rounding error is 2.
    with pytest.raises(Singular) as raised:
        check_regular(2, smallest * EPS, 1.0, 0.5, 0.0)
    assert raised.value.needed >= (2.0 - smallest) * EPS / 0.5
    assert raised.value.needed > 0
    check_regular(2, smallest * EPS, 1.0, 0.5, 2 * raised.value.needed)
    check_regular(2, 2.001 * EPS, 1.0, 0.5, 0.0)


def test_a_finished_kernel_is_not_solved_again_and_keeps_no_parts(digits: Dataset) -> None:
    stores: dict[str, dict[str, NDArray[Any]]] = {"nngp": {}, "ntk": {}}
    services = Services(checkpoint=stores.__getitem__)
    first = Scripted([3e-13], services)
    solutions = first.solutions(ARCHITECTURE, ("nngp", "ntk"), digits, [inf], 0.0)
    finished = next(solutions)
    assert finished.diag_reg > 0
    assert "part" not in stores["nngp"]
    assert stores["ntk"] == {}
    second = Scripted([], services)
    restored, _ = second.solutions(ARCHITECTURE, ("nngp", "ntk"), digits, [inf], 0.0)
    assert [kind for kind, _ in second.tried] == ["ntk"]
    assert restored.diag_reg == finished.diag_reg
    assert restored.seconds == finished.seconds > 0


def test_a_null_store_stores_nothing() -> None:
    store = NullStore()
    store["a"] = np.ones(1)
    assert not store


@pytest.mark.slow
@pytest.mark.parametrize(("copies", "relabel"), [(1, False), (100, True)])
def test_an_exact_solve_raises_diag_reg_once_and_continues_with_the_raised_value_after_a_kill(
    monkeypatch: pytest.MonkeyPatch, copies: int, relabel: bool
) -> None:
    problem = with_copies(blends(300), copies, relabel=relabel)
    stored: dict[str, NDArray[Any]] = {}
    tried: list[float] = []
    seen: list[Stage] = []

    class Watched(RecomputedGram):
        def __init__(self, *arguments: Any) -> None:
            tried.append(arguments[-1])
            super().__init__(*arguments)

    def kill(stage: Stage, done: int, total: int) -> None:
        if tried[-1] > 0 and stage is Stage.EXACT_PRODUCTS:
            raise Killed

    def watch(stage: Stage, done: int, total: int) -> None:
        seen.append(stage)

    def solver(progress: Any) -> Solver:
        services = Services(checkpoint=lambda kind: stored, progress=lambda kind: progress)
        return ExactSolver(services, largest_tile=192)

    monkeypatch.setattr("ntk_mnist.kernels.exact.solve.RecomputedGram", Watched)
    with pytest.raises(Killed):
        solved(solver(kill), problem, "nngp", times=[inf])
    before = list(tried)
    assert before[0] == 0
    assert before[1] > 0
    assert len(before) == 2
    ours = solved(solver(watch), problem, "nngp", times=[inf])
    assert tried[len(before) :] == before[-1:]
    assert ours.diag_reg == before[-1]
    assert Stage.INVERSE_STEPS not in seen
    assert Stage.EXACT_PRODUCTS in seen
    _, on_test = lapack(problem, "nngp", diag_reg=ours.diag_reg)
    np.testing.assert_allclose(ours.test[-1], on_test, atol=ours.errors[-1])
