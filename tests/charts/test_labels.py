"""Numbers as people write them, whatever type a data frame gives them."""

import math

import numpy as np
import pytest

from ntk_mnist.charts.labels import counted, decimal, limit_label, time_label


@pytest.mark.parametrize("of_type", [float, np.float64])
@pytest.mark.parametrize(
    ("value", "label"),
    [
        (1.0, "1"),
        (0.5, "0.5"),
        (3.14, "3.14"),
        (0.0001, "0.0001"),
        (1e-5, "1e-5"),
        (2.5e-7, "2.5e-7"),
        (100000.0, "100000"),
        (1e6, "1e6"),
        (1.2649110640673518, "1.2649110640673518"),
        (0.0, "0"),
        (-0.0, "0"),
        (-2.5, "-2.5"),
        (5e-324, "5e-324"),
    ],
)
def test_a_number_is_written_without_its_type_and_without_zeros(
    of_type: type[float], value: float, label: str
) -> None:
    assert decimal(of_type(value)) == label
    assert float(label) == value


def test_a_number_is_rounded_to_the_digits_asked_for() -> None:
    assert decimal(1.2649110640673518, digits=6) == "1.26491"
    assert decimal(0.99999999, digits=6) == "1"
    assert decimal(1000, digits=6) == "1000"


def test_different_numbers_have_different_labels() -> None:
    assert decimal(1.0) != decimal(math.nextafter(1.0, 2))


def test_one_thing_is_singular() -> None:
    things = [counted(number, "epoch") for number in (0, 1, 2, 1000)]
    assert things == ["0 epochs", "1 epoch", "2 epochs", "1,000 epochs"]


@pytest.mark.parametrize(
    ("time", "label"),
    [
        (10, "1e1"),
        (2500.0, "2.5e3"),
        (10.0000001, "1.00000001e1"),
        (0.001, "0.001"),
        (3.0, "3"),
        (np.float64(1.0), "1"),
        (np.float64(1e-5), "1e-5"),
        (math.inf, "∞"),
    ],
)
def test_different_times_have_different_labels(time: float, label: str) -> None:
    assert time_label(time) == label


def test_the_limit_is_named_by_its_kernel() -> None:
    assert limit_label("ntk") == "∞ (NTK)"
