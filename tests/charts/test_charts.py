"""What holds of every chart, and how charts are declared."""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import pandas as pd
import pytest
import vl_convert
from charts.made_up_tables import DEFAULT, FOUR, like_for_like_tables, tables
from charts.specifications import drawn, found, line_ends, panel_titles, rows

from ntk_mnist.charts import CHARTS, LIKE_FOR_LIKE, tables_of
from ntk_mnist.charts.captions import section_of
from ntk_mnist.charts.findings import NOT_CENTRED
from ntk_mnist.charts.observations import ARCHITECTURE, ChartError, of_architecture
from ntk_mnist.registries import text_in
from ntk_mnist.settings import Architecture
from ntk_mnist.store.schemas import TABLE_SCHEMAS


def of(names: Iterable[str]) -> pytest.MarkDecorator:
    """A case for each chart; those of one chart run in one worker, which draws it once."""
    cases = [pytest.param(n, marks=pytest.mark.xdist_group(f"chart {n}")) for n in names]
    return pytest.mark.parametrize("name", cases)


every_chart = of(CHARTS)
SECTIONS = ("Answer", "Training", "Kernels and calibration", "Evidence", "Reproduction")
#: These compare architectures in one panel, and published numbers are of any.
COMPARING = ("evidence", "signal_propagation", "reproduction")
every_chart_with_a_row_of_panels_an_architecture = of(
    name for name in CHARTS if name not in COMPARING
)
HEAT_MAPS = ("accuracy_map", "distance_map")
WITH_LEGEND = ("accuracy", "calibration", "evidence", "signal_propagation", "reproduction")
one_or_four = pytest.mark.parametrize("architectures", [1, 4])


def made_up(
    name: str, seeds: int, architectures: Sequence[Architecture]
) -> dict[str, pd.DataFrame]:
    """The tables that a chart may draw."""
    made = like_for_like_tables if name in LIKE_FOR_LIKE else tables
    return made(seeds, architectures)


def draw(name: str, everything: dict[str, pd.DataFrame], validate: bool = False) -> dict[str, Any]:
    """The specification of a chart, which takes twice as long if Altair validates it."""
    only = {table: everything[table] for table in tables_of(name)}
    figure = import_module(f"ntk_mnist.charts.{name}").draw(only)
    spec: dict[str, Any] = figure.to_dict(validate=validate)
    return spec


@cache
def chart(name: str, architectures: int) -> dict[str, Any]:
    """The specification of a chart of one or four architectures, with three seeds.

    It is validated, which the commands do not do.
    """
    return draw(name, made_up(name, 3, {1: DEFAULT, 4: FOUR}[architectures]), validate=True)


@every_chart
def test_a_chart_declares_its_tables_section_and_caption_where_the_plan_reads_them(
    name: str,
) -> None:
    module = import_module(f"ntk_mnist.charts.{name}")
    assert tables_of(name) == module.TABLES
    assert text_in(f"charts.{name}.CAPTION") == module.CAPTION
    assert module.CAPTION.endswith(".")
    assert section_of(name) == module.SECTION
    assert module.SECTION in SECTIONS


@every_chart
def test_a_chart_of_every_run_draws_tables_that_every_run_has(name: str) -> None:
    assert set(tables_of(name)) <= set(TABLE_SCHEMAS)


@pytest.mark.slow
@of(LIKE_FOR_LIKE)
def test_a_like_for_like_chart_says_that_networks_keep_their_random_start(name: str) -> None:
    tables = like_for_like_tables(2)
    assert NOT_CENTRED not in draw(name, tables)["title"]["subtitle"]
    uncentred = {key: table.assign(centred=False) for key, table in tables.items()}
    if name == "dynamics":
        uncentred["kernel"] = tables["kernel"]
    assert NOT_CENTRED in draw(name, uncentred)["title"]["subtitle"]


