"""The empirical NTK against width."""

import math

import pandas as pd
import pytest
from charts.made_up_tables import STEP_SIZES, TWO, WIDTHS, distances
from charts.specifications import drawn, found, panel_titles, specification

from ntk_mnist.charts.kernel_drift import draw
from ntk_mnist.charts.observations import ChartError


def panels(table: pd.DataFrame) -> list[pd.DataFrame]:
    """The data of the two panels of a chart of one architecture, without reference lines."""
    spec = specification(draw({"distance": table}))
    names = [panel["data"]["name"] for panel in spec["hconcat"] if "data" in panel]
    if not names:
        names = list(dict.fromkeys(
            layer["data"]["name"] for panel in spec["hconcat"] for layer in panel["layer"]
            if isinstance(layer["encoding"].get("tooltip"), list)
        ))  # fmt: skip
    return [pd.DataFrame(spec["datasets"][name]) for name in names]


def test_the_distance_is_that_of_the_first_time_and_the_change_that_of_the_last() -> None:
    to_limit, change = panels(distances())
    cell = "width == 256 and size == 128"
    assert to_limit.query(cell)["value"].item() == pytest.approx(1.02 * 256**-0.5 * 1.28)
    assert change.query(cell)["value"].item() == pytest.approx(3 * 256**-0.75 * 1.28)
    assert len(to_limit) == len(change) == len(WIDTHS) * len(STEP_SIZES)


def test_panels_name_their_times() -> None:
    spec = specification(draw({"distance": distances(architectures=TWO)}))
    titles = ["Empirical to infinite NTK", "Change of the empirical NTK"]
    assert panel_titles(spec) == titles * len(TWO)
    middle = [
        t for t in found(spec, "title") if isinstance(t, dict) and t.get("anchor") == "middle"
    ]
    assert [title["subtitle"] for title in middle] == [["at t = 2"], ["at t = 2e2"]] * len(TWO)


def test_seeds_become_their_geometric_mean() -> None:
    to_limit, _ = panels(distances(seeds=3))
    one, _ = panels(distances())
    assert to_limit["value"].tolist() == pytest.approx((2 * one["value"]).tolist())
    assert (to_limit["low"] < to_limit["value"]).all()


def test_lines_are_sizes_beside_reference_slopes() -> None:
    spec = specification(draw({"distance": distances()}))
    scales = [c["scale"] for c in found(spec, "color") if isinstance(c, dict) and "scale" in c]
    assert all(scale["domain"] == [str(size) for size in STEP_SIZES] for scale in scales)
    ends = drawn(spec).dropna(subset="reference").drop_duplicates()
    assert len(ends) == 2 * 2 * 2
    for label, slope in (("−1/2", -0.5), ("−1", -1.0)):
        for panel in range(2):
            of_label = ends[ends["reference"] == label]
            first, last = of_label.iloc[2 * panel], of_label.iloc[2 * panel + 1]
            ratio = math.log(last["value"] / first["value"])
            assert ratio / math.log(last["width"] / first["width"]) == pytest.approx(slope)


def test_networks_of_another_loss_are_refused_alone_and_mixed_in() -> None:
    other = distances().assign(seed=1, loss="cross_entropy")
    with pytest.raises(ChartError, match="not like for like"):
        draw({"distance": other})
    with pytest.raises(ChartError, match="different loss cannot share a chart"):
        draw({"distance": pd.concat([distances(), other])})


@pytest.mark.parametrize("quantity", ["ntk_to_limit", "ntk_change"])
def test_a_table_without_the_empirical_ntk_is_an_error(quantity: str) -> None:
    table = distances()
    with pytest.raises(ChartError, match=f"the distance table has no {quantity}"):
        draw({"distance": table[table["quantity"] != quantity]})
