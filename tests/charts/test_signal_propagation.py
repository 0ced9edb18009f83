"""Heat maps over the variances of weights and biases, and the line between order and chaos."""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import pandas as pd
import pytest
from charts.made_up_tables import EIGHT, KINDS, SIZES, evidence
from charts.specifications import drawn, found, panel_titles, specification

from ntk_mnist.charts.signal_propagation import draw
from ntk_mnist.settings import Architecture

pytestmark = pytest.mark.slow

WEIGHTS, BIASES = [0.5, 1.0, 3.0], [0.0, 0.1, 1.0]


def grid(activation: str = "erf", biases: Sequence[float] = BIASES) -> pd.DataFrame:
    """The evidence of one kernel and size over an uneven grid; accuracies differ by cell."""
    architectures = [
        Architecture(activation=activation, depth=9, W_std=w**0.5, b_std=b**0.5)
        for w, b in product(WEIGHTS, biases)
    ]
    table = evidence(architectures)
    table = table[(table["kernel"] == "nngp") & (table["size"] == 128)].reset_index(drop=True)
    return table.assign(test_accuracy=0.5 + table.index / 20)


def spec_of(table: pd.DataFrame) -> dict[str, Any]:
    return specification(draw({"evidence": table}))


def cells_of(table: pd.DataFrame) -> pd.DataFrame:
    """The cells of the first heat map."""
    cells = drawn(spec_of(table)).dropna(subset="test_accuracy")
    return cells.drop_duplicates(["W_std", "b_std"]).reset_index(drop=True)


def test_cells_reach_half_way_to_their_neighbours_and_not_below_0() -> None:
    cells = cells_of(grid())
    assert len(cells) == 9
    of_weights = cells.groupby(cells["weights"].round(9))[["weights_from", "weights_to"]].first()
    assert list(of_weights["weights_from"]) == pytest.approx([0.25, 0.75, 2.0])
    assert list(of_weights["weights_to"]) == pytest.approx([0.75, 2.0, 4.0])
    of_biases = cells.groupby(cells["biases"].round(9))[["biases_from", "biases_to"]].first()
    assert list(of_biases["biases_from"]) == pytest.approx([0, 0.05, 0.55])
    assert list(of_biases["biases_to"]) == pytest.approx([0.05, 0.55, 1.45])


def test_a_lighter_colour_is_a_higher_value() -> None:
    cells = cells_of(grid()).sort_values("test_accuracy")
    # Lightness, roughly: the green part of the ramp grows from end to end.
    greens = [int(colour[3:5], 16) for colour in cells["colour"]]
    assert greens == sorted(greens)
    assert greens[0] < greens[-1]


def test_a_cell_shows_its_numbers_and_what_becomes_of_deep_networks() -> None:
    titles = [tip["title"] for tips in found(spec_of(grid()), "tooltip") for tip in tips]
    assert {"W_std", "b_std", "Test accuracy", "Nats an image and output", "q*", "χ₁", "c*"} <= {
        *titles
    }
    cells = cells_of(grid())
    row = cells[(cells["weights"] == 1) & (cells["biases"] == 1)].iloc[0]
    # Of erf: Williams 1997.
    q = float(row["variance"])
    assert q == pytest.approx(2 / math.pi * math.asin(2 * q / (1 + 2 * q)) + 1)
    assert row["slope"] == pytest.approx(4 / math.pi / math.sqrt(1 + 4 * q))


def test_the_line_is_where_the_slope_is_1() -> None:
    line = drawn(spec_of(grid())).dropna(subset="line")
    assert (line["line"] == "χ = 1").all()
    # Of erf, 1 / E[φ′²] = π √(1 + 4q) / 4.
    q = ((4 * line["weights"] / math.pi) ** 2 - 1) / 4
    mean = (2 * q / (1 + 2 * q)).map(math.asin) * 2 / math.pi
    assert list(line["biases"]) == pytest.approx(list(q - line["weights"] * mean), abs=1e-9)
    assert line["biases"].max() == pytest.approx(1.45, abs=0.05)
    assert line["weights"].min() == pytest.approx(math.pi / 4, abs=0.01)


def test_the_line_of_relu_is_vertical() -> None:
    line = drawn(spec_of(grid("relu"))).dropna(subset="line")
    assert list(line["weights"]) == pytest.approx([2, 2])
    assert list(line["biases"]) == pytest.approx([0, 1.45])


def test_each_activation_is_a_row_of_three_heat_maps() -> None:
    both = pd.concat([grid("relu"), grid("erf")], ignore_index=True)
    spec = spec_of(both)
    titles = panel_titles(spec)
    assert titles == ["Test accuracy", "Log marginal likelihood", "Depth scale"] * 2
    headings = [row["title"]["text"] for row in spec["vconcat"]]
    assert headings == ["erf", "relu"]
    assert spec["title"]["subtitle"][0] == (
        "MNIST, 9 hidden layers, 128 training images, NNGP, 1,000 test images"
    )


def test_several_kernels_and_sizes_have_rows_of_their_own() -> None:
    architectures = [
        Architecture(activation="erf", W_std=w, b_std=b) for w, b in product([1, 1.5], [0, 0.5])
    ]
    headings = [row["title"]["text"] for row in spec_of(evidence(architectures))["vconcat"]]
    assert headings == [
        f"{size:,} training images, {kind.upper()}" for size in SIZES for kind in KINDS
    ]


@pytest.mark.parametrize("architectures", [1, 8])
def test_an_evidence_without_a_grid_is_a_picture_that_says_so(architectures: int) -> None:
    spec = spec_of(evidence(EIGHT[:architectures]))
    assert "The evidence has no grid" in str(spec)


def test_one_cell_that_is_missing_or_unknown_does_not_hide_the_others() -> None:
    table = grid()
    table.loc[3, "test_accuracy"] = math.nan
    assert len(cells_of(table.drop(index=5))) == 7


def test_real_valued_targets_have_squared_errors_in_place_of_accuracies() -> None:
    table = grid().assign(test_accuracy=None)
    table["test_mse"] = 0.01 * (table.index + 1)
    titles = panel_titles(spec_of(table))
    assert any("Test squared error" in str(title) for title in titles)
    assert not any("Test accuracy" in str(title) for title in titles)
    cells = drawn(spec_of(table)).dropna(subset="test_mse").drop_duplicates("test_mse")
    assert cells["colour"].nunique() == 9


@pytest.mark.parametrize("activation", ["erf", "relu"])
def test_the_line_stays_in_the_panel(activation: str) -> None:
    spec = spec_of(grid(activation, [1.0, 1.5]))
    line = drawn(spec).dropna(subset="line")
    cells = drawn(spec).dropna(subset="biases_from")
    assert cells["biases_from"].min() > 0
    assert line["biases"].dropna().between(cells["biases_from"].min(), 2).all()
