"""The rows that linked charts draw, against the tables that they come from."""

import json
import math

import pandas as pd
import pytest
from charts.made_up_tables import DEFAULT, TWO, like_for_like_tables, tables
from scipy import stats

from ntk_mnist.charts.observations import ChartError
from ntk_mnist.page.explorer import explorer

pytestmark = pytest.mark.slow


def test_a_network_is_the_mean_over_its_seeds_with_the_interval_of_student() -> None:
    frames = tables(3, TWO)
    rows = explorer(frames).rows["networks"]
    networks = frames["network"]
    (row,) = [r for r in rows if (r["architecture"], r["width"], r["size"]) == (1, 256, 128)]
    own = networks[
        (networks["activation"] == "relu") & (networks["width"] == 256) & (networks["size"] == 128)
    ]["test_accuracy"]
    low, high = stats.t.interval(0.95, 2, own.mean(), stats.sem(own))
    assert row["value"] == pytest.approx(own.mean(), rel=1e-5)
    assert (row["low"], row["high"]) == pytest.approx((low, high), rel=1e-5)
    assert row["seeds"] == 3


def test_a_gap_is_to_the_limit_of_the_same_architecture_and_size() -> None:
    found = explorer(tables(1, TWO)).rows
    limits = {
        (row["architecture"], row["size"], row["label"]): row["value"]
        for row in found["limits"]
        if row["time"] == 1e300
    }
    networks = {(r["architecture"], r["width"], r["size"]): r["value"] for r in found["networks"]}
    for row in found["gaps"]:
        limit = limits[row["architecture"], row["size"], row["label"]]
        network = networks[row["architecture"], row["width"], row["size"]]
        assert row["gap"] == pytest.approx(network - limit, abs=1e-5)
    assert len(found["gaps"]) == 2 * len(networks)


def test_the_rows_are_valid_json() -> None:
    for frames in (tables(3, TWO), like_for_like_tables(3, TWO)):
        json.dumps(explorer(frames).rows, allow_nan=False)


def test_like_for_like_networks_have_distances_and_times() -> None:
    frames = like_for_like_tables(3, DEFAULT)
    times = {10.0: 2.0, 2500.0: 20.0, 1e7: 200.0}
    found = explorer(frames | {"kernel": frames["kernel"].replace({"time": times})})
    assert (found.last, found.at, found.runs) == (200.0, "t = 2e2", "seeds")
    assert {"distances", "networks", "limits", "gaps"} == set(found.rows)
    titles = [view.title for view in found.views]
    assert "Test accuracy over training time" in titles
    assert "Distance of functions at t = 2e2" in titles


def test_learning_curves_are_means_over_the_seeds_that_reached_an_epoch() -> None:
    frames = tables(2, DEFAULT)
    networks = frames["network"]
    losses = [[3.0, 1.0] if seed == 0 else [1.0] for seed in networks["seed"]]
    found = explorer(frames | {"network": networks.assign(epoch_train_loss=pd.Series(losses))})
    for row in found.rows["epochs"]:
        assert row["value"] == {1: 2.0, 2: 1.0}[row["epoch"]]


def test_kernels_alone_have_no_width_to_choose() -> None:
    found = explorer({"kernel": tables(1, DEFAULT)["kernel"]})
    assert [choice.name for choice in found.choices] == ["architecture", "size"]
    assert set(found.rows) == {"limits"}
    assert len(found.views) == 2


def test_the_largest_width_and_size_are_chosen_at_first() -> None:
    chosen = {choice.name: choice.chosen for choice in explorer(tables(1, DEFAULT)).choices}
    assert chosen == {"architecture": 0, "width": 1024, "size": 3000}


def test_every_value_to_choose_has_rows() -> None:
    found = explorer(tables(1, TWO))
    for choice in found.choices:
        values = {row[choice.name] for row in found.rows["networks"]}
        assert values == {value for value, _ in choice.values}


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(ChartError, match="the kernel table has no rows"):
        explorer({"kernel": tables(1, DEFAULT)["kernel"].iloc[:0]})


def test_infinity_is_a_number_that_no_time_reaches() -> None:
    times = {row["time"] for row in explorer(tables(1, DEFAULT)).rows["limits"]}
    assert 1e300 in times
    assert not any(math.isinf(time) for time in times)
