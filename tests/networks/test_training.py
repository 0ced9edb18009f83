"""Training against the notebook's own procedure, one step at a time and not compiled."""

import itertools
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.random as npr
import pytest
from jax.example_libraries import optimizers, stax
from msgspec.structs import asdict, replace

from ntk_mnist.compilation import compile_in_memory
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.measures import NetworkMeasures
from ntk_mnist.networks import training
from ntk_mnist.networks.training import OPTIMIZERS, Diverged, Trainer, batch_order
from ntk_mnist.settings import Architecture, Training

RELU = Architecture()
TRAINING = Training(step_size=0.01, epochs=5)
WIDTH = 48


def train(
    digits: Dataset, seed: int = 0, how: Training = TRAINING, what: Architecture = RELU
) -> NetworkMeasures:
    return Trainer(what, how, WIDTH, digits)(seed).network[0]


def without_time(measures: NetworkMeasures) -> dict[str, Any]:
    return {name: value for name, value in asdict(measures).items() if name != "train_seconds"}


def notebook(digits: Dataset, optimizer: Any, seed: int) -> dict[str, float]:
    """The notebook's ``run_NN`` for one cell, its statements in their order; its seed is 0."""
    train_images = digits.train_images.astype(np.float32) / np.float32(16)
    test_images = digits.test_images.astype(np.float32) / np.float32(16)
    train_labels, test_labels = np.eye(10)[digits.train_labels], np.eye(10)[digits.test_labels]
    init, predict = stax.serial(
        stax.Dense(WIDTH), stax.Relu, stax.Dense(WIDTH), stax.Relu, stax.Dense(10), stax.LogSoftmax
    )

    def loss(params: Any, batch: Any) -> jax.Array:
        inputs, targets = batch
        return -jnp.mean(jnp.sum(predict(params, inputs) * targets, axis=1))

    def accuracy(params: Any, batch: Any) -> float:
        inputs, targets = batch
        return float(np.mean(np.argmax(predict(params, inputs), 1) == np.argmax(targets, 1)))

    def stream() -> Iterator[Any]:
        rng = npr.RandomState(seed)
        while True:
            perm = rng.permutation(len(train_labels))
            for i in range(len(train_labels) // 64):
                index = perm[i * 64 : (i + 1) * 64]
                yield train_images[index], train_labels[index]

    opt_init, opt_update, get_params = optimizer
    _, init_params = init(jax.random.PRNGKey(seed), (-1, 64))
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "optimizer", "seed"),
    [
        ("sgd", optimizers.sgd(0.01), 0),
        ("momentum", optimizers.momentum(0.01, 0.9), 0),
        ("momentum", optimizers.momentum(0.01, 0.9), 2**32 - 1),
        ("nesterov", optimizers.nesterov(0.01, 0.9), 0),
    ],
)
def test_a_network_is_trained_as_the_notebook_trains_it(
    digits: Dataset, name: str, optimizer: Any, seed: int
) -> None:
    measures = train(digits, seed, replace(TRAINING, optimizer=name))
    for measure, value in notebook(digits, optimizer, seed).items():
        assert getattr(measures, measure) == pytest.approx(value, rel=1e-4), measure


def test_every_optimizer_is_compared_with_the_notebook() -> None:
    # The last is of all images at once: tests/networks/test_descent.py.
    assert list(OPTIMIZERS) == ["sgd", "momentum", "nesterov", "gradient_descent"]


@pytest.mark.slow
def test_the_losses_of_the_epochs_fall_and_end_above_the_final_loss(digits: Dataset) -> None:
    measures = train(digits)
    losses = measures.epoch_train_loss
    assert len(losses) == 5
    assert (np.diff(losses) < 0).all()
    assert losses[0] == pytest.approx(np.log(10), rel=0.2)
    assert measures.train_loss < losses[-1]


def test_the_order_of_batches_is_one_permutation_an_epoch() -> None:
    order = batch_order(size=150, batch_size=64, epochs=3, seed=0)
    assert order.shape == (6, 64)
    assert order.dtype == np.int32
    rng = npr.RandomState(0)
    for epoch in range(3):
        np.testing.assert_array_equal(
            order[2 * epoch : 2 * epoch + 2].ravel(), rng.permutation(150)[:128]
        )


