"""Training against the notebook's own procedure, a step at a time and not compiled."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.random as npr
import pytest
from jax.example_libraries import optimizers, stax

from ntk_mnist import network
from ntk_mnist.architecture import Architecture
from ntk_mnist.datasets import Dataset
from ntk_mnist.network import Diverged, Training, batch_order, train

ARCHITECTURE = Architecture(depth=2, activation="relu", W_std=1.0, b_std=0.0)
TRAINING = Training("glorot", "momentum", step_size=0.01, mass=0.9, epochs=5, batch_size=64)


def notebook(digits: Dataset, width: int, optimizer: Any) -> dict[str, float]:
    """The notebook's ``run_NN`` for one cell, its statements in their order."""
    train_images = digits.train_images.astype(np.float32) / np.float32(16)
    test_images = digits.test_images.astype(np.float32) / np.float32(16)
    train_labels, test_labels = np.eye(10)[digits.train_labels], np.eye(10)[digits.test_labels]
    init, predict = stax.serial(
        stax.Dense(width), stax.Relu, stax.Dense(width), stax.Relu, stax.Dense(10), stax.LogSoftmax
    )

    def loss(params: Any, batch: Any) -> jax.Array:
        inputs, targets = batch
        return -jnp.mean(jnp.sum(predict(params, inputs) * targets, axis=1))

    def accuracy(params: Any, batch: Any) -> float:
        inputs, targets = batch
        return float(np.mean(np.argmax(predict(params, inputs), 1) == np.argmax(targets, 1)))

    def stream() -> Iterator[Any]:
        rng = npr.RandomState(0)
        while True:
            perm = rng.permutation(len(train_labels))
            for i in range(len(train_labels) // 64):
                index = perm[i * 64 : (i + 1) * 64]
                yield train_images[index], train_labels[index]

    opt_init, opt_update, get_params = optimizer
    _, init_params = init(jax.random.PRNGKey(0), (-1, 64))
    opt_state, batches, count = opt_init(init_params), stream(), itertools.count()
    for _ in range(TRAINING.epochs * (len(train_labels) // 64)):
        gradient = jax.grad(loss)(get_params(opt_state), next(batches))
        opt_state = opt_update(next(count), gradient, opt_state)
    params = get_params(opt_state)
    return {
        "train_accuracy": accuracy(params, (train_images, train_labels)),
        "test_accuracy": accuracy(params, (test_images, test_labels)),
        "train_loss": float(loss(params, (train_images, train_labels))),
        "test_loss": float(loss(params, (test_images, test_labels))),
    }


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        ("sgd", optimizers.sgd(0.01)),
        ("momentum", optimizers.momentum(0.01, 0.9)),
        ("nesterov", optimizers.nesterov(0.01, 0.9)),
    ],
)
def test_a_cell_is_what_the_notebook_computes(digits: Dataset, name: str, optimizer: Any) -> None:
    trained = train(ARCHITECTURE, replace(TRAINING, optimizer=name), 48, 0, digits)
    for measure, value in notebook(digits, 48, optimizer).items():
        assert getattr(trained, measure) == pytest.approx(value, rel=1e-4), measure


def test_the_epochs_losses_fall_and_end_where_training_ends(digits: Dataset) -> None:
    trained = train(ARCHITECTURE, TRAINING, 48, 0, digits)
    assert trained.epoch_train_loss.shape == (5,)
    assert (np.diff(trained.epoch_train_loss) < 0).all()
    assert trained.epoch_train_loss[0] == pytest.approx(np.log(10), rel=0.2)
    assert trained.train_loss < trained.epoch_train_loss[-1]


def test_the_order_of_batches_is_one_permutation_an_epoch() -> None:
    order = batch_order(size=150, batch_size=64, epochs=3, seed=0)
    assert order.shape == (6, 64)
    rng = npr.RandomState(0)
    for epoch in range(3):
        np.testing.assert_array_equal(
            order[2 * epoch : 2 * epoch + 2].ravel(), rng.permutation(150)[:128]
        )


def test_padding_changes_nothing(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    large = train(ARCHITECTURE, TRAINING, 32, 0, digits)
    monkeypatch.setattr(network, "_SMALLEST_CAPACITY", 256)
    small = train(ARCHITECTURE, TRAINING, 32, 0, digits)
    for name in ("train_accuracy", "test_accuracy", "train_loss", "test_loss"):
        assert getattr(large, name) == getattr(small, name)


def test_seeds_differ_and_repeat(digits: Dataset) -> None:
    first, again, other = (train(ARCHITECTURE, TRAINING, 32, seed, digits) for seed in (1, 1, 2))
    assert first.train_loss == again.train_loss
    assert first.train_loss != other.train_loss


@pytest.mark.parametrize(("parameterization", "step_size"), [("standard", 0.1), ("ntk", 2.0)])
def test_other_parameterizations_learn(
    digits: Dataset, parameterization: str, step_size: float
) -> None:
    training = replace(TRAINING, parameterization=parameterization, step_size=step_size, epochs=10)
    trained = train(replace(ARCHITECTURE, W_std=1.4, b_std=0.1), training, 64, 0, digits)
    assert trained.test_accuracy > 0.5


def test_accuracies_are_whole_numbers_of_images(digits: Dataset) -> None:
    trained = train(ARCHITECTURE, TRAINING, 32, 0, digits)
    assert trained.test_accuracy * 100 == round(trained.test_accuracy * 100)
    assert trained.test_accuracy == round(trained.test_accuracy, 2)


def test_divergence_is_told_with_the_settings(digits: Dataset) -> None:
    with pytest.raises(Diverged, match=r"width 32, size 192, seed 0 diverged .*step_size=1e\+30"):
        train(ARCHITECTURE, replace(TRAINING, step_size=1e30), 32, 0, digits)
