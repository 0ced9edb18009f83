"""The kernels under gradient descent against a loop of its steps in function space."""

from math import inf

import mpmath
import numpy as np
import pytest
from kernels.problems import inputs_of

from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.dynamics import GRADIENT_FLOW, Dynamics
from ntk_mnist.kernels.exact.solve import ExactSolver
from ntk_mnist.kernels.gram import gram
from ntk_mnist.kernels.solver import SolveFailed
from ntk_mnist.kernels.spectral import SpectralSolver
from ntk_mnist.settings import Architecture

ARCHITECTURE = Architecture(activation="erf", depth=2, W_std=1.5, b_std=0.1)


@pytest.mark.parametrize("kind", ["nngp", "ntk"])
def test_predictions_are_those_of_a_loop_of_steps(digits: Dataset, kind: str) -> None:
    step_size, steps = 4.0, (1, 10, 300)
    times = [step_size * count for count in steps]
    [ours] = SpectralSolver().solutions(ARCHITECTURE, [kind], digits, [*times, inf], 0.0, step_size)
    x, z = (inputs_of(digits, i) for i in (digits.train_images, digits.test_images))
    k_train = gram(ARCHITECTURE, x, None, (kind,), lambda x: x)[kind]
    k_test = gram(ARCHITECTURE, z, x, (kind,), lambda x: x)[kind]
    targets = digits.targets(digits.train_labels)
    on_train, on_test = np.zeros_like(targets), np.zeros((len(z), 10))
    for step in range(1, steps[-1] + 1):
        rest = step_size / targets.size * (targets - on_train)
        on_train, on_test = on_train + k_train @ rest, on_test + k_test @ rest
        if step in steps:
            i = steps.index(step)
            np.testing.assert_allclose(ours.train[i], on_train, rtol=0, atol=1e-10)
            np.testing.assert_allclose(ours.test[i], on_test, rtol=0, atol=1e-10)


@pytest.mark.parametrize("rate", [1e-300, 1e-18, 1e-9, 0.01, 0.3, 0.7, 1.0, 1.5, 1.999])
@pytest.mark.parametrize("steps", [1, 2, 77, 10**6])
def test_no_digit_of_what_is_learned_is_lost(rate: float, steps: int) -> None:
    with mpmath.workdps(400):
        expected = 1 - (1 - mpmath.mpf(rate)) ** steps
    # In units of a step.
    ours = Dynamics(2.0).learned(np.array([rate / 2]), 2.0 * steps)[0]
    assert ours == pytest.approx(float(expected), rel=1e-9)


def test_small_steps_are_gradient_flow() -> None:
    rates = np.geomspace(1e-6, 1, 20)
    flow = GRADIENT_FLOW.learned(rates, 3.0)
    np.testing.assert_allclose(Dynamics(1e-6).learned(rates, 3.0), flow, rtol=1e-5)
    np.testing.assert_array_equal(Dynamics(0.1).learned(rates, inf), 1.0)


def test_the_exact_solver_refuses_descent(digits: Dataset) -> None:
    with pytest.raises(SolveFailed, match="gradient flow only"):
        next(ExactSolver().solutions(ARCHITECTURE, ["ntk"], digits, [2.0], 0.0, 1.0))
