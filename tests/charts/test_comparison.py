"""Accuracy against training-set size."""

import math

import pytest
from charts.made_up_tables import SIZES, TWO, kernels, networks, tables
from charts.specifications import drawn, found, panel_titles, rows, scaled, specification

from ntk_mnist.charts.comparison import draw

pytestmark = pytest.mark.slow


def test_legends_are_ordered_and_the_limit_is_dashed_black() -> None:
    spec = specification(draw(tables()))
    scales = [(c["field"], c["scale"]) for c in found(spec, "color") if "scale" in c]
    domains = {field: scale["domain"] for field, scale in scales}
    assert domains["time_label"] == ["1e1", "2.5e3", "1e7", "∞"]
    assert domains["width_label"] == ["64", "256", "1024", "∞ (NNGP)", "∞ (NTK)"]
    for field, scale in scales:
        limits = [label.startswith("∞") for label in domains[field]]
        assert [colour == "black" for colour in scale["range"]] == limits
    dashes = [d["scale"] for d in found(spec, "strokeDash") if "scale" in d]
    for scale in dashes:
        dashed = [pattern != [1, 0] for pattern in scale["range"]]
        assert dashed == [label.startswith("∞") for label in scale["domain"]]
    kinds = next(s["range"] for s in dashes if "∞ (NTK)" in s["domain"])
    assert kinds[-1] != kinds[-2]


def test_the_axis_is_log_2_with_the_sizes_as_ticks() -> None:
    axes = scaled(specification(draw(tables(architectures=TWO))), "x")
    assert axes
    for x in axes:
        assert x["scale"]["type"] == "log"
        assert x["scale"]["base"] == 2
        assert x["axis"]["values"] == SIZES


def test_accuracies_are_drawn_as_in_the_tables() -> None:
    points = drawn(specification(draw(tables())))
    accuracy = points[points["width_label"] == "256"].set_index("size")["value"]
    assert accuracy.to_dict() == pytest.approx({128: 0.53, 256: 0.54, 3000: 0.55})
    at_infinity = points[points["time_label"] == "∞"]
    assert len(at_infinity) == 2 * len(SIZES)


def test_networks_are_beside_the_limits_of_their_own_architecture() -> None:
    limits = kernels(TWO)
    limits = limits[limits["time"] == math.inf]
    for _, data in rows(specification(draw(tables(architectures=TWO)))):
        if "width_label" in data:
            shown = data[data["width_label"].str.startswith("∞")]
            own = limits.merge(shown[["activation", "depth", "W_std"]].drop_duplicates())
            assert sorted(shown["value"]) == pytest.approx(sorted(own["test_accuracy"]))
            assert len(own) == 2 * len(SIZES)


def test_seeds_become_a_mean_and_a_band() -> None:
    spec = specification(draw(tables(seeds=3)))
    assert "area" in [mark["type"] for mark in found(spec, "mark") if isinstance(mark, dict)]
    points = drawn(spec)
    cell = points[(points["width_label"] == "64") & (points["size"] == 128)].iloc[0]
    assert (cell["low"], cell["value"], cell["high"]) == pytest.approx((0.5, 0.52, 0.54))
    assert "3 seeds" in spec["title"]["subtitle"][1]
    assert "area" not in str(specification(draw(tables())))


def test_one_kernel_makes_one_panel_of_it() -> None:
    only = kernels().query("kernel == 'nngp'")
    spec = specification(draw({"network": networks(), "kernel": only}))
    assert panel_titles(spec) == ["Infinite width, NNGP", "Finite width"]
    assert "NTK" not in str(spec)


@pytest.mark.parametrize("lacking", ["network", "kernel"])
def test_an_architecture_that_one_table_lacks_still_has_its_row(lacking: str) -> None:
    both = tables(architectures=TWO)
    both[lacking] = both[lacking][both[lacking]["depth"] == 2]
    spec = specification(draw(both))
    assert {heading for heading, _ in rows(spec)} == {
        "erf, depth 2, W_std 1",
        "relu, depth 3, W_std 1.5",
    }
    other = {"network": "time_label", "kernel": "width_label"}[lacking]
    points = drawn(spec)
    assert set(points.loc[points[other].notna(), "depth"]) == {2, 3}


def test_a_limit_hides_neither_a_line_that_equals_it_nor_another_limit() -> None:
    both = tables()
    for table in both.values():
        table["test_accuracy"] = 0.5
    layers = [layer for part in found(specification(draw(both)), "layer") for layer in part]
    limits = [layer for layer in layers if "shape" in layer.get("encoding", {})]
    shapes = {tuple(layer["encoding"]["shape"]["scale"]["range"]) for layer in limits}
    # Of the kernels, and of infinite time.
    assert shapes == {("square", "diamond"), ("square",)}
    # An outline around the point of another line.
    assert all(not layer["mark"]["filled"] and layer["mark"]["size"] > 40 for layer in limits)
    widths = {layer["mark"]["strokeWidth"] for layer in layers if layer["mark"]["type"] == "line"}
    assert len(widths) == 2
    dashes = next(d["scale"]["range"] for d in found(specification(draw(both)), "strokeDash")
                  if "∞ (NTK)" in str(d))[-2:]  # fmt: skip

    def drawn_at(pattern: list[float], place: float) -> bool:
        place %= sum(pattern)
        for i, length in enumerate(pattern):
            if place < length:
                return i % 2 == 0
            place -= length
        raise AssertionError

    shown = [[drawn_at(dash, k / 10) for k in range(800)] for dash in dashes]
    # At least half of what lies below shows through each, and some through both.
    assert all(sum(pattern) <= 400 for pattern in shown)
    assert not any(a and b for a, b in zip(*shown, strict=True))
    assert not all(a or b for a, b in zip(*shown, strict=True))


def test_labels_are_plain_text_in_the_singular_where_there_is_one() -> None:
    both = tables()
    both["kernel"]["time"] = both["kernel"]["time"].replace({10.0: 1.0, 2500.0: 1e-5})
    both["network"]["epochs"] = 1
    for table in both.values():
        table["test_size"], table["depth"], table["b_std"] = 1, 1, 1e-5
    spec = specification(draw(both))
    assert "float64" not in str(spec)
    assert spec["title"]["subtitle"] == [
        "MNIST, relu, 1 hidden layer, W_std 1, b_std 1e-5, 1 test image",
        "Networks: glorot, cross-entropy, momentum, 1 epoch; 1 seed",
        "Not like for like: the networks' loss is the cross-entropy, the kernels' the squared "
        "error; the networks' Glorot initialization has another limit",
    ]
