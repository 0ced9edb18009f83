"""The exact solve against the spectral one, dense LAPACK and what float32 does alone."""

from dataclasses import replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kernels.problems import ARCHITECTURE, TIMES, blends, lapack, solved
from numpy.typing import NDArray

from ntk_mnist.infinite_width.recursion import KINDS
from ntk_mnist.kernels.exact import solve as module
from ntk_mnist.kernels.exact.factorization import NotPositiveDefinite
from ntk_mnist.kernels.exact.host_tiles import HostTiles
from ntk_mnist.kernels.exact.solve import JITTERS, ExactSolver
from ntk_mnist.kernels.solution import Solution
from ntk_mnist.kernels.solver import Services
from ntk_mnist.kernels.spectral import SpectralSolver
from ntk_mnist.settings import Architecture
from ntk_mnist.store.memory import mapped
from ntk_mnist.store.progress import Progress, Stage

pytestmark = pytest.mark.slow


def test_every_time_at_4096_images_agrees_with_the_spectral_solve() -> None:
    problem = blends(4096)
    for ours, theirs in zip(
        ExactSolver().solutions(ARCHITECTURE, KINDS, problem, TIMES, 0.0),
        SpectralSolver().solutions(ARCHITECTURE, KINDS, problem, TIMES, 0.0),
        strict=True,
    ):
        wrong = np.abs(ours.test - theirs.test).max(axis=(1, 2))
        assert wrong.max() < 1e-6
        assert (wrong <= ours.errors + 1e-12).all()
        assert ours.residual < 1e-8
        np.testing.assert_allclose(ours.train, theirs.train, atol=2e-6)
        np.testing.assert_allclose(ours.variances, theirs.variances, rtol=1e-4)
        off = abs(ours.log_marginal_likelihood - theirs.log_marginal_likelihood)
        allowed = 1e-6 * abs(theirs.log_marginal_likelihood), ours.log_marginal_likelihood_error
        assert off < max(allowed)
        assert ours.condition_number == pytest.approx(theirs.condition_number, rel=5e-2)


def test_the_limit_at_8000_images_agrees_with_dense_lapack() -> None:
    problem = blends(8000)
    ours = solved(ExactSolver(), problem, "ntk", times=[inf])
    on_train, on_test = lapack(problem, "ntk")
    assert np.abs(ours.test[0] - on_test).max() < 1e-6
    # What it reports is true.
    assert ours.residual <= 1e-8
    np.testing.assert_allclose(ours.train[0], on_train, atol=1e-6)


@pytest.mark.parametrize(("tile", "diag_reg"), [(64, 0.0), (192, 1e-3), (2048, 0.0)])
def test_any_tile_and_regularization_gives_the_same(tile: int, diag_reg: float) -> None:
    problem = blends(777)
    ours = solved(ExactSolver(largest_tile=tile), problem, "nngp", diag_reg=diag_reg)
    theirs = solved(SpectralSolver(), problem, "nngp", diag_reg=diag_reg)
    np.testing.assert_allclose(ours.test, theirs.test, atol=1e-6)
    np.testing.assert_allclose(ours.train, theirs.train, atol=1e-6)
    np.testing.assert_allclose(ours.variances, theirs.variances, rtol=1e-3)
    assert ours.diag_reg == diag_reg


def test_tiles_in_a_file_give_the_same_bits(tmp_path: Path) -> None:
    problem = blends(777)
    here = solved(ExactSolver(largest_tile=192), problem, "ntk", times=[inf])
    services = Services(arrays=partial(mapped, tmp_path))
    there = solved(ExactSolver(services, largest_tile=192), problem, "ntk", times=[inf])
    np.testing.assert_array_equal(there.test, here.test)
    np.testing.assert_array_equal(there.variances, here.variances)


@pytest.mark.parametrize("activation", ["erf", "gelu", "tanh"])
def test_other_activations_and_depths_are_solved_too(activation: str) -> None:
    problem = blends(500)
    architecture = Architecture(activation=activation, depth=2, W_std=1.5, b_std=0.2)
    solver = ExactSolver(largest_tile=128)
    ours = solved(solver, problem, "ntk", architecture=architecture, times=[inf])
    _, on_test = lapack(problem, "ntk", architecture=architecture)
    np.testing.assert_allclose(ours.test[0], on_test, atol=1e-6)


