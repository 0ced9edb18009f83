"""Train one finite network as its infinite-width limit is trained, and compare it at its times.

The loss is the kernels' own, L = |f(X) − Y|² / (2nk), over all training images; a step of gradient
descent of size η takes the gradient-flow time η. In NTK parameterization the NTK describes the
same steps of the limit of infinite width (Lee et al. 2019, arXiv:1902.06720), so that what differs
is width. A *centred* network is f(θ) − f(θ₀), which starts at zero, as the mean of the limit does.

The *linearization* f(θ₀) + ∂f(θ₀) ω takes the same steps in ω. It is exact: its products with the
Jacobian ∂f(θ₀) and its transpose are those of automatic differentiation.

All steps and evaluations are one compiled program, which serves every seed of a width and size.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ntk_mnist.architecture import ACTIVATIONS, finite
from ntk_mnist.compilation import Programs, compile_in_memory, pinned
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.measures import NetworkMeasures, PredictionMeasures
from ntk_mnist.networks.empirical_kernel import empirical_ntk
from ntk_mnist.networks.training import Diverged, Trained
from ntk_mnist.settings import Architecture, Training

__all__ = ["NTK_IMAGES", "DescentTrainer"]

#: The first so many training images are those of the empirical NTK.
NTK_IMAGES = 64


class _Evaluated(NamedTuple):
    """A network and its linearization at each time; arrays begin with an axis of times."""

    train: jax.Array
    test: jax.Array
    linearized: jax.Array | None
    ntk: jax.Array


class DescentTrainer:
    """Trains networks of one architecture, width and dataset; call it with a seed.

    Args:
        architecture: of the network.
        training: the procedure; it is ``like_for_like``.
        width: units of each hidden layer.
        dataset: n training and m test images, all of which are used.
        times: gradient-flow times at which networks are evaluated, whole numbers of steps.
        limit: infinite-width NTK of the training images, shape (n, n).
        programs: gives the compiled program.
    """

    def __init__(
        self,
        architecture: Architecture,
        training: Training,
        width: int,
        dataset: Dataset,
        times: Sequence[float],
        limit: NDArray[np.float64],
        programs: Programs = compile_in_memory,
    ) -> None:
        self._architecture, self._training, self._width = architecture, training, width
        self._dataset, self._times, self._programs = dataset, sorted(times), programs
        self._steps = [round(time / training.step_size) for time in self._times]
        self._limit = limit[:NTK_IMAGES, :NTK_IMAGES]

    def __call__(self, seed: int) -> Trained:
        """Train one network and evaluate it at each time.

        Args:
            seed: of the initial parameters.

        Raises:
            Diverged: the train loss at a time is above that at the start, or not finite.
        """
        dataset, classes = self._dataset, self._dataset.description.outputs
        # That of PRNGKey(seed), whose second half is the seed.
        key = np.array([0, seed], np.uint32)
        targets = dataset.targets(dataset.train_labels).astype(np.float32)
        images = dataset.train_images, targets, dataset.predicted.test_images
        arguments = (key, *images, np.array(self._steps, np.int32))
        started = time.perf_counter()
        with pinned(x64=False, partitionable_threefry=self._training.partitionable_threefry):
            compute = self._programs(
                ("descent", self._architecture, self._training, self._width, classes,
                 dataset.preprocessing,
                 tuple((array.shape, array.dtype.str) for array in arguments)),
                lambda: self._program().lower(*arguments),
            )  # fmt: skip
            at_start, found = jax.block_until_ready(compute(*arguments))
        seconds = time.perf_counter() - started
        train, count = np.asarray(found.train), len(dataset.test_labels)
        test, validation = np.split(np.asarray(found.test), [count], axis=1)
        losses = np.array([self._loss(on_train, dataset.train_labels) for on_train in train])
        initial = self._loss(np.asarray(at_start.train), dataset.train_labels)
        if not (losses <= 1.01 * initial).all():
            raise Diverged(
                f"width {self._width}, size {len(dataset.train_labels)}, seed {seed} diverged by "
                f"time {self._times[int(np.argmin(losses <= 1.01 * initial))]:g}; "
                f"a smaller training.step_size than {self._training.step_size:g} may help"
            )
        ntk, ntk_before = np.asarray(found.ntk), np.asarray(at_start.ntk)
        network, predictions = [], []
        of_linearized = None if found.linearized is None else np.asarray(found.linearized)
        for i, (steps, t) in enumerate(zip(self._steps, self._times, strict=True)):
            test_loss = self._loss(test[i], dataset.test_labels)
            linearized = None if of_linearized is None else of_linearized[i, :count]
            network.append(
                NetworkMeasures(
                    seed=seed,
                    steps=steps,
                    time=t,
                    reached=None,
                    train_accuracy=dataset.accuracy(train[i], dataset.train_labels),
                    test_accuracy=dataset.accuracy(test[i], dataset.test_labels),
                    validation_accuracy=dataset.accuracy(validation[i], dataset.validation_labels),
                    train_loss=float(losses[i]),
                    test_loss=test_loss,
                    train_mse=2 * float(losses[i]),
                    test_mse=2 * test_loss,
                    epoch_train_loss=(),
                    linearized_test_accuracy=(
                        None
                        if linearized is None
                        else dataset.accuracy(linearized, dataset.test_labels)
                    ),
                    ntk_to_limit=_relative(ntk[i], self._limit),
                    ntk_change=_relative(ntk[i], ntk_before),
                    train_seconds=seconds,
                )
            )
            predictions.append(
                PredictionMeasures(
                    seed=seed,
                    time=t,
                    prediction=tuple(test[i].ravel().tolist()),
                    linearization=() if linearized is None else tuple(linearized.ravel().tolist()),
                )
            )
        return Trained(network=network, network_prediction=predictions)

    def _loss(self, outputs: NDArray[Any], labels: NDArray[Any]) -> float:
        return float(np.mean((outputs.astype(np.float64) - self._dataset.targets(labels)) ** 2) / 2)

    def _program(self) -> Any:
        """The program: (key, train images and targets, test images, steps) -> evaluations."""
        training, dataset = self._training, self._dataset
        classes = dataset.description.outputs
        network = finite(self._architecture, training.parameterization, self._width, classes)
        apply = partial(_outputs, self._architecture)
        kernel = partial(empirical_ntk, self._architecture)

        @jax.jit
        def program(
            key: jax.Array, images: jax.Array, y: jax.Array, tests: jax.Array, steps: jax.Array
        ) -> tuple[_Evaluated, _Evaluated]:
            x, z = dataset.inputs(images, jnp.float32), dataset.inputs(tests, jnp.float32)
            _, initial = network.init(key, (-1, x.shape[1]))
            before = [
                apply(initial, inputs) if training.centred else jnp.float32(0) for inputs in (x, z)
            ]

            def outputs(params: Any) -> jax.Array:
                return apply(params, x) - before[0]

            def at_tests(params: Any) -> jax.Array:
                return apply(params, z) - before[1]

            step_size = jnp.float32(training.step_size / y.size)
            descend = partial(_stepped, outputs, y, step_size)
            tangents = jax.tree.map(jnp.zeros_like, initial)
            if training.linearized:
                start, forward = jax.linearize(outputs, initial)
                backward = jax.linear_transpose(forward, initial)
                start_at_tests, forward_at_tests = jax.linearize(at_tests, initial)

                def descend_linearized(tangent: Any) -> Any:
                    (gradient,) = backward(start + forward(tangent) - y)
                    return jax.tree.map(lambda w, g: w - step_size * g, tangent, gradient)

            def evaluated(params: Any, tangent: Any) -> _Evaluated:
                linearized = None
                if training.linearized:
                    linearized = start_at_tests + forward_at_tests(tangent)
                return _Evaluated(
                    outputs(params),
                    at_tests(params),
                    linearized,
                    kernel(params, x[:NTK_IMAGES]),
                )

            def to_time(state: Any, until: jax.Array) -> tuple[Any, _Evaluated]:
                done, params, tangent = state

                def step(_: jax.Array, both: tuple[Any, Any]) -> tuple[Any, Any]:
                    params, tangent = both
                    moved = descend_linearized(tangent) if training.linearized else tangent
                    return descend(params), moved

                params, tangent = jax.lax.fori_loop(done, until, step, (params, tangent))
                return (until, params, tangent), evaluated(params, tangent)

            state = jnp.int32(0), initial, tangents if training.linearized else ()
            _, found = jax.lax.scan(to_time, state, steps)
            return evaluated(initial, tangents), found

        return program


def _outputs(architecture: Architecture, params: Any, inputs: jax.Array) -> jax.Array:
    """The function of ``architecture.finite`` in NTK parameterization.

    There a layer is (Wᵀ hᵀ)ᵀ, by neural-tangents. XLA makes that h W, but not in a linearization,
    where two such products are added before they are transposed. A step of both then takes an
    eighth longer.
    """
    function = ACTIVATIONS[architecture.activation]

    def dense(h: jax.Array, layer: Any) -> jax.Array:
        W, b = layer
        z = architecture.W_std / h.shape[1] ** 0.5 * (h @ W)
        return z if b is None else z + architecture.b_std * b

    def hidden(h: jax.Array, layer: Any) -> tuple[jax.Array, None]:
        return function(dense(h, layer)), None

    h = inputs
    for layer in params[:-1]:
        # Equal layers are stacked.
        h, _ = hidden(h, layer) if layer[0].ndim == 2 else jax.lax.scan(hidden, h, layer)
    return dense(h, params[-1])


def _stepped(
    outputs: Callable[[Any], jax.Array], targets: jax.Array, step_size: jax.Array, params: Any
) -> Any:
    """The parameters after a step on |outputs − targets|² / 2 of this size."""
    found, transposed = jax.vjp(outputs, params)
    (gradient,) = transposed(found - targets)
    return jax.tree.map(lambda w, g: w - step_size * g, params, gradient)


def _relative(kernel: NDArray[Any], reference: NDArray[Any]) -> float:
    """Distance of two matrices in the Frobenius norm, over the norm of the second."""
    return float(np.linalg.norm(kernel - reference) / np.linalg.norm(reference))
