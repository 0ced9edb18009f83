"""Train one finite network, in float32, as the notebook does.

Mini-batch descent on the mean cross-entropy, E = −(1/B) Σ_b log softmax(f(x_b))_{y_b}:
each epoch runs through ``size // batch_size`` batches of a permutation of the first
``size`` images. The permutations come from ``numpy.random.RandomState(seed)``, the
initial parameters from ``jax.random.PRNGKey(seed)``; seed 0 is the notebook.

Initialization, every step and the final evaluation are one compiled program, which may come
from elsewhere (``programs``). No array in it depends on the training-set size (they are padded
to a few capacities and the number of steps is an argument), so that the program of a width is
the same for every size.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.example_libraries import optimizers
from numpy.typing import NDArray

from ntk_mnist import UserError
from ntk_mnist.architecture import Architecture, FiniteNetwork, finite
from ntk_mnist.datasets import Dataset
from ntk_mnist.programs import Programs, compile_anew

__all__ = ["OPTIMIZERS", "Diverged", "Trained", "Training", "batch_order", "train"]

#: Optimizers by their name in the config, each given the step size and the mass.
OPTIMIZERS: dict[str, Callable[[float, float], Any]] = {
    "sgd": lambda step_size, mass: optimizers.sgd(step_size),
    "momentum": optimizers.momentum,
    "nesterov": optimizers.nesterov,
}

_EVALUATION_BLOCK = 256
_SMALLEST_CAPACITY = 4096


@dataclass(frozen=True)
class Training:
    """How a network is drawn and trained.

    The notebook's: glorot; momentum of step size 0.001 and mass 0.9; 20 epochs in batches
    of 64.
    """

    parameterization: str
    optimizer: str
    step_size: float
    mass: float
    epochs: int
    batch_size: int


class Trained(NamedTuple):
    """What is measured of a trained network.

    Losses are mean cross-entropies in nats, accuracies fractions; ``epoch_train_loss`` has
    one value an epoch, the mean loss of its batches as they were met.
    """

    train_accuracy: float
    test_accuracy: float
    train_loss: float
    test_loss: float
    epoch_train_loss: NDArray[np.float32]
    train_seconds: float


class Diverged(UserError):
    """Training left the finite numbers."""


class _Images(NamedTuple):
    """Images padded with zeros to a capacity, of which the first ``number`` count."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    number: int


def batch_order(size: int, batch_size: int, epochs: int, seed: int) -> NDArray[np.int32]:
    """Indices of the training images in the order they are met.

    Returns:
        int32 of shape (epochs * (size // batch_size), batch_size), a step a row.

    Source: the notebook's ``data_stream``.
    """
    rng = np.random.RandomState(seed)
    batches = size // batch_size
    order = [rng.permutation(size)[: batches * batch_size] for _ in range(epochs)]
    return np.concatenate(order).reshape(epochs * batches, batch_size).astype(np.int32)


def train(
    architecture: Architecture,
    training: Training,
    width: int,
    seed: int,
    dataset: Dataset,
    programs: Programs = compile_anew,
) -> Trained:
    """Train a network of one width on the training images of ``dataset`` and evaluate it.

    Args:
        architecture: of the network.
        training: the procedure.
        width: units of each hidden layer.
        seed: of the initial parameters and of the batches' order.
        dataset: as many training and test images as count.
        programs: where the compiled program comes from.

    Raises:
        Diverged: a loss is NaN or infinite.
    """
    description = dataset.description
    train_images = _padded(dataset.train_images, dataset.train_labels)
    test_images = _padded(dataset.test_images, dataset.test_labels)
    order = batch_order(train_images.number, training.batch_size, training.epochs, seed)
    steps = len(order)
    order = _pad_rows(order, _capacity(steps))

    network = (architecture, training, width, description.classes, description.pixel_max)
    # That of PRNGKey(seed), of which the seed is the second half.
    key = np.array([0, seed], np.uint32)
    arguments = (key, train_images, test_images, order, np.int32(steps))
    shapes = tuple(np.shape(array) for array in jax.tree.leaves(arguments))
    started = time.perf_counter()
    program = programs(("network", network, shapes), lambda: _program(*network).lower(*arguments))
    loss, evaluation_train, evaluation_test = jax.block_until_ready(program(*arguments))
    seconds = time.perf_counter() - started

    trained = Trained(
        # Divided here, as float32 would make 0.289 a 0.28900000453.
        train_accuracy=int(evaluation_train[0]) / train_images.number,
        test_accuracy=int(evaluation_test[0]) / test_images.number,
        train_loss=float(evaluation_train[1]),
        test_loss=float(evaluation_test[1]),
        epoch_train_loss=np.asarray(loss),
        train_seconds=seconds,
    )
    if not np.all(np.isfinite([*loss, trained.train_loss, trained.test_loss])):
        finite_epochs = int(np.argmin(np.isfinite([*loss, np.nan])))
        raise Diverged(
            f"width {width}, size {train_images.number}, seed {seed} diverged after "
            f"{finite_epochs} of {training.epochs} epochs with {training}, {architecture}; "
            "a smaller network.optimizer.step_size may help"
        )
    return trained


