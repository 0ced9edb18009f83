"""Train one finite network, in float32, as the notebook does.

Mini-batch descent on the mean of a loss over the batch (``networks.losses``). Each epoch
goes through ``size // batch_size`` batches of a permutation of the training images; images that are
left over are dropped or, as in Keras, a smaller last batch, which is padded and masked. The
permutations come from ``numpy.random.RandomState(seed)``, the initial parameters from
``jax.random.PRNGKey(seed)``; seed 0 is the notebook's.

Initialization, all steps and the final evaluation are one compiled program, which may come from a
file (``store.programs``). No array in it depends on the training-set size or on the seed: arrays
are padded to a few capacities and the number of steps is an argument, so that one program serves
every size and seed of a width, and the bits of a seed do not depend on which others are trained.
"""

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.example_libraries import optimizers
from numpy.typing import NDArray

from ntk_mnist import UserError
from ntk_mnist.architecture import finite
from ntk_mnist.compilation import Programs, compile_in_memory, pinned
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.measures import NetworkMeasures, PredictionMeasures
from ntk_mnist.networks.losses import LOSSES
from ntk_mnist.settings import Architecture, Training

__all__ = ["LAST_BATCHES", "OPTIMIZERS", "Diverged", "Trained", "Trainer", "batch_order"]

_ADAM_DECAYS, _ADAM_EPSILON = (0.9, 0.999), 1e-7


@optimizers.optimizer
def _adam(step_size: float) -> Any:
    """Adam with Keras's defaults.

    Source: Kingma & Ba 2015 (arXiv:1412.6980), Algorithm 1 in the order of computation that ends
    section 2, as ``tf.keras.optimizers.Adam`` has it: ε is ε̂ there, added to the root of the second
    moment before its bias is corrected. ``optimizers.adam`` adds it after.
    """

    def init(x: jax.Array) -> tuple[jax.Array, ...]:
        return x, jnp.zeros_like(x), jnp.zeros_like(x)

    def update(
        i: jax.Array, gradient: jax.Array, state: tuple[jax.Array, ...]
    ) -> tuple[jax.Array, ...]:
        x, first, second = state
        decay, slow_decay = _ADAM_DECAYS
        first = decay * first + (1 - decay) * gradient
        second = slow_decay * second + (1 - slow_decay) * gradient**2
        # 1 − β^t; as a difference of float32 numbers it would lose digits in the first steps.
        bias, slow_bias = (-jnp.expm1((i + 1) * math.log(decay)) for decay in _ADAM_DECAYS)
        corrected = step_size * jnp.sqrt(slow_bias) / bias
        return x - corrected * first / (jnp.sqrt(second) + _ADAM_EPSILON), first, second

    def get_params(state: tuple[jax.Array, ...]) -> jax.Array:
        return state[0]

    return init, update, get_params


#: Optimizers by their name in the config, each given the step size and the mass.
OPTIMIZERS: dict[str, Callable[[float, float], Any]] = {
    "sgd": lambda step_size, mass: optimizers.sgd(step_size),
    "momentum": optimizers.momentum,
    "nesterov": optimizers.nesterov,
    "adam": lambda step_size, mass: _adam(step_size),
    # Of the mean loss of all training images, in one batch an epoch.
    "gradient_descent": lambda step_size, mass: optimizers.sgd(step_size),
}

#: What becomes of an epoch's images that are left over after whole batches.
LAST_BATCHES = ("dropped", "partial")

_EVALUATION_BLOCK = 256
_SMALLEST_CAPACITY = 4096


class Diverged(UserError):
    """A loss became NaN or infinite."""


class Trained(NamedTuple):
    """The rows of one seed in each output of a network cell, by the output's name."""

    network: list[NetworkMeasures]
    network_prediction: list[PredictionMeasures]


class _PaddedImages(NamedTuple):
    """Images padded with zeros to a capacity; the first ``number`` of them count.

    An output plus the ``offset`` is compared with the others, shape (k,).
    """

    pixels: jax.Array
    labels: jax.Array
    targets: jax.Array
    number: int
    offset: jax.Array


