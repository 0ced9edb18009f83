"""Heat maps over width and training-set size, and the colours of heat maps."""

import math
from typing import Any

import pandas as pd
import pytest
from charts.made_up_tables import (
    KINDS,
    SIZES,
    STEP_SIZES,
    TWO,
    WIDTHS,
    distances,
    like_for_like_tables,
    tables,
)
from charts.specifications import drawn, panel_titles, scaled, specification
from hypothesis import given
from hypothesis import strategies as st

from ntk_mnist.charts import accuracy_map, distance_map
from ntk_mnist.charts.heat_maps import UNKNOWN, Colours
from ntk_mnist.charts.layouts import ONE_COLUMN, TWO_COLUMNS
from ntk_mnist.charts.observations import ChartError
from ntk_mnist.charts.style import diverging

pytestmark = pytest.mark.slow


def cells(spec: dict[str, Any]) -> pd.DataFrame:
    """The cells of all heat maps."""
    return drawn(spec).dropna(subset=["width", "size"])


def test_networks_and_their_gap_to_each_kernel_are_maps() -> None:
    spec = specification(accuracy_map.draw(tables(seeds=3)))
    assert panel_titles(spec) == [
        "Test accuracy",
        *(f"Networks minus {kind.upper()} at t = ∞" for kind in KINDS),
    ]
    every = cells(spec)
    assert len(every) == (1 + len(KINDS)) * len(WIDTHS) * len(SIZES)
    values = every[(every["width"] == 256) & (every["size"] == 3000)]["value"]
    # Of three seeds, 0.02 apart; the limits are as in the tables.
    assert list(values) == pytest.approx([0.57, 0.57 - 0.71, 0.57 - 0.83])


def test_the_error_is_that_of_the_mean_over_seeds() -> None:
    three = cells(specification(accuracy_map.draw(tables(seeds=3))))
    # Of 0, 0.02 and 0.04: a deviation of 0.02.
    assert list(three["error"]) == pytest.approx([0.02 / math.sqrt(3)] * len(three))
    assert set(three["seeds"]) == {3}
    one = cells(specification(accuracy_map.draw(tables())))
    assert one["error"].isna().all()


def test_cells_of_networks_that_have_not_fitted_have_a_star_and_a_sentence() -> None:
    made = tables(seeds=2)
    network = made["network"]
    network["train_accuracy"] = 1.0
    assert "*:" not in str(specification(accuracy_map.draw(made))["title"])
    lacking = (network["width"] == 64) & (network["size"] == 128) & (network["seed"] == 1)
    network.loc[lacking, "train_accuracy"] = 0.7
    spec = specification(accuracy_map.draw(made))
    starred = cells(spec).query("mark == '*'")
    assert set(zip(starred["width"], starred["size"], strict=True)) == {(64, 128)}
    assert spec["title"]["subtitle"][-1] == "*: a network has not fitted its training set"


@pytest.mark.parametrize("layout", [ONE_COLUMN, TWO_COLUMNS])
def test_values_are_written_where_they_have_room(layout: Any) -> None:
    few = cells(specification(accuracy_map.draw(tables(), layout)))
    assert "0.50" in set(few["text"])
    assert any(text.startswith("−0.") for text in few["text"])
    many = tables()
    network, kernel = many["network"], many["kernel"]
    many["network"] = pd.concat(
        network.assign(width=network["width"] + 3 * k) for k in range(12)
    )  # fmt: skip
    many["kernel"] = kernel
    crowded = cells(specification(accuracy_map.draw(many, layout)))
    assert set(crowded["text"]) == {""}


def test_no_gap_is_white_and_the_largest_is_as_far_below_as_above() -> None:
    spec = specification(accuracy_map.draw(tables(architectures=TWO)))
    bars = [y["scale"]["domain"] for y in scaled(spec, "y") if y["field"] == "from"]
    gaps = [domain for domain in bars if domain[0] < 0]
    assert len(gaps) == len(KINDS) * len(TWO)
    assert all(low == -high for low, high in gaps)
    assert Colours.around_0([-0.3, 0.1]).of(0.0) == diverging(65)[32] == "#f7f7f7"


def test_squared_errors_of_real_valued_targets_take_the_place_of_accuracies() -> None:
    made = tables()
    for table in made.values():
        table["test_accuracy"] = None
        table["test_mse"] = 0.1
    spec = specification(accuracy_map.draw({name: made[name] for name in accuracy_map.TABLES}))
    assert panel_titles(spec)[0] == "Test squared error"
    assert set(cells(spec)["text"]) == {"0.10", "+0.0"}


@pytest.mark.parametrize("only", ["width", "size", "both"])
def test_one_width_or_size_is_drawn_too(only: str) -> None:
    made = tables()
    for name, column, value in (("network", "width", 64), ("network", "size", 128)):
        if only in (column, "both"):
            made[name] = made[name][made[name][column] == value]
    assert len(cells(specification(accuracy_map.draw(made)))) > 0


def test_distances_are_those_of_the_last_time_and_their_geometric_mean() -> None:
    spec = specification(distance_map.draw(like_for_like_tables(seeds=3)))
    assert panel_titles(spec) == [
        *("Network to NTK", "Linearization to NTK", "Network to linearization"),
    ]
    every = cells(spec)
    assert len(every) == 3 * len(WIDTHS) * len(STEP_SIZES)
    cell = every.query("width == 256 and size == 128 and quantity == 'network_to_limit'")
    assert cell["value"].item() == pytest.approx(3 * 256**-0.5 * 2 * 1.28)
    assert spec["title"]["text"].endswith("at t = 2e2")


def test_all_distances_share_one_scale() -> None:
    spec = specification(distance_map.draw(like_for_like_tables(architectures=TWO)))
    bars = [y["scale"] for y in scaled(spec, "y") if y["field"] == "from"]
    assert len(bars) == 3 * len(TWO)
    assert all(bar == bars[0] for bar in bars)
    assert bars[0]["type"] == "log"


def test_no_positive_distance_is_an_error() -> None:
    with pytest.raises(ChartError, match="no positive distance of functions"):
        distance_map.draw({"distance": distances().assign(rms=0.0)})


def test_networks_that_are_not_like_for_like_have_no_map_of_distances() -> None:
    with pytest.raises(ChartError, match="not like for like"):
        distance_map.draw({"distance": distances().assign(loss="cross_entropy")})


@given(st.lists(st.floats(1e-300, 1e300), min_size=1), st.booleans())
def test_every_value_has_a_colour(values: list[float], logarithmic: bool) -> None:
    scale = Colours.within(values, logarithmic=logarithmic)
    assert scale.low < scale.high
    assert all(scale.of(value) != UNKNOWN for value in values)
    assert scale.of(math.nan) == UNKNOWN
