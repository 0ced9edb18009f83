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

from ntk_mnist.architecture import finite
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
    ("name", "optimizer", "seed", "partitionable"),
    [
        ("sgd", optimizers.sgd(0.01), 0, True),
        ("momentum", optimizers.momentum(0.01, 0.9), 0, True),
        ("momentum", optimizers.momentum(0.01, 0.9), 2**32 - 1, True),
        ("momentum", optimizers.momentum(0.01, 0.9), 0, False),
        ("nesterov", optimizers.nesterov(0.01, 0.9), 0, True),
    ],
)
def test_a_network_is_trained_as_the_notebook_trains_it(
    digits: Dataset, name: str, optimizer: Any, seed: int, partitionable: bool
) -> None:
    how = replace(TRAINING, optimizer=name, partitionable_threefry=partitionable)
    measures = train(digits, seed, how)
    with jax.threefry_partitionable(partitionable):
        expected = notebook(digits, optimizer, seed)
    for measure, value in expected.items():
        assert getattr(measures, measure) == pytest.approx(value, rel=1e-4), measure


def test_every_optimizer_is_compared_with_another_implementation() -> None:
    # adam: with Keras's in NumPy. The last is of all images at once: test_descent.py.
    assert list(OPTIMIZERS) == ["sgd", "momentum", "nesterov", "adam", "gradient_descent"]


KERAS = Training(
    parameterization="glorot_uniform",
    loss="squared_error",
    optimizer="adam",
    last_batch="partial",
    step_size=0.002,
    epochs=4,
)


def keras(digits: Dataset, how: Training) -> dict[str, Any]:
    """Keras's ``fit`` of a ReLU network on its loss mse, in NumPy and float64.

    From the parameters that are drawn here and RandomState's permutations. Only the squared error
    and adam or sgd are there; the gradient is that of half of mse.
    """
    x, z = (images / 16 for images in (digits.train_images, digits.test_images))
    y, t = (np.eye(10)[labels] for labels in (digits.train_labels, digits.test_labels))
    _, drawn = finite(RELU, how.parameterization, WIDTH, 10).init(jax.random.PRNGKey(0), (-1, 64))
    params = [np.array(leaf, np.float64) for layer in drawn for leaf in layer]
    first, second = ([np.zeros_like(p) for p in params] for _ in range(2))

    def layers(inputs: Any) -> list[Any]:
        hidden = [inputs]
        for w, b in zip(params[:-2:2], params[1:-2:2], strict=True):
            hidden.append(np.maximum(hidden[-1] @ w + b, 0))
        return [*hidden, hidden[-1] @ params[-2] + params[-1]]

    rng, step, history = npr.RandomState(0), 0, []
    for _ in range(how.epochs):
        perm, losses = rng.permutation(len(x)), []
        for start in range(0, len(x), how.batch_size):
            batch = perm[start : start + how.batch_size]
            *hidden, outputs = layers(x[batch])
            losses += np.mean((outputs - y[batch]) ** 2, axis=1).tolist()
            delta = (outputs - y[batch]) / y[batch].size
            gradients: list[Any] = []
            for inputs, w in zip(hidden[::-1], params[-2::-2], strict=True):
                gradients = [inputs.T @ delta, delta.sum(axis=0), *gradients]
                delta = (delta @ w.T) * (inputs > 0)
            step += 1
            rate = how.step_size * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            for i, gradient in enumerate(gradients):
                first[i] = 0.9 * first[i] + 0.1 * gradient
                second[i] = 0.999 * second[i] + 0.001 * gradient**2
                adam = rate * first[i] / (np.sqrt(second[i]) + 1e-7)
                params[i] -= adam if how.optimizer == "adam" else how.step_size * gradient
        history.append(np.mean(losses))
    train, test = layers(x)[-1], layers(z)[-1]
    return {
        "steps": step,
        "epoch_train_loss": np.array(history) / 2,
        "train_mse": np.mean((train - y) ** 2),
        "test_mse": np.mean((test - t) ** 2),
        "train_loss": np.mean((train - y) ** 2) / 2,
        "train_accuracy": np.mean(train.argmax(axis=1) == digits.train_labels),
        "test_accuracy": np.mean(test.argmax(axis=1) == digits.test_labels),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimizer", "parameterization", "batch_size"),
    [
        ("adam", "glorot_uniform", 50),
        ("adam", "glorot_uniform", 64),
        ("adam", "glorot", 1000),
        ("sgd", "glorot_uniform", 50),
    ],
)
def test_a_network_is_trained_as_keras_trains_it(
    digits: Dataset, optimizer: str, parameterization: str, batch_size: int
) -> None:
    how = replace(
        KERAS, optimizer=optimizer, parameterization=parameterization, batch_size=batch_size
    )
    ours = train(digits, how=how)
    for measure, value in keras(digits, how).items():
        assert getattr(ours, measure) == pytest.approx(value, rel=2e-5), measure