def test_reading_the_declarations_imports_no_plotting_library() -> None:
    program = (
        "import sys; from ntk_mnist.charts import CHARTS, tables_of\n"
        "from ntk_mnist.charts.captions import caption_of, section_of\n"
        "from ntk_mnist.plan.experiment import experiment_of\n"
        "experiment = experiment_of({})\n"
        "for c in CHARTS: caption_of(c, experiment), section_of(c), tables_of(c)\n"
        "print({'altair', 'jax', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "set()\n"


def test_a_module_that_is_no_chart_declares_neither_tables_nor_section() -> None:
    with pytest.raises(LookupError, match=r"no TABLES in .*pie"):
        tables_of("pie")
    with pytest.raises(LookupError, match=r"no SECTION in .*style"):
        section_of("style")


@pytest.mark.slow
@every_chart
@one_or_four
def test_no_selection_takes_a_name_that_vega_needs(name: str, architectures: int) -> None:
    # A selection called `width` once took the place of the chart's own width in browsers.
    spec = chart(name, architectures)
    chosen = {param["name"] for param in spec.get("params", [])}
    assert chosen or name in HEAT_MAPS
    assert all(param.startswith("chosen_") for param in chosen)
    for param in spec.get("params", []):
        # On the legend; or on a line or its label, in any panel of the series.
        assert (param.get("bind") == "legend") == (name in WITH_LEGEND)
        assert param["views"]
    fields = [field for param in spec.get("params", []) for field in param["select"]["fields"]]
    assert len(set(fields)) == len(fields)
    signals = [signal["name"] for signal in vl_convert.vegalite_to_vega(spec)["signals"]]
    assert len(set(signals)) == len(signals)


@pytest.mark.slow
@of(WITH_LEGEND)
@one_or_four
def test_all_panels_of_a_series_share_one_clickable_legend(name: str, architectures: int) -> None:
    spec = chart(name, architectures)
    vega = vl_convert.vegalite_to_vega(spec)
    legends = [legend for group in found(vega, "legends") for legend in group]
    assert len(legends) == len(spec["params"])
    assert all(legend["encode"]["labels"]["interactive"] for legend in legends)
    signals = [signal["name"] for signal in vega["signals"]]
    for param in spec["params"]:
        (field,) = param["select"]["fields"]
        assert f"{param['name']}_{field}_legend" in signals


@pytest.mark.slow
@every_chart
def test_a_chart_without_a_legend_names_its_lines_at_their_ends(name: str) -> None:
    colours = [c for c in found(chart(name, 1), "color") if isinstance(c, dict)]
    legends = [colour for colour in colours if colour.get("legend")]
    assert bool(legends) == (name in WITH_LEGEND)
    if name not in (*WITH_LEGEND, *HEAT_MAPS):
        scales = [colour["scale"] for colour in colours if "scale" in colour]
        named = {
            label.removeprefix("∞ (").removesuffix(")")
            for scale in scales
            for label in scale["domain"]
        }
        assert set(line_ends(chart(name, 1))["label"]) - {"−1/2", "−1"} == named


@of(WITH_LEGEND)
def test_legends_name_every_series_in_full_colour(name: str) -> None:
    colours = found(chart(name, 1), "color")
    legends = [colour["legend"] for colour in colours if "legend" in colour]
    assert legends
    assert all(legend["symbolOpacity"] == 1 and legend["symbolLimit"] == 0 for legend in legends)


@pytest.mark.slow
@every_chart_with_a_row_of_panels_an_architecture
def test_each_architecture_has_its_own_row_headed_by_what_varies(name: str) -> None:
    headed = rows(chart(name, 4))
    assert {heading for heading, _ in headed} == {
        f"{one.activation}, depth {one.depth}, W_std {one.W_std:g}" for one in FOUR
    }
    for heading, data in headed:
        (row,) = data[list(ARCHITECTURE)].dropna().drop_duplicates().to_dict("records")
        assert f"{row['activation']}, depth {row['depth']:g}, W_std {row['W_std']:g}" == heading


@pytest.mark.slow
@every_chart_with_a_row_of_panels_an_architecture
def test_the_rows_of_an_architecture_are_drawn_as_if_it_were_alone(name: str) -> None:
    everything = made_up(name, 3, FOUR)
    together = drawn(chart(name, 4)).dropna(subset="activation")
    for architecture in FOUR[:3]:
        own = {t: of_architecture(everything[t], architecture) for t in tables_of(name)}
        alone = drawn(draw(name, own)).dropna(subset="activation")
        # Colours say where a value is between those of all architectures.
        columns = [str(name) for name in alone if name not in ("colour", "ink")]
        pd.testing.assert_frame_equal(
            of_architecture(together, architecture)[columns].sort_values(
                columns, ignore_index=True
            ),
            alone[columns].sort_values(columns, ignore_index=True),
        )


@pytest.mark.slow
@every_chart_with_a_row_of_panels_an_architecture
def test_the_subtitle_names_only_what_all_architectures_share(name: str) -> None:
    one = chart(name, 1)["title"]["subtitle"]
    assert one[0] == "MNIST, relu, 2 hidden layers, W_std 1, b_std 0, 1,000 test images"
    four = chart(name, 4)["title"]["subtitle"]
    assert four[0] == "MNIST, b_std 0, 1,000 test images"
    assert one[1:] == four[1:]


@pytest.mark.slow
@every_chart_with_a_row_of_panels_an_architecture
def test_one_architecture_has_no_heading_and_the_panels_of_one_row_of_many(name: str) -> None:
    one, four = chart(name, 1), chart(name, 4)
    assert rows(one) == []
    assert len(panel_titles(four)) == 4 * len(panel_titles(one))
    assert set(panel_titles(four)) == set(panel_titles(one))


@pytest.mark.parametrize(
    ("name", "table"),
    [(name, table) for name in CHARTS if name != "reproduction" for table in tables_of(name)],
)
def test_a_repeated_row_is_an_error_and_never_averaged(name: str, table: str) -> None:
    everything = made_up(name, 2, FOUR)
    frame = everything[table]
    everything[table] = pd.concat([frame, of_architecture(frame, FOUR[-1]).iloc[[-1]]])
    with pytest.raises(
        ChartError, match=f"{table} table has two rows for activation relu, depth 3"
    ):
        draw(name, everything)
