"""What the charts say, read from their specifications, and the files they become."""

import math
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import vl_convert

from ntk_mnist.calibration import Calibration
from ntk_mnist.charts import (
    CHARTS,
    _time_label,
    calibration,
    comparison,
    gap_to_infinite_width,
)
from ntk_mnist.commands.chart import render

WIDTHS, SIZES, TIMES = [64, 256, 1024], [128, 256, 3000], [10.0, 2500.0, 1e7, math.inf]

LISTS = [f"calibration_{name}" for name in Calibration._fields]


def networks(seeds: int = 1) -> pd.DataFrame:
    rows = [
        {"dataset": "mnist", "activation": "relu", "depth": 2, "width": w, "size": s, "seed": seed,
         "epochs": 20, "test_size": 1000, "test_accuracy": 0.5 + i / 100 + seed / 50}
        for i, (w, s, seed) in enumerate(product(WIDTHS, SIZES, range(seeds)))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def kernels() -> pd.DataFrame:
    rows = [
        {"dataset": "mnist", "activation": "relu", "depth": 2, "kernel": k, "size": s, "time": t,
         "test_size": 1000, "test_accuracy": 0.6 + i / 100, **{name: [] for name in LISTS}}
        for i, (k, s, t) in enumerate(product(["nngp", "ntk"], SIZES, TIMES))
    ]  # fmt: skip
    for row in rows:
        if row["time"] == math.inf:
            row |= {name: [(1 + group) / 2 for group in range(2)] for name in LISTS}
    return pd.DataFrame(rows)


def found(spec: Any, key: str) -> list[Any]:
    """Every value of ``key`` anywhere in a specification."""
    inner = spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else []
    own = [spec[key]] if isinstance(spec, dict) and key in spec else []
    return own + [value for part in inner for value in found(part, key)]


def data(spec: dict[str, Any]) -> pd.DataFrame:
    return pd.concat(pd.DataFrame(rows) for rows in spec["datasets"].values())


def test_legends_are_ordered_and_the_limit_is_dashed_black() -> None:
    spec = comparison(networks(), kernels()).to_dict()
    scales = [(c["field"], c["scale"]) for c in found(spec, "color") if "scale" in c]
    domains = {field: scale["domain"] for field, scale in scales}
    assert domains["time_label"] == ["1e1", "2.5e3", "1e7", "∞"]
    assert domains["width_label"] == ["64", "256", "1024", "∞ (NNGP)", "∞ (NTK)"]
    for field, scale in scales:
        limits = [label.startswith("∞") for label in domains[field]]
        assert [colour == "black" for colour in scale["range"]] == limits
    dashes = [d["scale"] for d in found(spec, "strokeDash") if "scale" in d]
    for scale in dashes:
        drawn = [pattern != [1, 0] for pattern in scale["range"]]
        assert drawn == [label.startswith("∞") for label in scale["domain"]]
    kinds = next(s["range"] for s in dashes if "∞ (NTK)" in s["domain"])
    assert kinds[-1] != kinds[-2]


@pytest.mark.parametrize(
    ("name", "ticks"), [("comparison", SIZES), ("gap_to_infinite_width", WIDTHS)]
)
def test_the_axis_is_log_2_with_the_real_values_as_ticks(name: str, ticks: list[int]) -> None:
    spec = CHARTS[name](networks(), kernels()).to_dict()
    for x in found(spec, "x"):
        assert x["scale"]["type"] == "log"
        assert x["scale"]["base"] == 2
        assert x["axis"]["values"] == ticks


def test_every_cell_is_drawn_as_it_stands_in_the_table() -> None:
    drawn = data(comparison(networks(), kernels()).to_dict())
    accuracy = drawn[drawn["width_label"] == "256"].set_index("size")["mean"]
    assert accuracy.to_dict() == pytest.approx({128: 0.53, 256: 0.54, 3000: 0.55})
    at_infinity = drawn[drawn["time_label"] == "∞"]
    assert len(at_infinity) == 2 * len(SIZES)


def test_the_gap_is_network_less_kernel_at_infinity() -> None:
    drawn = data(gap_to_infinite_width(networks(), kernels()).to_dict()).dropna(subset="mean")
    row = drawn[(drawn["width"] == 256) & (drawn["size"] == 3000)]
    assert list(row["mean"]) == pytest.approx([0.55 - 0.71, 0.55 - 0.83])


def test_calibration_draws_every_group_at_infinity_of_each_kernel_and_size() -> None:
    kernel_table = kernels()
    # Nothing is left of the most certain group's variance: no place on a log axis.
    kernel_table["calibration_variance"] = [
        [0.0, 0.5] if values and size == 128 else values
        for values, size in zip(
            kernel_table["calibration_variance"], kernel_table["size"], strict=True
        )
    ]
    drawn = data(calibration(networks(), kernel_table).to_dict())
    # Two groups of each, above and below; but for those.
    assert len(drawn) == 2 * 2 * 2 * len(SIZES) - 2
    assert set(drawn["mean"]) == {0.5, 1.0}


def test_seeds_become_a_mean_and_a_band() -> None:
    spec = comparison(networks(seeds=3), kernels()).to_dict()
    assert "area" in [m["type"] for m in found(spec, "mark") if isinstance(m, dict)]
    drawn = data(spec)
    cell = drawn[(drawn["width_label"] == "64") & (drawn["size"] == 128)].iloc[0]
    assert (cell["low"], cell["mean"], cell["high"]) == pytest.approx((0.5, 0.53, 0.56))
    assert "3 seeds" in spec["title"]["subtitle"]
    assert "area" not in str(comparison(networks(), kernels()).to_dict())


def test_legends_name_every_series_in_full_colour() -> None:
    spec = comparison(networks(seeds=3), kernels()).to_dict()
    legends = [c["legend"] for c in found(spec, "color") if "legend" in c]
    assert legends
    assert all(legend["symbolOpacity"] == 1 and legend["symbolLimit"] == 0 for legend in legends)


@pytest.mark.parametrize(
    ("time", "label"),
    [
        (10, "1e1"),
        (2500.0, "2.5e3"),
        (10.0000001, "1.00000001e1"),
        (0.001, "0.001"),
        (3.0, "3"),
        (math.inf, "∞"),
    ],
)
def test_times_have_labels_of_their_own(time: float, label: str) -> None:
    assert _time_label(time) == label


def test_one_kernel_makes_one_panel_of_it() -> None:
    only = kernels().query("kernel == 'nngp'")
    titles = [t.get("text") for t in found(comparison(networks(), only).to_dict(), "title")
              if isinstance(t, dict)]  # fmt: skip
    assert "Infinite width, NNGP" in titles
    assert "NTK" not in str(titles)


@pytest.mark.parametrize("name", CHARTS)
def test_selections_take_no_name_that_vega_needs(name: str) -> None:
    # A selection called `width` once took the place of the chart's own width in browsers.
    spec = CHARTS[name](networks(), kernels()).to_dict()
    chosen = {param["name"] for param in spec["params"]}
    assert chosen
    assert all(n.startswith("chosen_") for n in chosen)
    assert {b["bind"] for b in spec["params"]} == {"legend"}
    fields = [f for param in spec["params"] for f in param["select"]["fields"]]
    assert len(set(fields)) == len(fields)
    vega = vl_convert.vegalite_to_vega(spec)
    names = [signal["name"] for signal in vega["signals"]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", CHARTS)
def test_the_files_are_whole_and_need_no_network(name: str, tmp_path: Path) -> None:
    render(CHARTS[name](networks(), kernels()), tmp_path / "figures" / name)
    files = {p.suffix: p.read_bytes() for p in (tmp_path / "figures").iterdir()}
    assert set(files) == {".html", ".png", ".svg"}
    assert files[".png"].startswith(b"\x89PNG")
    assert files[".svg"].rstrip().endswith(b"</svg>")
    assert b'src="http' not in files[".html"]
    assert b"vega" in files[".html"]