def batch_order(
    size: int, batch_size: int, epochs: int, seed: int, *, last_is_partial: bool = False
) -> NDArray[np.int32]:
    """Indices of the training images in the order in which they are used.

    Args:
        size: number of training images.
        batch_size: images of a step.
        epochs: number of permutations of the images.
        seed: of the permutations.
        last_is_partial: whether images left over after an epoch's whole batches are a batch.

    Returns:
        int32 of shape (epochs * batches, batch_size), one row a step; an epoch has
        ``size // batch_size`` batches, or that rounded up if the last may be partial. What is
        missing in a partial batch is -1.

    Source: the notebook's ``data_stream``; of a partial batch, Keras's ``fit``.
    """
    rng = np.random.RandomState(seed)
    batches = -(-size // batch_size) if last_is_partial else size // batch_size
    missing = max(batches * batch_size - size, 0)
    order = [
        np.pad(rng.permutation(size)[: batches * batch_size], (0, missing), constant_values=-1)
        for _ in range(epochs)
    ]
    return np.concatenate(order).reshape(epochs * batches, batch_size).astype(np.int32)


class Trainer:
    """Trains networks of one architecture, width and dataset; call it with a seed.

    Args:
        architecture: of the network.
        training: the procedure.
        width: units of each hidden layer.
        dataset: the training images, all of which are used, and the test images.
        programs: gives the compiled program.
    """

    def __init__(
        self,
        architecture: Architecture,
        training: Training,
        width: int,
        dataset: Dataset,
        programs: Programs = compile_in_memory,
    ) -> None:
        self._architecture, self._training, self._width = architecture, training, width
        self._dataset, self._programs = dataset, programs
        self._train = _padded(dataset, dataset.train_images, dataset.train_labels)
        self._test = _padded(dataset, dataset.test_images, dataset.test_labels)
        self._validation = (
            _padded(dataset, dataset.validation_images, dataset.validation_labels)
            if len(dataset.validation_labels)
            else None
        )

    def __call__(self, seed: int) -> Trained:
        """Train and evaluate one network.

        Args:
            seed: of the initial parameters and of the order of batches.

        Raises:
            Diverged: a loss is NaN or infinite.
        """
        training = self._training
        size = self._train.number
        # A partial batch needs no more room than all images have.
        batch_size = min(training.batch_size, len(self._train.pixels))
        if training.optimizer == "gradient_descent":
            batch_size = size
        partly = training.has_partial_batch
        order = batch_order(size, batch_size, training.epochs, seed, last_is_partial=partly)
        steps = len(order)
        # That of PRNGKey(seed), whose second half is the seed.
        key = np.array([0, seed], np.uint32)
        order = _pad_rows(order, _capacity(steps))
        arguments = (key, self._train, self._test, self._validation, order, np.int32(steps))
        started = time.perf_counter()
        with pinned(x64=False, partitionable_threefry=training.partitionable_threefry):
            results = jax.block_until_ready(self._program(arguments)(*arguments))
        seconds = time.perf_counter() - started
        loss, on_train, on_test, on_validation, epochs, reached = results
        squared = training.loss == "squared_error"

        measures = NetworkMeasures(
            seed=seed,
            steps=int(epochs) * (steps // training.epochs),
            time=None,
            reached=bool(reached) if training.has_end else None,
            train_accuracy=self._accuracy(on_train, self._train),
            test_accuracy=self._accuracy(on_test, self._test),
            validation_accuracy=self._accuracy(on_validation, self._validation),
            train_loss=float(on_train[1]),
            test_loss=float(on_test[1]),
            train_mse=2 * float(on_train[1]) if squared else None,
            test_mse=2 * float(on_test[1]) if squared else None,
            epoch_train_loss=tuple(np.asarray(loss)[: int(epochs)].tolist()),
            linearized_test_accuracy=None,
            ntk_to_limit=None,
            ntk_change=None,
            train_seconds=seconds,
        )
        losses = [*measures.epoch_train_loss, measures.train_loss, measures.test_loss]
        if not np.all(np.isfinite(losses)):
            finite_epochs = int(np.argmin(np.isfinite([*measures.epoch_train_loss, np.nan])))
            raise Diverged(
                f"width {self._width}, size {size}, seed {seed} diverged after "
                f"{finite_epochs} of {training.epochs} epochs with {training}, "
                f"{self._architecture}; a smaller training.step_size may help"
            )
        return Trained(network=[measures], network_prediction=[])

    def _accuracy(self, found: Any, images: _PaddedImages | None) -> float | None:
        """That of an evaluation; None without images or classes."""
        if images is None or self._dataset.description.real_valued:
            return None
        # Divided here: float32 would make 0.289 a 0.28900000453.
        return int(found[0]) / images.number

    def _program(self, arguments: tuple[Any, ...]) -> Callable[..., Any]:
        description = self._dataset.description
        network = (self._architecture, self._training, self._width, description.outputs)
        # Images of bytes and of features make different programs.
        shapes = tuple(
            (np.shape(array), str(getattr(array, "dtype", "")))
            for array in jax.tree.leaves(arguments)
        )
        return self._programs(
            ("network", network, self._dataset.preprocessing, shapes),
            lambda: _program(*network, self._dataset).lower(*arguments),
        )


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


def _padded(dataset: Dataset, images: NDArray[Any], labels: NDArray[Any]) -> _PaddedImages:
    targets = dataset.targets(labels).astype(np.float32)
    if dataset.description.real_valued:
        # The program counts right classes, which nothing reads then.
        labels = np.zeros(len(labels), np.uint8)
    padded = [_pad_rows(array, _capacity(len(images))) for array in (images, labels, targets)]
    offset = np.broadcast_to(np.asarray(dataset.offset, np.float32), targets.shape[1:])
    # On the device once, for all seeds.
    pixels, classes, targets, offset = jax.device_put([*padded, offset])
    return _PaddedImages(pixels, classes, targets, len(images), offset)


def _program(
    architecture: Architecture, training: Training, width: int, classes: int, dataset: Dataset
) -> Any:
    """The program: (key, three sets of images, order, steps) -> losses, evaluations, the end."""
    network = finite(architecture, training.parameterization, width, classes)
    opt_init, opt_update, get_params = OPTIMIZERS[training.optimizer](
        training.step_size, training.mass
    )

    loss_of = LOSSES[training.loss]

    def function(initial: Any, params: Any, images: jax.Array) -> jax.Array:
        inputs = dataset.inputs(images, jnp.float32)
        outputs = network.apply(params, inputs)
        return outputs - network.apply(initial, inputs) if training.centred else outputs

    @jax.jit
    def program(
        key: jax.Array,
        train: _PaddedImages,
        test: _PaddedImages,
        validation: _PaddedImages | None,
        order: jax.Array,
        steps: jax.Array,
    ) -> Any:
        steps_per_epoch = steps // training.epochs
        pixels = train.pixels.shape[1]
        _, initial = network.init(key, (-1, pixels))

        def batch_loss(params: Any, batch: jax.Array, counts: jax.Array | None) -> jax.Array:
            outputs = function(initial, params, train.pixels[batch])
            losses = loss_of(outputs, train.labels[batch], train.targets[batch])
            return jnp.mean(losses, where=counts)

        def step(i: jax.Array, state: tuple[Any, jax.Array]) -> tuple[Any, jax.Array]:
            opt_state, epoch_loss = state
            batch = order[i]
            counts = batch >= 0 if training.has_partial_batch else None
            loss, gradient = jax.value_and_grad(batch_loss)(get_params(opt_state), batch, counts)
            if counts is None:
                of_epoch = loss / steps_per_epoch
            else:
                of_epoch = loss * jnp.sum(counts) / train.number
            epoch_loss = epoch_loss.at[i // steps_per_epoch].add(of_epoch)
            return opt_update(i, gradient, opt_state), epoch_loss

        losses = jnp.zeros(training.epochs, jnp.float32)

        def evaluate(opt_state: Any, images: _PaddedImages) -> tuple[jax.Array, jax.Array]:
            return _evaluate(partial(function, initial, get_params(opt_state)), loss_of, images)

        def epoch(state: tuple[Any, ...]) -> tuple[Any, ...]:
            done, *trained, _ = state
            steps = done * steps_per_epoch, (done + 1) * steps_per_epoch
            trained = jax.lax.fori_loop(*steps, step, tuple(trained))
            correct, loss = evaluate(trained[0], train)
            reached = jnp.bool_(False)
            if training.until_train_accuracy:
                # In float32, the product may be above a whole number of images.
                reached |= correct + 0.01 > training.until_train_accuracy * train.number
            if training.until_train_loss:
                reached |= loss <= training.until_train_loss
            return done + 1, *trained, reached

        epochs, reached = jnp.int32(training.epochs), jnp.bool_(False)
        if training.has_end:
            epochs, opt_state, losses, reached = jax.lax.while_loop(
                lambda state: (state[0] < training.epochs) & ~state[-1],
                epoch,
                (jnp.int32(0), opt_init(initial), losses, reached),
            )
        else:
            opt_state, losses = jax.lax.fori_loop(0, steps, step, (opt_init(initial), losses))
        on_validation = None if validation is None else evaluate(opt_state, validation)
        on_train, on_test = evaluate(opt_state, train), evaluate(opt_state, test)
        return losses, on_train, on_test, on_validation, epochs, reached

    return program


def _evaluate(
    function: Callable[[jax.Array], jax.Array],
    loss_of: Callable[[jax.Array, jax.Array, jax.Array], jax.Array],
    images: _PaddedImages,
) -> tuple[jax.Array, jax.Array]:
    """Number of correct predictions and mean loss of the images, block by block."""

    def block(i: jax.Array, sums: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        correct, loss = sums
        start = i * _EVALUATION_BLOCK
        pixels, labels, targets = (
            jax.lax.dynamic_slice_in_dim(array, start, _EVALUATION_BLOCK)
            for array in (images.pixels, images.labels, images.targets)
        )
        counts = start + jnp.arange(_EVALUATION_BLOCK) < images.number
        outputs = function(pixels)
        correct += jnp.sum(counts & (jnp.argmax(outputs + images.offset, axis=1) == labels))
        return correct, loss + jnp.sum(jnp.where(counts, loss_of(outputs, labels, targets), 0.0))

    blocks = -(-images.number // _EVALUATION_BLOCK)
    correct, loss = jax.lax.fori_loop(0, blocks, block, (jnp.int32(0), jnp.float32(0.0)))
    return correct, loss / images.number
