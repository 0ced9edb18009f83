"""Full-batch steps of a network and its linearization against the products that they consist of.

    NPROC=1 python -m benchmarks.descent_steps --dataset mnist --width 2048 --size 256

A step's time is the difference between two trainings of more and of fewer steps, so that drawing
the parameters and evaluating cancel. Prints one line of JSON.
"""

import argparse
import json
import statistics
from typing import NamedTuple

import numpy as np

from benchmarks.steps import made_up_images, products_of, seconds_of
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.networks.descent import DescentTrainer
from ntk_mnist.settings import Architecture, Training

__all__ = ["DescentSteps"]

_FEW, _MORE = 2, 22
_TEST_IMAGES = 64


class DescentSteps(NamedTuple):
    """Of one step on all training images.

    Attributes:
        seconds: of a step.
        products_seconds: of its matrix products, each repeated by itself.
        flop: of these products.
    """

    seconds: float
    products_seconds: float
    flop: int


def measure(dataset: str, width: int, size: int, *, linearized: bool, rounds: int) -> DescentSteps:
    """Medians of several rounds; in each, a step and the products are measured in turn."""
    # So small a step that no network diverges.
    training = Training(
        parameterization="ntk",
        loss="squared_error",
        optimizer="gradient_descent",
        centred=True,
        linearized=linearized,
        step_size=1e-3,
    )
    images = made_up_images(dataset, size, _TEST_IMAGES)
    few, more = (
        DescentTrainer(
            *(Architecture(activation="erf"), training, width, images),
            times=(steps * training.step_size,),
            # Nothing is compared with it.
            limit=np.eye(size),
        )
        for steps in (_FEW, _MORE)
    )
    # Compile.
    few(0)
    more(0)
    pixels = CATALOGUE[dataset].pixels
    repeated = products_of(pixels, width, size)
    if linearized:
        # Its parameters and their gradients pass through the same products as the network's, and
        # the change of the first hidden layer through the second layer's initial weights.
        repeated = [*repeated, *repeated, repeated[1]]
    step, products = [], []
    for _ in range(rounds):
        longer, shorter = (trainer(0).network[0].train_seconds for trainer in (more, few))
        step.append((longer - shorter) / (_MORE - _FEW))
        products.append(sum(map(seconds_of, repeated)))
    multiplied = 2 * pixels * width + 3 * width**2
    flop = 2 * size * (2 * multiplied + width**2 if linearized else multiplied)
    return DescentSteps(statistics.median(step), statistics.median(products), flop)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", choices=list(CATALOGUE), required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--linearized", action="store_true")
    parser.add_argument("--rounds", type=int, required=True)
    options = parser.parse_args()
    measured = measure(
        *(options.dataset, options.width, options.size),
        linearized=options.linearized,
        rounds=options.rounds,
    )
    print(json.dumps(measured._asdict()))


if __name__ == "__main__":
    main()
