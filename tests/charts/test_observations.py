"""Which rows may share a chart, how they are grouped, and what is said about them."""

import pandas as pd
import pytest
from charts.made_up_tables import EIGHT, kernels, networks, tables

from ntk_mnist.charts.observations import (
    ChartError,
    architectures_in,
    checked,
    headings,
    of_architecture,
    over_seeds,
    subject,
    training,
)
from ntk_mnist.settings import Architecture


def test_the_tables_come_in_the_order_in_which_they_are_named() -> None:
    kernel, network = checked(tables(), ["kernel", "network"])
    assert "time" in kernel
    assert "seed" in network


@pytest.mark.parametrize(
    ("column", "other"), [("dataset", "digits"), ("test_size", 500), ("preprocessing", "other")]
)
def test_networks_and_kernels_of_different_inputs_do_not_share_a_chart(
    column: str, other: str | int
) -> None:
    both = tables()
    both["kernel"][column] = other
    with pytest.raises(ChartError, match=rf"different {column} cannot share a chart: .*{other}"):
        checked(both, ["network", "kernel"])


@pytest.mark.parametrize(
    ("column", "other"), [("optimizer", "sgd"), ("epochs", 7), ("parameterization", "ntk")]
)
def test_networks_that_were_trained_differently_do_not_share_a_chart(
    column: str, other: str | int
) -> None:
    # With another seed, no row is repeated.
    trained = networks().assign(seed=1)
    trained[column] = other
    with pytest.raises(ChartError, match=f"different {column} cannot share a chart"):
        checked({"network": pd.concat([networks(), trained])}, ["network"])


def test_an_empty_table_is_an_error() -> None:
    with pytest.raises(ChartError, match="the kernel table has no rows"):
        checked({"kernel": kernels().iloc[:0]}, ["kernel"])


def test_architectures_are_found_in_any_of_the_tables() -> None:
    found = architectures_in(networks(architectures=EIGHT[:2]), kernels(EIGHT[1:3]))
    assert found == EIGHT[:3]


def test_the_rows_of_one_architecture_have_all_its_settings() -> None:
    table = networks(architectures=EIGHT)
    for architecture in EIGHT:
        assert architectures_in(of_architecture(table, architecture)) == [architecture]


def test_the_mean_is_over_the_seeds_of_one_architecture_width_and_size() -> None:
    averages = over_seeds(networks(seeds=3, architectures=EIGHT), "test_accuracy")
    assert len(averages) == len(networks(architectures=EIGHT))
    assert averages["low"].tolist() == pytest.approx((averages["value"] - 0.02).tolist())
    assert averages["high"].tolist() == pytest.approx((averages["value"] + 0.02).tolist())


def test_a_heading_names_every_varying_setting_and_no_other() -> None:
    two = [Architecture(depth=3, W_std=1.5), Architecture(depth=10, W_std=1.2649110640673518)]
    assert headings(two) == ["depth 3, W_std 1.5", "depth 10, W_std 1.26491"]
    assert headings(two[:1]) == [""]


def test_headings_of_close_values_have_the_digits_that_tell_them_apart() -> None:
    two = [Architecture(b_std=1e-5), Architecture(b_std=1.00000001e-5)]
    assert headings(two) == ["b_std 1e-5", "b_std 1.00000001e-5"]


def test_the_subject_counts_in_the_singular() -> None:
    table = kernels().assign(test_size=1, dataset="digits", depth=1)
    text = subject(table, architectures_in(table))
    assert text == "Digits (8 × 8), relu, 1 hidden layer, W_std 1, b_std 0, 1 test image"


def test_the_training_line_says_how_many_seeds_the_mean_is_over() -> None:
    start = "Networks: glorot, cross-entropy, momentum, 20 epochs; "
    assert training(networks()) == f"{start}1 seed"
    assert training(networks(seeds=3)) == f"{start}mean and range over 3 seeds"
    # One cell lacks one of its seeds.
    assert training(networks(seeds=3).iloc[1:]) == f"{start}mean and range over 2 to 3 seeds"
