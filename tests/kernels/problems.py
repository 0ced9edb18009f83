"""Kernel problems of any size, and their solutions by LAPACK."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from math import inf
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.data.preprocessing import Preprocessing
from ntk_mnist.kernels.gram import gram
from ntk_mnist.kernels.solution import Matrix, Solution
from ntk_mnist.kernels.solver import Solver
from ntk_mnist.settings import Architecture

ARCHITECTURE = Architecture(activation="relu", depth=3, W_std=1.6**0.5, b_std=0.1**0.5)
TIMES = (*(10.0**k for k in range(1, 8)), inf)


@cache
def blends(count: int) -> Dataset:
    """Any number of images: blends of two digits of one class, with noise; as near to singular.

    Unlike a dataset's, the images are floats. There are 300 test images.
    """
    from sklearn.datasets import load_digits

    pixels, classes = load_digits(return_X_y=True)
    members = [np.flatnonzero(classes == digit) for digit in range(10)]

    def draw(count: int, rng: np.random.Generator) -> tuple[Any, Any]:
        labels = rng.integers(10, size=count)
        pairs = np.array([rng.choice(members[label], 2) for label in labels])
        weights = rng.uniform(size=(count, 1))
        blended = weights * pixels[pairs[:, 0]] + (1 - weights) * pixels[pairs[:, 1]]
        return blended + rng.normal(scale=0.5, size=blended.shape), labels

    # The same for every test, whichever ran before it.
    rng = np.random.default_rng(count)
    return Dataset(
        CATALOGUE["digits"], Preprocessing("scale", 16), *draw(count, rng), *draw(300, rng)
    )


def with_copies(dataset: Dataset, count: int, *, relabel: bool) -> Dataset:
    """A dataset with its last training images twice; the copies may have another label."""
    images, labels = dataset.train_images, dataset.train_labels
    return replace(
        dataset,
        train_images=np.concatenate([images, images[-count:]]),
        train_labels=np.concatenate([labels, (labels[-count:] + relabel) % 10]),
    )


def inputs_of(dataset: Dataset, images: NDArray[Any]) -> Any:
    """Float64 inputs of images."""
    return dataset.inputs(images, np.float64)


def solved(
    solver: Solver,
    dataset: Dataset,
    kind: str,
    *,
    architecture: Architecture = ARCHITECTURE,
    times: Sequence[float] = TIMES,
    diag_reg: float = 0.0,
) -> Solution:
    """The solution of one kernel."""
    [solution] = solver.solutions(architecture, [kind], dataset, times, diag_reg)
    return solution


def lapack(
    dataset: Dataset,
    kind: str,
    *,
    architecture: Architecture = ARCHITECTURE,
    diag_reg: float = 0.0,
) -> tuple[Matrix, Matrix]:
    """Predictions at t = ∞ at the training and the test images, by a dense Cholesky solve."""
    train = inputs_of(dataset, dataset.train_images)
    test = inputs_of(dataset, dataset.test_images)
    k = gram(architecture, train, None, (kind,), lambda x: x)[kind]
    regularized = k + diag_reg * np.mean(np.diagonal(k)) * np.eye(len(k))
    factor = scipy.linalg.cho_factor(regularized, lower=True, overwrite_a=True)
    coefficients = scipy.linalg.cho_solve(factor, dataset.targets(dataset.train_labels))
    k_test_train = gram(architecture, test, train, (kind,), lambda x: x)[kind]
    return k @ coefficients, k_test_train @ coefficients