def _capacity(count: int) -> int:
    """The smallest of 4096, 16384, 65536, … that holds ``count``."""
    capacity = _SMALLEST_CAPACITY
    while capacity < count:
        capacity *= 4
    return capacity


def _pad_rows(array: NDArray[Any], rows: int) -> NDArray[Any]:
    padded = np.zeros((rows, *array.shape[1:]), array.dtype)
    padded[: len(array)] = array
    return padded


def _padded(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> _Images:
    capacity = _capacity(len(images))
    return _Images(_pad_rows(images, capacity), _pad_rows(labels, capacity), len(images))


def _program(
    architecture: Architecture, training: Training, width: int, classes: int, pixel_max: int
) -> Any:
    """The whole, to be compiled: (key, train, test, order, steps) -> losses and two evaluations."""
    network = finite(architecture, training.parameterization, width, classes)
    opt_init, opt_update, get_params = OPTIMIZERS[training.optimizer](
        training.step_size, training.mass
    )

    def batch_loss(params: Any, images: jax.Array, labels: jax.Array) -> jax.Array:
        return jnp.mean(_cross_entropy(network, params, images / pixel_max, labels))

    @jax.jit
    def program(
        key: jax.Array, train: _Images, test: _Images, order: jax.Array, steps: jax.Array
    ) -> Any:
        steps_per_epoch = steps // training.epochs

        def step(i: jax.Array, state: tuple[Any, jax.Array]) -> tuple[Any, jax.Array]:
            opt_state, epoch_loss = state
            batch = order[i]
            loss, gradient = jax.value_and_grad(batch_loss)(
                get_params(opt_state),
                train.pixels[batch].astype(jnp.float32),
                train.labels[batch],
            )
            epoch_loss = epoch_loss.at[i // steps_per_epoch].add(loss / steps_per_epoch)
            return opt_update(i, gradient, opt_state), epoch_loss

        pixels = train.pixels.shape[1]
        _, params = network.init(key, (-1, pixels))
        losses = jnp.zeros(training.epochs, jnp.float32)
        opt_state, losses = jax.lax.fori_loop(0, steps, step, (opt_init(params), losses))
        params = get_params(opt_state)
        evaluate = partial(_evaluate, network, params, pixel_max)
        return losses, evaluate(train), evaluate(test)

    return program


def _cross_entropy(
    network: FiniteNetwork, params: Any, inputs: jax.Array, labels: jax.Array
) -> jax.Array:
    log_probabilities = jax.nn.log_softmax(network.apply(params, inputs))
    return -jnp.take_along_axis(log_probabilities, labels[:, None].astype(jnp.int32), axis=1)[:, 0]


def _evaluate(
    network: FiniteNetwork, params: Any, pixel_max: int, images: _Images
) -> tuple[jax.Array, jax.Array]:
    """Correct predictions and mean cross-entropy of the images that count, block by block."""

    def block(i: jax.Array, sums: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        correct, loss = sums
        start = i * _EVALUATION_BLOCK
        pixels = jax.lax.dynamic_slice_in_dim(images.pixels, start, _EVALUATION_BLOCK)
        labels = jax.lax.dynamic_slice_in_dim(images.labels, start, _EVALUATION_BLOCK)
        counts = start + jnp.arange(_EVALUATION_BLOCK) < images.number
        logits = network.apply(params, pixels.astype(jnp.float32) / pixel_max)
        log_probabilities = jax.nn.log_softmax(logits)
        own = jnp.take_along_axis(log_probabilities, labels[:, None].astype(jnp.int32), axis=1)
        correct += jnp.sum(counts & (jnp.argmax(logits, axis=1) == labels))
        return correct, loss - jnp.sum(jnp.where(counts, own[:, 0], 0.0))

    blocks = -(-images.number // _EVALUATION_BLOCK)
    correct, loss = jax.lax.fori_loop(0, blocks, block, (jnp.int32(0), jnp.float32(0.0)))
    return correct, loss / images.number
