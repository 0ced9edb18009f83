"""The claimed error of an entry, and the refusal of variances that a series does not know."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kernels.problems import blends, inputs_of

from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.exact.solve import ExactSolver
from ntk_mnist.kernels.gram import diagonal, layer_errors
from ntk_mnist.kernels.limit import limit_of_descent
from ntk_mnist.kernels.precision import entry_error, entry_rounding
from ntk_mnist.kernels.solver import SolveFailed
from ntk_mnist.kernels.spectral import SpectralSolver
from ntk_mnist.kernels.trained_ensemble import trained_variances
from ntk_mnist.settings import Architecture

TOO_LARGE = Architecture(activation="tanh", depth=3, W_std=4.0)


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_a_closed_form_is_known_to_rounding(activation: str) -> None:
    architecture = Architecture(activation=activation, depth=3, W_std=4.0)
    assert entry_error(architecture, blends(100)) == entry_rounding(3)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus", "silu"])
def test_a_series_at_ordinary_variances_claims_little_more_than_rounding(activation: str) -> None:
    architecture = Architecture(activation=activation, depth=3, W_std=1.3, b_std=0.1)
    claim = entry_error(architecture, blends(100))
    assert entry_rounding(3) < claim < 1e-12


def test_the_claim_is_of_the_largest_variance_of_all_images_and_adds_up_over_layers() -> None:
    problem = blends(100)
    architecture = Architecture(activation="tanh", depth=4, W_std=2.0)
    parts = [
        layer_errors(architecture, inputs_of(problem, images), lambda x: x)[1]
        for images in (problem.train_images, problem.test_images)
    ]
    errors = np.concatenate(parts, axis=1)
    assert errors.shape == (4, 400)
    total = entry_rounding(4) + errors.max(axis=1).sum()
    assert entry_error(architecture, problem) == pytest.approx(total, rel=1e-12)


def test_the_variances_are_those_of_the_kernel() -> None:
    problem = blends(100)
    x = inputs_of(problem, problem.train_images)
    architecture = Architecture(activation="silu", depth=3, W_std=1.3, b_std=0.2)
    variances, _ = layer_errors(architecture, x, lambda x: x)
    np.testing.assert_allclose(variances[0], 1.69 * (x**2).mean(axis=1) + 0.04)
    shallow = Architecture(activation="silu", depth=2, W_std=1.3, b_std=0.2)
    nngp = diagonal(shallow, x, ("nngp",), lambda x: x)["nngp"]
    np.testing.assert_allclose(variances[2], nngp, rtol=1e-13)


@pytest.mark.parametrize(
    "compute",
    [
        lambda problem: list(SpectralSolver().solutions(TOO_LARGE, ["ntk"], problem, [1.0], 0.0)),
        lambda problem: list(ExactSolver().solutions(TOO_LARGE, ["ntk"], problem, [1.0], 0.0)),
        lambda problem: limit_of_descent(TOO_LARGE, problem, 1.0),
        lambda problem: trained_variances(TOO_LARGE, problem, [1.0], 0.0),
    ],
    ids=["spectral", "exact", "limit", "ensemble"],
)
def test_a_variance_that_is_too_large_is_refused_in_one_line_that_says_what_to_do(
    compute: Callable[[Dataset], Any],
) -> None:
    what = (
        r"^the kernel of tanh .* variance of \d.*hidden layer \d .*smaller architecture\.W_std.*$"
    )
    with pytest.raises(SolveFailed, match=what):
        compute(blends(100))


def test_a_single_test_image_that_is_too_bright_is_refused() -> None:
    problem = blends(100)
    problem.test_images[7] *= 30
    try:
        with pytest.raises(SolveFailed, match="hidden layer 1"):
            entry_error(Architecture(activation="tanh", depth=2), problem)
    finally:
        problem.test_images[7] /= 30
