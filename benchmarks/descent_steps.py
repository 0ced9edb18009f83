"""A cell of full-batch networks against the products that it consists of.

    NPROC=1 python -m benchmarks.descent_steps --dataset mnist --width 2048 --size 256

A step's time is the difference between two trainings of more and of fewer steps, and an
evaluation's that between two trainings with more and with fewer times, so that what both have
cancels. Prints one line of JSON.
"""

import argparse
import json
import statistics
from collections import Counter
from typing import NamedTuple

import numpy as np

from benchmarks.steps import made_up_images, products_of, seconds_of
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.networks.descent import NTK_IMAGES, DescentTrainer
from ntk_mnist.settings import Architecture, Inputs, Training

__all__ = ["DescentSteps"]

_FEW, _MORE, _TIMES = 2, 22, 7
#: Of an image; in the empirical NTK, their derivatives are so many rows of a product.
_OUTPUTS = 10


class DescentSteps(NamedTuple):
    """Of networks of one width and training-set size.

    Attributes:
        seconds: of a step on all training images.
        products_seconds: of its matrix products, each repeated by itself.
        flop: of these products.
        evaluation: seconds of an evaluation: training images, test images, and the empirical NTK.
        evaluation_products: seconds of its products.
        start: seconds of all before the first step: parameters, and the evaluation at the start.
    """

    seconds: float
    products_seconds: float
    flop: int
    evaluation: float
    evaluation_products: float
    start: float


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
    tests = Inputs().test_size
    images = made_up_images(dataset, size, tests)
    few, more, often = (
        DescentTrainer(
            *(Architecture(activation="erf"), training, width, images),
            times=tuple(step * training.step_size for step in steps),
            # Nothing is compared with it.
            limit=np.eye(size),
        )
        for steps in ((_FEW,), (_MORE,), range(_MORE - _TIMES + 1, _MORE + 1))
    )
    # Compile.
    for trainer in (few, more, often):
        trainer(0)
    pixels = CATALOGUE[dataset].pixels
    first, second, *backward = range(5)
    # How often each product is of a step and of an evaluation, by its images and its place among
    # those of ``products_of``.
    step = Counter((size, product) for product in range(5))
    evaluation = Counter((count, product) for count in (size, tests) for product in (first, second))
    ntk = min(NTK_IMAGES, size)
    evaluation.update([(ntk, first), (ntk, second), (_OUTPUTS * ntk, backward[1])])
    if linearized:
        # The change of the parameters passes through the same products as the network's, and the
        # change of the first hidden layer through the second layer's initial weights.
        step.update((size, product) for product in (*range(5), second))
        evaluation.update((tests, product) for product in (first, second, second))
    repeated = {count: products_of(pixels, width, count) for count in (size, tests, ntk)}
    repeated[_OUTPUTS * ntk] = products_of(pixels, width, _OUTPUTS * ntk)
    multiplied = 2 * pixels * width + 3 * width**2
    flop = 2 * size * (2 * multiplied + width**2 if linearized else multiplied)
    found = []
    for _ in range(rounds):
        shorter, longer, evaluated = (
            trainer(0).network[0].train_seconds for trainer in (few, more, often)
        )
        seconds = {
            (count, product): seconds_of(repeated[count][product])
            for count, product in {*step, *evaluation}
        }
        of_step = (longer - shorter) / (_MORE - _FEW)
        of_evaluation = (evaluated - longer) / (_TIMES - 1)
        found.append(
            DescentSteps(
                seconds=of_step,
                products_seconds=sum(times * seconds[which] for which, times in step.items()),
                flop=flop,
                evaluation=of_evaluation,
                evaluation_products=sum(
                    times * seconds[which] for which, times in evaluation.items()
                ),
                start=shorter - _FEW * of_step - of_evaluation,
            )
        )
    return DescentSteps(*map(statistics.median, zip(*found, strict=True)))


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
