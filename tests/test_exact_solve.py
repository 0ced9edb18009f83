"""The exact solve against the spectral one, dense LAPACK and what float32 does alone."""

from collections.abc import Callable
from math import inf

import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

from ntk_mnist import exact_solve as module
from ntk_mnist.architecture import Architecture
from ntk_mnist.exact_solve import exact_solve
from ntk_mnist.gradient_flow import SolveFailed, spectral_solve
from ntk_mnist.kernel import diagonal, gram
from ntk_mnist.solution import Solution

ARCHITECTURE = Architecture(depth=3, activation="relu", W_std=1.6**0.5, b_std=0.1**0.5)
TIMES = [10.0**k for k in range(1, 8)] + [inf]
Matrix = NDArray[np.float64]
Images = tuple[Matrix, Matrix, Matrix]


@pytest.fixture(scope="session")
def images(prepared_digits: object) -> Callable[[int], Images]:
    """Any number of images: blends of two digits of a class, with noise; as near to singular."""
    from sklearn.datasets import load_digits

    pixels, classes = load_digits(return_X_y=True)
    members = [np.flatnonzero(classes == digit) for digit in range(10)]

    def draw(count: int, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
        digits = rng.integers(10, size=count)
        pairs = np.array([rng.choice(members[digit], 2) for digit in digits])
        weights = rng.uniform(size=(count, 1))
        blended = weights * pixels[pairs[:, 0]] + (1 - weights) * pixels[pairs[:, 1]]
        return (blended + rng.normal(scale=0.5, size=blended.shape)) / 16, np.eye(10)[digits]

    def make(count: int) -> Images:
        # The same for every test, whichever run before it.
        rng = np.random.default_rng(count)
        (x, y), (z, _) = draw(count, rng), draw(300, rng)
        return x, y, z

    return make


def spectral(images: Images, kind: str, diag_reg: float = 0.0) -> Solution:
    x, y, z = images
    return spectral_solve(
        gram(ARCHITECTURE, x, None, (kind,))[kind],
        gram(ARCHITECTURE, z, x, (kind,))[kind],
        diagonal(ARCHITECTURE, z, (kind,))[kind],
        *(y, TIMES, diag_reg),
    )


@pytest.mark.parametrize("kind", ["nngp", "ntk"])
def test_every_time_at_4096_images_agrees_with_the_spectral_solve(
    images: Callable[[int], Images], kind: str
) -> None:
    x, y, z = problem = images(4096)
    ours = exact_solve(ARCHITECTURE, kind, x, y, z, TIMES, 0.0)
    theirs = spectral(problem, kind)
    wrong = np.abs(ours.test - theirs.test).max(axis=(1, 2))
    assert wrong.max() < 1e-6
    assert (wrong <= ours.errors + 1e-12).all()
    assert ours.residual < 1e-8
    np.testing.assert_allclose(ours.train, theirs.train, atol=2e-6)
    np.testing.assert_allclose(ours.variances, theirs.variances, rtol=1e-4)
    off = abs(ours.log_marginal_likelihood - theirs.log_marginal_likelihood)
    assert off < max(1e-6 * abs(theirs.log_marginal_likelihood), ours.log_marginal_likelihood_error)
    assert ours.condition_number == pytest.approx(theirs.condition_number, rel=5e-2)


@pytest.mark.parametrize("kind", ["nngp", "ntk"])
def test_the_limit_at_8000_images_agrees_with_dense_lapack(
    images: Callable[[int], Images], kind: str
) -> None:
    x, y, z = images(8000)
    ours = exact_solve(ARCHITECTURE, kind, x, y, z, [inf], 0.0)
    k = gram(ARCHITECTURE, x, None, (kind,))[kind]
    factor = scipy.linalg.cho_factor(k, lower=True, overwrite_a=False)
    coefficients = scipy.linalg.cho_solve(factor, y)
    theirs = gram(ARCHITECTURE, z, x, (kind,))[kind] @ coefficients
    assert np.abs(ours.test[0] - theirs).max() < 1e-6
    # Said of itself, and so.
    assert ours.residual <= 1e-8
    np.testing.assert_allclose(ours.train[0], k @ coefficients, atol=1e-6)


@pytest.mark.parametrize("tile", [64, 192, 2048])
@pytest.mark.parametrize("diag_reg", [0.0, 1e-3])
def test_any_tile_and_regularization_gives_the_same(
    images: Callable[[int], Images], tile: int, diag_reg: float
) -> None:
    x, y, z = problem = images(777)
    ours = exact_solve(ARCHITECTURE, "nngp", x, y, z, TIMES, diag_reg, largest_tile=tile)
    theirs = spectral(problem, "nngp", diag_reg)
    np.testing.assert_allclose(ours.test, theirs.test, atol=1e-6)
    np.testing.assert_allclose(ours.train, theirs.train, atol=1e-6)
    np.testing.assert_allclose(ours.variances, theirs.variances, rtol=1e-3)
    assert ours.diag_reg == diag_reg


def test_other_activations_and_depths_are_solved_too(images: Callable[[int], Images]) -> None:
    x, y, z = images(500)
    for activation in ("erf", "gelu"):
        architecture = Architecture(2, activation, 1.5, 0.2)
        ours = exact_solve(architecture, "ntk", x, y, z, [inf], 0.0, largest_tile=128)
        k = gram(architecture, x, None, ("ntk",))["ntk"]
        theirs = gram(architecture, z, x, ("ntk",))["ntk"] @ scipy.linalg.solve(
            k, y, assume_a="pos"
        )
        np.testing.assert_allclose(ours.test[0], theirs, atol=1e-6)


def test_a_jitter_is_told_and_leaves_the_system_as_it_is(
    images: Callable[[int], Images], monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y, z = problem = images(777)
    refused: list[int] = []

    def lose(tiles: object, j: int, done: Callable[[int], object]) -> None:
        if len(refused) < 2:
            refused.append(j)
            raise NotPositiveDefinite
        factorize_column(tiles, j, done)  # type: ignore[arg-type]

    from ntk_mnist import preconditioner
    from ntk_mnist.tiled_cholesky import NotPositiveDefinite, factorize_column

    monkeypatch.setattr(preconditioner, "factorize_column", lose)
    ours = exact_solve(ARCHITECTURE, "nngp", x, y, z, TIMES, 0.0, largest_tile=192)
    assert ours.jitter == module.JITTERS[2]
    assert ours.diag_reg == 0.0
    theirs = spectral(problem, "nngp")
    np.testing.assert_allclose(ours.test, theirs.test, atol=1e-6)
    off = abs(ours.log_marginal_likelihood - theirs.log_marginal_likelihood)
    assert off < max(ours.log_marginal_likelihood_error, 1e-3)


def test_a_near_singular_matrix_makes_its_own_jitter(images: Callable[[int], Images]) -> None:
    x, y, z = images(900)
    # Next to equal images, with one label: regular in float64, not in float32.
    x, y = np.concatenate([x, x[600:] + 1e-6]), np.concatenate([y, y[600:]])
    ours = exact_solve(ARCHITECTURE, "nngp", x, y, z, [inf], 1e-9, largest_tile=192)
    k = gram(ARCHITECTURE, x, None, ("nngp",))["nngp"]
    ridge = 1e-9 * np.mean(np.diag(k))
    a = scipy.linalg.solve(k + ridge * np.eye(len(x)), y, assume_a="pos")
    theirs = gram(ARCHITECTURE, z, x, ("nngp",))["nngp"] @ a
    assert ours.jitter > 0
    assert ours.residual <= 1e-8
    np.testing.assert_allclose(ours.test[0], theirs, atol=1e-5)


def test_a_singular_matrix_is_refused_with_the_remedy(images: Callable[[int], Images]) -> None:
    x, y, z = images(700)
    # One image twice, with two labels.
    x, y = np.concatenate([x, x[-1:]]), np.concatenate([y, np.roll(y[-1:], 1)])
    with pytest.raises(SolveFailed, match=r"set kernel\.diag_reg to 1e-"):
        exact_solve(ARCHITECTURE, "nngp", x, y, z, [inf], 0.0, largest_tile=192)


def test_times_of_which_the_space_knows_too_little_are_refined_further(
    images: Callable[[int], Images], monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y, z = problem = images(500)
    monkeypatch.setattr(module, "_FORWARD", 2)
    monkeypatch.setattr(module, "_INVERSE", 1)

    def solve(rounds: int) -> Solution:
        monkeypatch.setattr(module, "_FLOW_ROUNDS", rounds)
        return exact_solve(ARCHITECTURE, "ntk", x, y, z, TIMES, 0.0, largest_tile=192)

    once, further = solve(1), solve(4)
    assert once.errors.max() > 1e-3
    assert further.errors.max() < 0.1 * once.errors.max()
    wrong = np.abs(further.test - spectral(problem, "ntk").test).max(axis=(1, 2))
    # What the two take for the diagonal differs by more than rounding.
    assert (wrong <= further.errors + 1e-8).all()


def test_what_is_kept_is_not_computed_again(images: Callable[[int], Images]) -> None:
    class Killed(Exception):
        pass

    x, y, z = images(777)
    for last in ("factorization", "inverse steps", "refinement 1"):
        kept: dict[str, NDArray[np.float64]] = {}
        totals: dict[str, int] = {}

        def kill(stage: str, done: int, total: int, last: str = last) -> None:
            totals[stage] = total  # noqa: B023
            if stage == last and done > total // 2:
                raise Killed

        def solve(progress: Callable[[str, int, int], object]) -> Solution:
            return exact_solve(
                *(ARCHITECTURE, "ntk", x, y, z, TIMES, 0.0),
                progress=progress,
                kept=kept,  # noqa: B023
                largest_tile=64,
            )

        with pytest.raises(Killed):
            solve(kill)
        seen: dict[str, int] = {}
        ours = solve(lambda stage, done, total: seen.__setitem__(stage, total))  # noqa: B023
        assert "forward steps" not in seen
        assert seen.get("factorization", 0) < totals["factorization"]
        if last == "refinement 1":
            assert "exact products" not in seen
        np.testing.assert_allclose(ours.test, spectral((x, y, z), "ntk").test, atol=1e-6)
