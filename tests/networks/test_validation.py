"""Validation images are predicted as test images are, by both trainers."""

from dataclasses import replace as with_fields

import numpy as np
import pytest

from ntk_mnist.data.inputs import Dataset
from ntk_mnist.kernels.limit import limit_of_descent
from ntk_mnist.networks.descent import DescentTrainer
from ntk_mnist.networks.training import Trainer
from ntk_mnist.settings import Architecture, Training

RELU = Architecture(W_std=1.4, b_std=0.1)
DESCENT = Training(
    parameterization="ntk", loss="squared_error", optimizer="gradient_descent", step_size=2.0
)


def validated(digits: Dataset) -> Dataset:
    """The test images are validation images, and the first training images the test images."""
    return with_fields(
        digits,
        test_images=digits.train_images[:50],
        test_labels=digits.train_labels[:50],
        validation_images=digits.test_images,
        validation_labels=digits.test_labels,
    )


def test_of_networks_that_are_trained_by_epochs(digits: Dataset) -> None:
    (plain,) = Trainer(RELU, Training(epochs=3), 32, digits)(0).network
    (found,) = Trainer(RELU, Training(epochs=3), 32, validated(digits))(0).network
    assert plain.validation_accuracy is None
    assert found.validation_accuracy == plain.test_accuracy
    assert found.train_loss == plain.train_loss


@pytest.mark.slow
def test_of_networks_that_take_the_kernels_steps(digits: Dataset) -> None:
    few = with_fields(
        digits, train_images=digits.train_images[:64], train_labels=digits.train_labels[:64]
    )
    limit = limit_of_descent(RELU, few, 2.0)
    plain = DescentTrainer(RELU, DESCENT, 32, few, (2.0, 40.0), limit)(0)
    with_more = with_fields(
        few, validation_images=digits.train_images[64:], validation_labels=digits.train_labels[64:]
    )
    found = DescentTrainer(RELU, DESCENT, 32, with_more, (2.0, 40.0), limit)(0)
    swapped = with_fields(
        few, test_images=with_more.validation_images, test_labels=with_more.validation_labels
    )
    others = DescentTrainer(RELU, DESCENT, 32, swapped, (2.0, 40.0), limit)(0)
    for row, before, other in zip(found.network, plain.network, others.network, strict=True):
        assert before.validation_accuracy is None
        assert row.test_accuracy == before.test_accuracy
        assert row.validation_accuracy == other.test_accuracy
    for both, alone in zip(found.network_prediction, plain.network_prediction, strict=True):
        np.testing.assert_allclose(both.prediction, alone.prediction, atol=1e-5)
