"""Training steps against the matrix products that they consist of.

    NPROC=1 python -m benchmarks.steps --dataset mnist --width 2048

A step's time is the difference between two trainings of more and of fewer epochs on the same
images, so that drawing the parameters and evaluating the network cancel. The products have the
shapes of a step's, and as many threads. Prints both as one line of JSON.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import numpy as np

from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.data.preprocessing import Preprocessing
from ntk_mnist.networks.training import Trainer
from ntk_mnist.settings import Architecture, Inputs, Training

__all__ = ["Steps", "made_up_images", "products_of", "seconds_of"]

_BATCH = Training().batch_size
_STEPS_PER_EPOCH, _FEW, _MORE = 50, 1, 3
_ROUNDS, _REPETITIONS = 5, 50

#: A compiled product, and its two matrices.
Repeated: TypeAlias = tuple[Callable[[jax.Array, jax.Array], jax.Array], jax.Array, jax.Array]


class Steps(NamedTuple):
    """Of one training step on one batch.

    Attributes:
        seconds: of a step.
        products_seconds: of its five matrix products, each repeated by itself.
        flop: of these products.
    """

    seconds: float
    products_seconds: float
    flop: int


def measure(dataset: str, width: int) -> Steps:
    """Medians of several rounds; in each, a step and the products are measured in turn."""
    images = made_up_images(dataset, _STEPS_PER_EPOCH * _BATCH, _BATCH)
    few, more = (
        Trainer(Architecture(), Training(epochs=epochs), width, images) for epochs in (_FEW, _MORE)
    )
    # Compile.
    few(0)
    more(0)
    steps = (_MORE - _FEW) * _STEPS_PER_EPOCH
    step, products = [], []
    pixels = CATALOGUE[dataset].pixels
    repeated = products_of(pixels, width, _BATCH)
    for _ in range(_ROUNDS):
        longer, shorter = (trainer(0).network[0].train_seconds for trainer in (more, few))
        step.append((longer - shorter) / steps)
        products.append(sum(map(seconds_of, repeated)))
    flop = 2 * _BATCH * (2 * pixels * width + 3 * width**2)
    return Steps(statistics.median(step), statistics.median(products), flop)


def made_up_images(dataset: str, train: int, test: int) -> Dataset:
    """So many random images of the dataset's shape; a step takes as long on any."""
    description = CATALOGUE[dataset]
    random = np.random.default_rng(0)
    images, labels = (
        random.integers(0, high, shape, np.uint8)
        for high, shape in (
            (description.pixel_max, (train + test, description.pixels)),
            (description.outputs, (train + test,)),
        )
    )
    return Dataset(
        description,
        Preprocessing(Inputs().preprocessing, description.pixel_max),
        *(images[:train], labels[:train], images[train:], labels[train:]),
    )


def products_of(pixels: int, width: int, images: int) -> list[Repeated]:
    """The products of a step of two hidden layers on so many images: two forward, three backward.

    Those of the readout, with ten outputs, are left out.
    """
    random = np.random.default_rng(0)
    x, h, d, w1, w2 = (
        jax.device_put(random.standard_normal(shape, np.float32))
        for shape in (
            *((images, pixels), (images, width), (images, width)),
            *((pixels, width), (width, width)),
        )
    )
    return [
        (jax.jit(lambda a, b: a @ b), x, w1),
        (jax.jit(lambda a, b: a @ b), h, w2),
        (jax.jit(lambda a, b: a.T @ b), h, d),
        (jax.jit(lambda a, b: a @ b.T), d, w2),
        (jax.jit(lambda a, b: a.T @ b), x, d),
    ]


def seconds_of(repeated: Repeated) -> float:
    """Mean time of a product that is repeated on the same matrices."""
    product, a, b = repeated
    result = product(a, b).block_until_ready()
    started = time.perf_counter()
    for _ in range(_REPETITIONS):
        result = product(a, b)
    result.block_until_ready()
    return (time.perf_counter() - started) / _REPETITIONS


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", choices=list(CATALOGUE), required=True)
    parser.add_argument("--width", type=int, required=True)
    options = parser.parse_args()
    print(json.dumps(measure(options.dataset, options.width)._asdict()))


if __name__ == "__main__":
    main()
