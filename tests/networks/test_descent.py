"""Networks that take the kernels' steps, against loops in function space and the theory."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from msgspec.structs import replace as with_settings

from ntk_mnist.architecture import finite
from ntk_mnist.comparison.slopes import slope
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.limit import limit_of_descent
from ntk_mnist.kernels.solver import SolveFailed
from ntk_mnist.kernels.spectral import SpectralSolver
from ntk_mnist.networks.descent import DescentTrainer
from ntk_mnist.networks.training import Diverged
from ntk_mnist.settings import Architecture, Training

pytestmark = pytest.mark.slow

ERF = Architecture(activation="erf", depth=2, W_std=1.5, b_std=0.1)
TRAINING = Training(
    parameterization="ntk",
    loss="squared_error",
    optimizer="gradient_descent",
    centred=True,
    linearized=True,
    step_size=2.0,
)
TIMES = (2.0, 20.0, 200.0)


@pytest.fixture
def few(digits: Dataset) -> Dataset:
    """32 training and 20 test images."""
    return replace(
        digits,
        train_images=digits.train_images[:32],
        train_labels=digits.train_labels[:32],
        test_images=digits.test_images[:20],
        test_labels=digits.test_labels[:20],
    )


def trainer_of(
    few: Dataset,
    width: int,
    training: Training = TRAINING,
    times: tuple[float, ...] = TIMES,
    architecture: Architecture = ERF,
) -> DescentTrainer:
    limit = limit_of_descent(architecture, few, training.step_size)
    return DescentTrainer(architecture, training, width, few, times, limit)


def predictions(trained: Any, name: str) -> np.ndarray[Any, Any]:
    rows = [getattr(row, name) for row in trained.network_prediction]
    return np.reshape(rows, (len(rows), -1, 10))


@pytest.mark.parametrize("centred", [True, False])
def test_the_linearization_takes_the_steps_of_the_dense_empirical_kernel(
    few: Dataset, centred: bool
) -> None:
    training = with_settings(TRAINING, centred=centred)
    ours = predictions(trainer_of(few, 24, training)(5), "linearization")
    # In float64, from all derivatives: f ← f − η/nk Θ̂ (f(X) − Y), with Θ̂ of shape (nk, nk).
    with jax.enable_x64(True):
        network = finite(ERF, "ntk", 24, 10)
        with jax.enable_x64(False):
            _, params = network.init(jax.random.PRNGKey(5), (-1, 64))
        params = jax.tree.map(lambda p: jnp.array(p, jnp.float64), params)
        x, z = (i.astype(np.float64) / 16 for i in (few.train_images, few.test_images))
        both: Any = np.concatenate([x, z])
        jacobian = jax.jacobian(lambda p: network.apply(p, both))(params)
        flat = np.concatenate(
            [np.asarray(j).reshape(len(both) * 10, -1) for j in jax.tree.leaves(jacobian)], axis=1
        )
        function = np.asarray(network.apply(params, both)).ravel() * (not centred)
    kernel, targets = flat @ flat[: len(x) * 10].T, few.targets(few.train_labels).ravel()
    steps, expected = [round(t / 2) for t in TIMES], []
    for step in range(1, steps[-1] + 1):
        rest = function[: len(targets)] - targets
        function = function - 2.0 / len(targets) * kernel @ rest
        if step in steps:
            expected.append(function[len(targets) :].reshape(-1, 10))
    np.testing.assert_allclose(ours, expected, atol=2e-5)


@pytest.mark.parametrize(
    ("partitionable", "architecture"),
    [
        (True, ERF),
        (False, ERF),
        (True, Architecture(activation="relu", depth=1, W_std=1.2, b_std=0.0)),
        # Equal layers are a loop.
        (True, with_settings(ERF, depth=4)),
    ],
)
def test_a_network_takes_the_steps_of_gradient_descent_on_its_loss(
    few: Dataset, partitionable: bool, architecture: Architecture
) -> None:
    training = with_settings(TRAINING, partitionable_threefry=partitionable)
    trained = trainer_of(few, 16, training, architecture=architecture)(3)
    network = finite(architecture, "ntk", 16, 10)
    with jax.threefry_partitionable(partitionable):
        _, initial = network.init(jax.random.PRNGKey(3), (-1, 64))
    images: Any = few.train_images, few.test_images
    x, z = (i.astype(np.float32) / 16 for i in images)
    targets = few.targets(few.train_labels)

    def loss(params: Any) -> jax.Array:
        outputs = network.apply(params, x) - network.apply(initial, x)
        return jnp.sum((outputs - targets) ** 2) / (2 * targets.size)

    params, gradient = initial, jax.jit(jax.grad(loss))
    for step in range(100):
        params = jax.tree.map(lambda p, g: p - 2.0 * g, params, gradient(params))
        if step in (0, 9, 99):
            row = (0, 9, 99).index(step)
            expected = network.apply(params, z) - network.apply(initial, z)
            ours = predictions(trained, "prediction")[row]
            np.testing.assert_allclose(ours, expected, atol=1e-4)
            assert trained.network[row].train_loss == pytest.approx(float(loss(params)), rel=1e-4)
            assert trained.network[row].train_mse == 2 * trained.network[row].train_loss
            test_mse = np.mean((np.asarray(expected) - few.targets(few.test_labels)) ** 2)
            assert trained.network[row].test_mse == pytest.approx(float(test_mse), rel=1e-3)
            assert (trained.network[row].steps, trained.network[row].time) == (
                *(step + 1, 2.0 * (step + 1)),
            )


def test_the_distance_to_the_limit_falls_as_the_square_root_of_the_width(few: Dataset) -> None:
    [solution] = SpectralSolver().solutions(ERF, ["ntk"], few, TIMES, 0.0, 2.0)
    widths, total, nonlinear = [], [], []
    for width in (64, 256, 1024):
        trainer = trainer_of(few, width)
        for seed in range(6):
            trained = trainer(seed)
            own = predictions(trained, "prediction")[1]
            linearized = predictions(trained, "linearization")[1]
            widths.append(width)
            total.append(np.sqrt(np.mean((own - solution.test[1]) ** 2)))
            nonlinear.append(np.sqrt(np.mean((own - linearized) ** 2)))
    found = slope(widths, total)
    assert found.low < -0.5 < found.high
    assert found.high - found.low < 0.3
    # The nonlinear part falls faster.
    assert slope(widths, nonlinear).high < -0.65


def test_a_step_size_beyond_stability_is_refused_before_training_with_one_that_works(
    few: Dataset,
) -> None:
    with pytest.raises(SolveFailed, match=r"diverges from 2nk/λ_max = [\d.]+ on; set .* to [\d.]+"):
        limit_of_descent(ERF, few, 100.0)
    with pytest.raises(SolveFailed, match=r"training\.step_size") as refused:
        SpectralSolver().solutions(ERF, ["ntk"], few, (100.0,), 0.0, 100.0).__next__()
    allowed = float(str(refused.value).split("set training.step_size to ")[1].split()[0])
    trainer_of(few, 256, with_settings(TRAINING, step_size=allowed), (100 * allowed,))(0)


def test_a_network_that_diverges_all_the_same_is_refused(few: Dataset) -> None:
    training = with_settings(TRAINING, step_size=9.5, linearized=False)
    trainer = trainer_of(few, 4, training, (950.0,))
    diverged = []
    for seed in range(20):
        try:
            trainer(seed)
        except Diverged as error:
            diverged.append(str(error))
    assert any("width 4, size 32, seed" in line for line in diverged)