def test_whole_batches_give_the_same_network_whatever_becomes_of_the_last(digits: Dataset) -> None:
    dropped, partial = (
        train(digits, how=replace(TRAINING, last_batch=last)) for last in ("dropped", "partial")
    )
    assert partial.steps == dropped.steps == 15
    assert partial.train_loss == pytest.approx(dropped.train_loss, rel=1e-5)


def test_squared_errors_are_twice_the_losses_and_null_of_another_loss(digits: Dataset) -> None:
    ours = train(digits, how=KERAS)
    assert (ours.train_mse, ours.test_mse) == (2 * ours.train_loss, 2 * ours.test_loss)
    other = train(digits)
    assert other.train_mse is other.test_mse is None


@pytest.mark.slow
def test_a_partial_batch_and_adam_fit_all_training_images_and_end_there(digits: Dataset) -> None:
    how = replace(KERAS, loss="cross_entropy", epochs=200, batch_size=50, until_train_accuracy=1.0)
    ours = train(digits, how=how)
    assert ours.reached
    assert ours.train_accuracy == 1
    epochs = len(ours.epoch_train_loss)
    assert 1 < epochs < 200
    assert ours.steps == 4 * epochs
    before = train(digits, how=replace(how, epochs=epochs - 1, until_train_accuracy=0.0))
    assert before.train_accuracy is not None
    assert before.train_accuracy < 1


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


def test_a_partial_batch_is_the_rest_of_a_permutation_and_marks_what_is_missing() -> None:
    order = batch_order(size=150, batch_size=64, epochs=2, seed=0, last_is_partial=True)
    assert order.shape == (6, 64)
    rng = npr.RandomState(0)
    for epoch in range(2):
        flat = order[3 * epoch : 3 * epoch + 3].ravel()
        np.testing.assert_array_equal(flat[:150], rng.permutation(150))
        assert (flat[150:] == -1).all()
    one = batch_order(size=5, batch_size=64, epochs=1, seed=0, last_is_partial=True)
    assert one.shape == (1, 64)
    assert sorted(one[0, :5]) == [0, 1, 2, 3, 4]
    whole = batch_order(128, 64, 2, 0, last_is_partial=True)
    np.testing.assert_array_equal(whole, batch_order(128, 64, 2, 0))


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
    assert measures.test_accuracy is not None
    assert measures.test_accuracy > 0.5


def test_an_accuracy_is_a_whole_number_of_images_divided_in_float64(digits: Dataset) -> None:
    measures = train(digits)
    assert measures.test_accuracy is not None
    assert measures.train_accuracy is not None
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


@pytest.mark.parametrize("how", [TRAINING, replace(KERAS, batch_size=100)])
def test_one_program_serves_every_size_and_seed_of_a_width(digits: Dataset, how: Training) -> None:
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
        trainer = Trainer(RELU, how, WIDTH, dataset, programs)
        for seed in (0, 1):
            trainer(seed)
    assert len(compiled) == 4
    assert len(set(compiled)) == 1


@pytest.mark.slow
def test_training_ends_after_the_first_epoch_that_reaches_what_it_should(digits: Dataset) -> None:
    every = [train(digits, how=replace(TRAINING, epochs=epochs)) for epochs in range(1, 7)]
    accuracies = [row.train_accuracy or 0.0 for row in every]
    wanted = accuracies[3]
    first = next(i for i, accuracy in enumerate(accuracies) if accuracy >= wanted)
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
