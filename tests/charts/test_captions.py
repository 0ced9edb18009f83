"""Captions say how networks and kernels of an experiment were made."""

from typing import Any

import pytest

from ntk_mnist.charts import CHARTS
from ntk_mnist.charts.captions import caption_of, kernels_in_words, networks_in_words
from ntk_mnist.plan.experiment import Experiment, experiment_of
from ntk_mnist.registries import names_in, text_in

DESCENT = {
    "parameterization": "ntk",
    "loss": "squared_error",
    "optimizer": "gradient_descent",
    "step_size": 1.0,
}


def experiment(**sections: Any) -> Experiment:
    return experiment_of(sections)


def test_networks_by_epochs_have_their_loss_optimizer_steps_and_seeds() -> None:
    assert networks_in_words(experiment(grid={"seed": [0, 1, 2]})) == (
        "Networks: Glorot-normal weights, cross-entropy, momentum 0.9, step size 0.001, 20 epochs "
        "in batches of 64; 3 seeds."
    )


def test_networks_on_the_kernels_terms_have_the_time_of_their_last_step() -> None:
    found = networks_in_words(
        experiment(training=DESCENT | {"centred": True}, solve={"times": [1, 1000]})
    )
    assert found == (
        "Networks: NTK parameterization, squared error, full-batch gradient descent, step size 1, "
        "steps up to the time 1e3, centred at the start; 1 seed."
    )


def test_an_end_before_the_last_epoch_and_draws_are_told() -> None:
    found = networks_in_words(
        experiment(
            training={"until_train_accuracy": 0.99, "until_train_loss": 0.1, "optimizer": "adam"},
            inputs={"selection": "drawn_of_each_class"},
            grid={"draw": [0, 1]},
        )
    )
    assert "Adam, step size 0.001, 20 epochs in batches of 64, at most, or until" in found
    assert "until train accuracy 0.99 or train loss 0.1" in found
    assert found.endswith("1 seed; 2 draws of training images.")


def test_kernels_have_their_dynamics_and_times() -> None:
    assert kernels_in_words(experiment()) == (
        "Kernels: NNGP and NTK, squared error, gradient flow, times up to 1e7, and t = ∞."
    )
    like_for_like = experiment(training=DESCENT, solve={"times": [10], "diag_reg": 1e-4})
    assert kernels_in_words(like_for_like) == (
        "Kernels: NNGP and NTK, squared error, gradient descent, step size 1, up to the time 1e1, "
        "and t = ∞, 0.0001 of the mean diagonal added to it."
    )
    assert kernels_in_words(experiment(solve={"kinds": ["ntk"]}), evidence=True) == (
        "Kernels: NTK, squared error, gradient flow to t = ∞."
    )


@pytest.mark.parametrize("chart", CHARTS)
def test_a_caption_says_what_is_shown_and_then_how_it_was_made(chart: str) -> None:
    caption = caption_of(chart, experiment(training=DESCENT))
    fixed = text_in(f"charts.{chart}.CAPTION")
    assert caption.startswith(fixed)
    of_kernels = chart in ("calibration", "evidence", "signal_propagation")
    if chart != "reproduction":
        assert ("Networks: " in caption) != of_kernels
    if chart not in ("learning_curves", "reproduction"):
        assert "Kernels: " in caption


def test_an_experiment_without_networks_has_none_in_its_captions() -> None:
    only = experiment(grid={"width": []})
    assert "Networks:" not in caption_of("calibration", only)
    assert "Networks:" not in caption_of("comparison", only)


@pytest.mark.parametrize("registry", ["networks.losses.LOSSES", "architecture.PARAMETERIZATIONS",
                                      "networks.training.OPTIMIZERS"])  # fmt: skip
def test_every_choice_has_words(registry: str) -> None:
    for name in names_in(registry):
        key = {"LOSSES": "loss", "PARAMETERIZATIONS": "parameterization", "OPTIMIZERS": "optimizer"}
        setting = key[registry.rsplit(".", 1)[1]]
        words = networks_in_words(experiment(training={setting: name}))
        assert "_" not in words
