"""The train loss of each epoch."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from charts.made_up_tables import SIZES, TWO, WIDTHS, networks, networks_over_time
from charts.specifications import drawn, line_ends, panel_titles, scaled, specification

from ntk_mnist.charts.learning_curves import draw
from ntk_mnist.charts.observations import ChartError

pytestmark = pytest.mark.slow


def spec_of(table: pd.DataFrame) -> dict[str, Any]:
    return specification(draw({"network": table}))


def test_each_size_is_a_panel_and_each_width_a_line_over_epochs() -> None:
    spec = spec_of(networks(3))
    assert panel_titles(spec) == [f"{size:,} training images" for size in SIZES]
    points = drawn(spec)
    line = points[(points["width"] == 256) & (points["size"] == 128)].sort_values("epoch")
    assert line["epoch"].tolist() == [1, 2, 3]
    mean = (1 + 1.1 + 1.21) / 3
    assert line["value"].tolist() == pytest.approx([2 * mean, mean, mean / 2])
    assert line["low"].tolist() == pytest.approx([2, 1, 0.5])
    assert line["high"].tolist() == pytest.approx([2.42, 1.21, 0.605])
    assert set(line_ends(spec)["label"]) == set(map(str, WIDTHS))


def test_a_line_ends_with_the_last_epoch_of_all_of_its_seeds() -> None:
    table = networks(2)
    short = (table["width"] == 64) & (table["seed"] == 1)
    table["epoch_train_loss"] = [
        losses[:2] if is_short else losses
        for losses, is_short in zip(table["epoch_train_loss"], short, strict=True)
    ]
    points = drawn(spec_of(table))
    assert points.groupby("width")["epoch"].max().to_dict() == {64: 2, 256: 3, 1024: 3}


def test_of_many_epochs_some_are_drawn_the_first_and_the_last_among_them() -> None:
    table = networks()
    table["epoch_train_loss"] = pd.Series([1 / np.arange(1, 1001)] * len(table))
    points = drawn(spec_of(table))
    epochs = sorted(points["epoch"].unique())
    assert (epochs[0], epochs[-1]) == (1, 1000)
    assert 40 < len(epochs) <= 60
    assert points["value"].tolist() == pytest.approx((1 / points["epoch"]).tolist())


def test_a_network_that_diverged_ends_there_on_the_log_axis() -> None:
    table = networks()
    table["epoch_train_loss"] = [[1.0, math.inf, math.nan]] * len(table)
    points = drawn(spec_of(table))
    assert set(points["epoch"]) == {1}


def test_bands_of_many_widths_are_those_of_the_narrowest_and_the_widest() -> None:
    table = networks(2)
    many = pd.concat(table.assign(width=table["width"] + k) for k in range(2))
    spec = spec_of(many)
    points = drawn(spec)
    has_band = points["low"] < points["high"]
    assert set(points.loc[has_band, "width"]) == {64, 1025}
    assert spec["title"]["subtitle"][-1] == "Bands: the narrowest and the widest networks"


def test_all_panels_have_the_same_axes() -> None:
    spec = spec_of(networks(2, TWO))
    for channel in ("x", "y"):
        scales = [axis["scale"] for axis in scaled(spec, channel)]
        assert all(scale == scales[0] for scale in scales)


@pytest.mark.parametrize("losses", [[], None])
def test_networks_that_were_not_trained_by_epochs_are_an_error(losses: Any) -> None:
    table = networks_over_time()
    table["epoch_train_loss"] = [losses] * len(table)
    with pytest.raises(ChartError, match="no loss of an epoch"):
        draw({"network": table})