@pytest.mark.slow
def test_padding_changes_no_measure(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    large = train(digits)
    monkeypatch.setattr(training, "_SMALLEST_CAPACITY", 256)
    small = train(digits)
    for name in ("train_accuracy", "test_accuracy", "train_loss", "test_loss"):
        assert getattr(large, name) == getattr(small, name)


@pytest.mark.slow
def test_a_seed_gives_the_same_bits_whichever_seeds_were_trained_before(digits: Dataset) -> None:
    trainer = Trainer(RELU, TRAINING, WIDTH, digits)
    after_others = [without_time(trainer(seed).network[0]) for seed in (5, 2**32 - 1, 1)][-1]
    alone = without_time(Trainer(RELU, TRAINING, WIDTH, digits)(1).network[0])
    assert after_others == alone
    assert without_time(trainer(1).network[0]) == alone


def test_another_seed_gives_another_network(digits: Dataset) -> None:
    first, other = train(digits, seed=1), train(digits, seed=2)
    assert (first.seed, other.seed) == (1, 2)
    assert first.train_loss != other.train_loss


@pytest.mark.slow
@pytest.mark.parametrize(("parameterization", "step_size"), [("standard", 0.1), ("ntk", 2.0)])
def test_networks_of_other_parameterizations_learn(
    digits: Dataset, parameterization: str, step_size: float
) -> None:
    how = replace(TRAINING, parameterization=parameterization, step_size=step_size, epochs=10)
    measures = train(digits, how=how, what=replace(RELU, W_std=1.4, b_std=0.1))
    assert measures.test_accuracy > 0.5


def test_an_accuracy_is_a_whole_number_of_images_divided_in_float64(digits: Dataset) -> None:
    measures = train(digits)
    assert measures.test_accuracy == round(measures.test_accuracy * 100) / 100
    assert measures.train_accuracy == round(measures.train_accuracy * 192) / 192


@pytest.mark.slow
def test_the_error_of_a_diverged_network_names_the_cell_and_its_settings(digits: Dataset) -> None:
    with pytest.raises(Diverged) as error:
        train(digits, seed=3, how=replace(TRAINING, step_size=1e30))
    text = str(error.value)
    assert text.startswith("width 48, size 192, seed 3 diverged after 0 of 5 epochs")
    assert "step_size=1e+30" in text
    assert "depth=2" in text
    assert "a smaller training.step_size may help" in text


def test_one_program_serves_every_size_and_seed_of_a_width(digits: Dataset) -> None:
    compiled = []

    def programs(computes: tuple[object, ...], lower: Any) -> Any:
        compiled.append(computes)
        return compile_in_memory(computes, lower)

    fewer = Dataset(
        digits.description,
        digits.preprocessing,
        digits.train_images[:70],
        digits.train_labels[:70],
        digits.test_images[:9],
        digits.test_labels[:9],
    )
    for dataset in (digits, fewer):
        trainer = Trainer(RELU, TRAINING, WIDTH, dataset, programs)
        for seed in (0, 1):
            trainer(seed)
    assert len(compiled) == 4
    assert len(set(compiled)) == 1


@pytest.mark.slow
def test_training_ends_after_the_first_epoch_that_reaches_what_it_should(digits: Dataset) -> None:
    every = [train(digits, how=replace(TRAINING, epochs=epochs)) for epochs in range(1, 7)]
    wanted = every[3].train_accuracy
    first = next(i for i, row in enumerate(every) if row.train_accuracy >= wanted)
    how = replace(TRAINING, epochs=50, until_train_accuracy=wanted)
    ours = train(digits, how=how)
    assert ours.reached
    assert ours.steps == every[first].steps
    assert without_time(ours) == without_time(every[first]) | {"reached": True}
    by_loss = train(digits, how=replace(TRAINING, epochs=50, until_train_loss=every[3].train_loss))
    assert without_time(by_loss) == without_time(every[3]) | {"reached": True}


@pytest.mark.slow
def test_a_network_that_does_not_get_there_says_so(digits: Dataset) -> None:
    ours = train(digits, how=replace(TRAINING, epochs=3, until_train_accuracy=1.0))
    never = train(digits, how=replace(TRAINING, epochs=3))
    assert ours.reached is False
    assert without_time(ours) == without_time(never) | {"reached": False}
    assert never.reached is None


@pytest.mark.slow
def test_a_centred_network_starts_at_zero_and_trains_on_the_squared_error(digits: Dataset) -> None:
    how = replace(TRAINING, loss="squared_error", centred=True, epochs=1, step_size=1e-9)
    # Of zero outputs: half of one in ten labels.
    assert train(digits, how=how).train_loss == pytest.approx(0.05, rel=1e-4)
    trained = train(digits, how=replace(how, epochs=20, step_size=0.05))
    assert trained.train_loss < 0.04
