"""The variance of trained networks against neural-tangents and against finite networks."""

from math import inf

import jax
import numpy as np
import pytest
from kernels.problems import inputs_of
from msgspec.structs import replace

from ntk_mnist.architecture import infinite
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.dynamics import Dynamics
from ntk_mnist.kernels.limit import limit_of_descent
from ntk_mnist.kernels.trained_ensemble import trained_variances
from ntk_mnist.networks.descent import DescentTrainer
from ntk_mnist.neural_tangents_compat import predict
from ntk_mnist.settings import Architecture, Training

pytestmark = pytest.mark.slow

ERF = Architecture(activation="erf", depth=2, W_std=1.5, b_std=0.1)


def test_under_gradient_flow_it_is_that_of_neural_tangents(digits: Dataset) -> None:
    times = (10.0, 1000.0, inf)
    ours = trained_variances(ERF, digits, times, 1e-4)
    x, z = (inputs_of(digits, i) for i in (digits.train_images, digits.test_images))
    with jax.enable_x64(True):
        predict_fn = predict.gradient_descent_mse_ensemble(
            infinite(ERF), x, digits.targets(digits.train_labels), diag_reg=1e-4
        )
        for time, variances in zip(times, ours, strict=True):
            t = None if time == inf else time
            found = predict_fn(t=t, x_test=z, get="ntk", compute_cov=True)
            np.testing.assert_allclose(variances, np.diag(found.covariance), rtol=1e-6, atol=1e-9)


def test_wide_networks_that_are_not_centred_vary_as_it_says(digits: Dataset) -> None:
    training = Training(
        parameterization="ntk",
        loss="squared_error",
        optimizer="gradient_descent",
        step_size=2.0,
    )
    times = (20.0, 200.0)
    limit = limit_of_descent(ERF, digits, training.step_size)
    trainer = DescentTrainer(ERF, training, 512, digits, times, limit)
    seeds = [[row.prediction for row in trainer(seed).network_prediction] for seed in range(12)]
    measured = np.var(np.array(seeds).reshape(12, 2, -1, 10), axis=0, ddof=1).mean(axis=(1, 2))
    expected = trained_variances(ERF, digits, times, 0.0, Dynamics(2.0)).mean(axis=1)
    # The ten outputs of 100 images, of twelve networks: some 10 %.
    np.testing.assert_allclose(measured, expected, rtol=0.2)
    # Centred networks do not vary in the limit.
    centred = DescentTrainer(ERF, replace(training, centred=True), 512, digits, times, limit)
    few = [[row.prediction for row in centred(seed).network_prediction] for seed in range(4)]
    assert (np.var(np.array(few), axis=0, ddof=1).mean(axis=1) < 0.2 * expected).all()
