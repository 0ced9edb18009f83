"""Both likelihoods of each architecture, the likeliest first."""

import math
from typing import Any

import pandas as pd
import pytest
from charts.made_up_tables import EIGHT, KINDS, SIZES, evidence
from charts.specifications import drawn, found, panel_titles, specification
from charts.specifications import rows as headed

from ntk_mnist.charts.evidence import draw

pytestmark = pytest.mark.slow


def spec_of(table: pd.DataFrame) -> dict[str, Any]:
    spec = specification(draw({"evidence": table}))
    return spec


def points(table: pd.DataFrame) -> pd.DataFrame:
    """The points of both likelihoods; rings are of some of these."""
    everything = drawn(spec_of(table))
    return everything.drop_duplicates([c for c in everything if c != "size"])


def test_both_likelihoods_of_each_architecture_are_drawn_behind_the_likeliest() -> None:
    table = evidence(EIGHT)
    shown = points(table[(table["size"] == 128) & (table["kernel"] == "nngp")])
    assert len(shown) == 2 * len(EIGHT)
    best = shown[shown["likelihood"] == "at the best amplitude"]
    as_it_is = shown[shown["likelihood"] == "kernel as it is"]
    # Ten outputs.
    nats = [10 * place / 1280 for place in range(8)]
    assert list(best["behind"]) == pytest.approx(nats)
    assert list(as_it_is["behind"]) == pytest.approx([100 / 1280 + behind for behind in nats])
    assert list(as_it_is["at_best"]) == pytest.approx(nats)


def test_architectures_are_sorted_in_each_panel_and_the_likeliest_is_ringed_and_bold() -> None:
    spec = spec_of(evidence(EIGHT))
    sorts = [y["sort"] for y in found(spec, "y") if "sort" in y]
    assert {tuple(names) for names in sorts} == {tuple(sorts[0]), tuple(reversed(sorts[0]))}
    assert sorts[0][0] == "erf, depth 2, W_std 1"
    datasets = [pd.DataFrame(rows) for rows in spec["datasets"].values()]
    ringed = pd.concat(rows for rows in datasets if rows["likeliest"].all())
    assert set(ringed["name"]) == {sorts[0][0], sorts[0][-1]}
    weights = {weight["condition"]["test"] for weight in found(spec, "labelFontWeight")}
    for name in (sorts[0][0], sorts[0][-1]):
        assert any(f'["{name}"]' in test for test in weights)


def test_each_size_has_a_row_and_each_kernel_a_panel() -> None:
    spec = spec_of(evidence(EIGHT))
    assert panel_titles(spec) == [kind.upper() for kind in KINDS] * len(SIZES)
    _, first, *_ = found(spec, "subtitle")
    assert " ".join(first) == f"likeliest: {5000 / 1280:.3f} nats an image and output"
    headings = [heading for heading, _ in headed(spec)]
    assert headings == [f"{size:,} training images" for size in SIZES]


@pytest.mark.parametrize("worst", [-1e4, -1e9, -1e150])
def test_the_axis_holds_the_least_likely_and_few_ticks(worst: float) -> None:
    table = evidence(EIGHT)
    table.loc[0, "log_marginal_likelihood"] = worst
    for x in found(spec_of(table), "x"):
        assert x["scale"]["domain"][1] >= (5000 - worst) / 1280 * (1 - 1e-12)
        assert 3 <= len(x["axis"]["values"]) <= 7


def test_a_kernel_that_gives_the_labels_no_likelihood_is_drawn_at_its_best_amplitude() -> None:
    table = evidence(EIGHT)
    table.loc[0, "log_marginal_likelihood"] = -math.inf
    shown = drawn(spec_of(table))
    assert shown["behind"].max() < 1


def test_one_architecture_is_drawn_too() -> None:
    assert set(points(evidence())["name"]) == {"relu"}


def test_the_best_on_validation_images_has_a_square_if_there_are_any() -> None:
    table = evidence(EIGHT)
    assert "square" not in str(spec_of(table))
    best = table["depth"].eq(3) & table["activation"].eq("erf") & table["W_std"].eq(1)
    validated = table.assign(
        validation_size=500,
        validation_accuracy=0.5 + 0.2 * best,
        validation_mse=0.01,
    )
    spec = spec_of(validated)
    assert spec["title"]["subtitle"][1].endswith(
        "square: the best accuracy on 500 validation images"
    )
    datasets = [pd.DataFrame(rows) for rows in spec["datasets"].values()]
    marked = pd.concat(rows for rows in datasets if rows["validated"].all())
    assert set(marked["name"]) == {"erf, depth 3, W_std 1"}
    squares = [mark for mark in found(spec, "mark") if mark.get("shape") == "square"]
    assert len(squares) == len(KINDS) * len(SIZES)
