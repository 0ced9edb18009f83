"""Which rows may share a chart, how they are grouped, and what is said about them."""

import math

import numpy as np
import pandas as pd
import pytest
from charts.made_up_tables import (
    EIGHT,
    STEP_TIMES,
    TWO,
    distances,
    kernels,
    like_for_like_tables,
    networks,
    networks_over_time,
    tables,
)
from scipy import stats

from ntk_mnist.charts.observations import (
    ARCHITECTURE,
    ChartError,
    architectures_in,
    averaged,
    cautions,
    checked,
    checked_like_for_like,
    geometric_over_seeds,
    gradient_descent,
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
    assert headings(two) == ["depth 3, W_std 1.5", "depth 10, W_std 1.265"]
    assert headings(two[:1]) == [""]


def test_headings_of_close_values_have_the_digits_that_tell_them_apart() -> None:
    two = [Architecture(b_std=1e-5), Architecture(b_std=1.00000001e-5)]
    assert headings(two) == ["b_std 1e-5", "b_std 1.00000001e-5"]
    two = [Architecture(b_std=1.0), Architecture(b_std=1.0001)]
    assert headings(two) == ["b_std 1", "b_std 1.0001"]


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


def test_a_network_has_a_row_for_each_time_and_only_one() -> None:
    table = networks_over_time()
    (found,) = checked({"network": table}, ["network"])
    assert len(found) == len(table)
    again = pd.concat([table, table[table["time"] == 20.0]])
    with pytest.raises(ChartError, match=r"two rows for .*time 20\.0"):
        checked({"network": again}, ["network"])


def test_rows_of_different_times_are_averaged_apart() -> None:
    averages = over_seeds(networks_over_time(3, TWO), "test_accuracy", by=["time"])
    assert len(averages) == len(networks_over_time(1, TWO))
    assert set(averages["time"]) == set(STEP_TIMES)


def test_the_geometric_mean_has_the_interval_of_the_mean_logarithm() -> None:
    # Distances of 5 seeds are 1, 2, 4, 8 and 16 times that of the first.
    table = distances(5, TWO)
    means = geometric_over_seeds(table, "rms", by=["time", "quantity"])
    assert len(means) == len(distances(1, TWO))
    assert set(means["seeds"]) == {5}
    keys = [*ARCHITECTURE, "width", "size", "time", "quantity"]
    for _, mean in means.iloc[::37].iterrows():
        own = table[(table[keys] == mean[keys]).all(axis=1)]["rms"]
        assert mean["value"] == pytest.approx(stats.gmean(own))
        logs = np.log(own)
        low, high = stats.t.interval(0.95, 4, loc=logs.mean(), scale=stats.sem(logs))
        assert [mean["low"], mean["high"]] == pytest.approx([math.exp(low), math.exp(high)])


def test_the_geometric_mean_of_one_seed_is_its_value_and_has_no_interval() -> None:
    means = geometric_over_seeds(distances(), "rms", by=["time", "quantity"])
    assert means["low"].tolist() == means["high"].tolist() == means["value"].tolist()


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf])
def test_a_mean_over_a_value_without_a_logarithm_is_left_out_and_not_taken_of_the_rest(
    value: float,
) -> None:
    table = distances(3)
    table.loc[0, "rms"] = value
    means = geometric_over_seeds(table, "rms", by=["time", "quantity"])
    assert len(means) == len(distances()) - 1
    assert set(means["seeds"]) == {3}


def test_networks_on_the_ntk_s_terms_are_like_for_like_and_others_are_not() -> None:
    names = ["network", "kernel"]
    assert len(checked_like_for_like(like_for_like_tables(), names)) == 2
    # The notebook's experiment.
    with pytest.raises(ChartError, match="not like for like: the NTK has loss squared_error"):
        checked_like_for_like(tables(), names)


def test_like_for_like_training_is_described_with_its_step_size() -> None:
    assert gradient_descent(networks_over_time()) == [
        "Networks: NTK parameterization, squared error, full-batch gradient descent, step size 2"
    ]


def test_an_average_is_over_seeds_and_not_over_times() -> None:
    assert averaged(networks_over_time(), "Mean") == "1 seed"
    assert averaged(networks_over_time(3), "Mean") == "Mean over 3 seeds"
    assert averaged(networks_over_time(3).query("seed < 2 or width > 64"), "Mean") == (
        "Mean over 2 to 3 seeds"
    )


@pytest.mark.parametrize(
    ("loss", "accuracies", "cautious"),
    [
        ("squared_error", [1.0, 0.995], []),
        (
            "cross_entropy",
            [1.0, 0.995],
            ["the networks' loss is the cross-entropy, the kernels' the squared error"],
        ),
        (
            *("squared_error", [0.13, 0.92]),
            ["networks have not fitted their training sets (train accuracy 0.13 … 0.92)"],
        ),
    ],
)
def test_a_subtitle_says_why_networks_are_not_comparable_with_their_limits(
    loss: str, accuracies: list[float], cautious: list[str]
) -> None:
    found = cautions(
        pd.DataFrame(
            {"loss": loss, "train_accuracy": accuracies, "parameterization": "ntk"}
            | {"train_mse": None, "test_mse": None}
        )
    )
    assert found == [f"Not like for like: {fault}" for fault in cautious]