def test_a_jitter_is_reported_and_does_not_change_the_solved_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = blends(777)
    refused: list[int] = []

    factorize_column = HostTiles.factorize_column

    def lose(tiles: HostTiles, j: int, done: Any) -> None:
        if len(refused) < 2:
            refused.append(j)
            raise NotPositiveDefinite
        factorize_column(tiles, j, done)

    monkeypatch.setattr(HostTiles, "factorize_column", lose)
    ours = solved(ExactSolver(largest_tile=192), problem, "nngp")
    assert ours.jitter == JITTERS[2]
    assert ours.diag_reg == 0.0
    theirs = solved(SpectralSolver(), problem, "nngp")
    np.testing.assert_allclose(ours.test, theirs.test, atol=1e-6)
    off = abs(ours.log_marginal_likelihood - theirs.log_marginal_likelihood)
    assert off < max(ours.log_marginal_likelihood_error, 1e-3)


def test_a_nearly_singular_matrix_needs_a_jitter_and_is_solved() -> None:
    problem = blends(582)
    # Nearly equal images with one label: regular in float64, not in float32.
    copies: Any = problem.train_images[387:] + 1e-6 * problem.description.pixel_max
    problem = replace(
        problem,
        train_images=np.concatenate([problem.train_images, copies]),
        train_labels=np.concatenate([problem.train_labels, problem.train_labels[387:]]),
    )
    solver = ExactSolver(largest_tile=192)
    ours = solved(solver, problem, "nngp", times=[inf], diag_reg=1e-9)
    _, on_test = lapack(problem, "nngp", diag_reg=1e-9)
    assert ours.jitter > 0
    assert ours.diag_reg == 1e-9
    assert ours.residual <= 1e-8
    np.testing.assert_allclose(ours.test[0], on_test, atol=1e-5)


def test_a_matrix_without_any_factor_is_regularized_beyond_the_largest_jitter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = blends(777)
    refused: list[int] = []

    factorize_column = HostTiles.factorize_column

    def lose(tiles: HostTiles, j: int, done: Any) -> None:
        if len(refused) < len(JITTERS):
            refused.append(j)
            raise NotPositiveDefinite
        factorize_column(tiles, j, done)

    monkeypatch.setattr(HostTiles, "factorize_column", lose)
    ours = solved(ExactSolver(largest_tile=192), problem, "nngp", times=[inf])
    assert ours.diag_reg == pytest.approx(1e-2)
    _, on_test = lapack(problem, "nngp", diag_reg=ours.diag_reg)
    np.testing.assert_allclose(ours.test[0], on_test, atol=1e-6)


def test_times_whose_error_bound_is_too_large_are_refined_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = blends(777)
    monkeypatch.setattr(module, "_FORWARD", 2)
    monkeypatch.setattr(module, "_INVERSE", 1)

    def solve(rounds: int) -> Solution:
        monkeypatch.setattr(module, "_FLOW_ROUNDS", rounds)
        return solved(ExactSolver(largest_tile=64), problem, "ntk")

    once, further = solve(1), solve(4)
    assert once.errors.max() > 1e-3
    assert further.errors.max() < 0.1 * once.errors.max()
    wrong = np.abs(further.test - solved(SpectralSolver(), problem, "ntk").test).max(axis=(1, 2))
    # The two diagonals of the kernel matrix differ by more than rounding.
    assert (wrong <= further.errors + 1e-8).all()


@pytest.mark.parametrize("last", [Stage.FACTORIZATION, Stage.INVERSE_STEPS, Stage.REFINEMENT])
def test_a_killed_solve_continues_with_what_it_stored(last: Stage) -> None:
    class Killed(Exception):
        """Stands for the end of the process."""

    problem = blends(777)
    stored: dict[str, NDArray[Any]] = {}
    totals: dict[Stage, int] = {}
    seen: dict[Stage, int] = {}

    def kill(stage: Stage, done: int, total: int) -> None:
        totals[stage] = total
        if stage == last and done > total // 2:
            raise Killed

    def watch(stage: Stage, done: int, total: int) -> None:
        seen[stage] = total

    def solve(progress: Progress) -> Solution:
        services = Services(checkpoint=lambda kind: stored, progress=lambda kind: progress)
        return solved(ExactSolver(services, largest_tile=64), problem, "ntk")

    with pytest.raises(Killed):
        solve(kill)
    ours = solve(watch)
    assert Stage.FORWARD_STEPS not in seen
    assert seen.get(Stage.FACTORIZATION, 0) < totals[Stage.FACTORIZATION]
    if last is Stage.REFINEMENT:
        assert Stage.EXACT_PRODUCTS not in seen
    theirs = solved(SpectralSolver(), problem, "ntk")
    np.testing.assert_allclose(ours.test, theirs.test, atol=1e-6)
    # A finished solution replaces the tiles.
    assert not any("tile" in name for name in stored)
