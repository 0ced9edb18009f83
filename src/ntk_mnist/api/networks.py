"""The finite side on arrays of one's own: a network that takes the kernels' own steps."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntk_mnist.api.arrays import dataset_of
from ntk_mnist.api.checks import checked, checked_architecture, checked_training
from ntk_mnist.kernels.limit import limit_of_descent
from ntk_mnist.networks.descent import DescentTrainer
from ntk_mnist.settings import Architecture

__all__ = ["TrainedNetwork", "train"]


class TrainedNetwork(NamedTuple):
    """A network at each time of its training.

    Attributes:
        times: gradient-flow times, shape (times,).
        predictions: outputs at the test inputs, float32 of shape (times, m, k).
        linearizations: those of the network's linearization; None unless asked for.
        train_loss: |f − Y|² / (2nk) at the training inputs, shape (times,).
        train_accuracy: fraction of the training inputs, shape (times,); None of real-valued
            targets.
        test_accuracy: fraction of the test inputs, shape (times,); None of real-valued targets, or
            without ``y_test``.
        ntk_to_limit: relative distance of the empirical NTK on the first 64 training inputs from
            the infinite-width NTK, in the Frobenius norm, shape (times,).
        ntk_change: relative change of that empirical NTK since initialization, shape (times,).
    """

    times: NDArray[np.float64]
    predictions: NDArray[np.float32]
    linearizations: NDArray[np.float32] | None
    train_loss: NDArray[np.float64]
    train_accuracy: NDArray[np.float64] | None
    test_accuracy: NDArray[np.float64] | None
    ntk_to_limit: NDArray[np.float64]
    ntk_change: NDArray[np.float64]


def train(
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike,
    architecture: Architecture = Architecture(),  # noqa: B008  (frozen)
    *,
    times: Sequence[float],
    width: int = 512,
    step_size: float = 1.0,
    seed: int = 0,
    centred: bool = True,
    linearized: bool = False,
    y_test: ArrayLike | None = None,
) -> TrainedNetwork:
    """Train one network of finite width as its limit is trained, so that what differs is width.

    It takes steps of gradient descent on all training inputs and the loss |f(X) − Y|² / (2nk), in
    NTK parameterization and float32 (Lee et al. 2019, arXiv:1902.06720). A step of size η takes the
    gradient-flow time η, so that ``predict(…, times=times, step_size=η)`` is its limit.

    Args:
        x_train: inputs of shape (n, …), flattened: features as they are, or images of dtype uint8,
            divided by 255.
        y_train: classes 0 … k − 1, integers of shape (n,); or real-valued targets, floats of shape
            (n,) or (n, k).
        x_test: inputs of shape (m, …).
        architecture: activation, depth, ``W_std`` and ``b_std`` of the network.
        times: gradient-flow times at which it is evaluated, each a whole number of steps.
        width: units of each hidden layer.
        step_size: η, less than 2nk / λ_max; one that is too large is refused with one that works.
        seed: of the initial parameters.
        centred: whether it is f(θ) − f(θ₀), which starts at zero as the limit's mean does.
        linearized: whether its linearization at θ₀ is trained beside it.
        y_test: labels of the test inputs, as ``y_train``; for the accuracy alone.

    Returns:
        The network at each time, in the order of ``times``.

    Raises:
        UserError: an array or a setting is not as above; descent diverges; or the kernel of the
            limit is not known. One line says what to do.
    """
    architecture = checked_architecture(architecture)
    grid = checked(grid={"width": width, "seed": seed})["grid"]
    training = checked_training(times, step_size, centred=centred, linearized=linearized)
    dataset = dataset_of(x_train, y_train, x_test, y_test)
    limit = limit_of_descent(architecture, dataset, training.step_size)
    dataset = replace(
        dataset,
        train_images=_single_precision(dataset.train_images),
        test_images=_single_precision(dataset.test_images),
    )
    what = architecture, training, grid["width"], dataset, tuple(map(float, times)), limit
    trainer = DescentTrainer(*what)
    measured, predicted = trainer(grid["seed"])
    # They come in the order of time.
    order = np.argsort(np.argsort(times))
    shape = (len(order), len(dataset.test_labels), dataset.description.outputs)

    def column(name: str) -> NDArray[np.float64]:
        return np.array([getattr(row, name) for row in measured])[order]

    def outputs(name: str) -> NDArray[np.float32]:
        rows: list[Any] = [getattr(row, name) for row in predicted]
        return np.array(rows, np.float32).reshape(shape)[order]

    has_classes = not dataset.description.real_valued
    return TrainedNetwork(
        times=column("time"),
        predictions=outputs("prediction"),
        linearizations=outputs("linearization") if linearized else None,
        train_loss=column("train_loss"),
        train_accuracy=column("train_accuracy") if has_classes else None,
        test_accuracy=column("test_accuracy") if has_classes and y_test is not None else None,
        ntk_to_limit=column("ntk_to_limit"),
        ntk_change=column("ntk_change"),
    )


def _single_precision(inputs: NDArray[Any]) -> NDArray[Any]:
    # JAX would make 32 bits of 64 itself, of integers too.
    return inputs if inputs.dtype == np.uint8 else inputs.astype(np.float32)
