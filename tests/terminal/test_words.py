"""Durations, sizes, counts and cells in words."""

import pytest

from ntk_mnist.plan.config import complete
from ntk_mnist.plan.experiment import experiment_of
from ntk_mnist.terminal.words import cell_words, counted, duration, listed, size_of


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 s"), (0.4, "1 s"), (59.4, "59 s"), (59.6, "1 min"), (150, "2 min"),
        (3569, "59 min"), (3571, "1 h"), (4800, "1 h 20 min"), (36000, "10 h"), (90000, "25 h"),
    ],
)  # fmt: skip
def test_a_duration_has_no_more_digits_than_a_guess(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (23_000, "23 kB"), (1000, "1.0 kB"), (999_600, "1.0 MB"), (7.1e6, "7.1 MB"),
        (3e9, "3.0 GB"), (2e13, "20 TB"),
    ],
)  # fmt: skip
def test_a_size_has_two_digits(size: float, words: str) -> None:
    assert size_of(size) == words


def test_one_thing_is_singular() -> None:
    assert counted(1, "networks") == "1 network"
    assert counted(1200, "networks") == "1,200 networks"


def test_things_are_listed() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_a_cell_is_named_by_what_its_experiment_varies() -> None:
    config = complete({"inputs": {"dataset": "digits"}})
    experiment = experiment_of(config)
    architectures = [a for group in experiment.groups for a in group.architectures]
    words = cell_words(experiment.networks[0], architectures)
    assert words.startswith("width ")
    assert words.endswith(", relu")
    config["architecture"][0]["depth"] = [2, 3]
    experiment = experiment_of(config)
    architectures = [a for group in experiment.groups for a in group.architectures]
    assert cell_words(experiment.kernels[0], architectures).endswith(", relu, depth 2")
