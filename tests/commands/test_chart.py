"""A chart from its tables' files, and the files that it becomes."""

import hashlib
import json
import re
from argparse import ArgumentParser
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
import pytest
from charts.made_up_tables import like_for_like_tables, tables

from ntk_mnist import UserError
from ntk_mnist.charts import CHARTS, LIKE_FOR_LIKE, tables_of
from ntk_mnist.charts.layouts import LAYOUTS
from ntk_mnist.commands import chart
from ntk_mnist.store.records import Record, chart_record
from ntk_mnist.store.schemas import TABLE_SCHEMAS
from ntk_mnist.store.shards import TableError, about, write_table
from ntk_mnist.store.stated_digest import stated_digest

Run: TypeAlias = Callable[[str, list[Path], Path], None]
MADE: Record = {"settings": {}, "columns": {}, "code": {}, "libraries": {}}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """The tables' files, by the names of the tables."""
    return files_of(tables(), tmp_path)


def files_of(frames: dict[str, pd.DataFrame], tmp_path: Path) -> dict[str, Path]:
    written = {}
    for name, frame in frames.items():
        table = pa.Table.from_pandas(frame, TABLE_SCHEMAS[name], preserve_index=False)
        written[name] = tmp_path / f"{name}.parquet"
        write_table(written[name], table, MADE)
    return written


@pytest.fixture
def run(shared_data: Path) -> Run:
    """Draws a chart, from its name, the files of its tables and a path without an ending."""
    parser = ArgumentParser()
    chart.add_arguments(parser)

    def run(name: str, paths: list[Path], stem: Path) -> None:
        words = ["--name", name, "--tables", *map(str, paths), "--data", str(shared_data)]
        chart.run(parser.parse_args([*words, "--output", str(stem)]))

    return run


def usermeta(html: str) -> dict[str, Any]:
    """What the page's specification says about itself."""
    start = re.search(r'"usermeta":\s*(?=\{"ntk_mnist")', html)
    assert start
    found: dict[str, Any] = json.JSONDecoder().raw_decode(html, start.end())[0]
    return found


FILES = {".html", ".png", ".svg", ".pdf", ".column.pdf"}
#: Points of 1/72 inch.
PAGES = {".pdf": 178 / 25.4 * 72, ".column.pdf": 89 / 25.4 * 72}


@pytest.mark.slow
@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_becomes_complete_files_that_need_no_network(
    run: Run, name: str, tmp_path: Path
) -> None:
    files = files_of(like_for_like_tables() if name in LIKE_FOR_LIKE else tables(), tmp_path)
    run(name, [files[table] for table in tables_of(name)], tmp_path / "figures" / name)
    contents = {
        file.name.removeprefix(name): file.read_bytes() for file in (tmp_path / "figures").iterdir()
    }
    assert set(contents) == FILES
    assert contents[".png"].startswith(b"\x89PNG")
    assert contents[".svg"].rstrip().endswith(b"</svg>")
    assert b'src="http' not in contents[".html"]
    assert b"vega" in contents[".html"]
    for ending, width in PAGES.items():
        check_page(contents[ending], width)


def check_page(pdf: bytes, points: float) -> None:
    """A page of this width whose fonts are embedded and of one family; its text is not too small.

    vl-convert writes objects as they are, and compresses streams alone.
    """
    assert pdf.startswith(b"%PDF")
    (box,) = re.findall(rb"/MediaBox *\[([^\]]*)\]", pdf)
    assert float(box.split()[2]) == pytest.approx(points, abs=0.01)
    fonts = set(re.findall(rb"/FontName */(\S+)", pdf))
    assert fonts
    # A subset of each, with its program; nothing falls back to a font of this machine.
    assert all(re.fullmatch(rb"[A-Z]{6}\+LiberationSans(-Bold)?", font) for font in fonts)
    assert len(re.findall(rb"/FontFile2", pdf)) == len(fonts)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHARTS)
def test_type_has_the_size_of_print_on_both_pages(name: str) -> None:
    made = like_for_like_tables() if name in LIKE_FOR_LIKE else tables()
    module = import_module(f"ntk_mnist.charts.{name}")
    for layout in LAYOUTS.values():
        drawn = module.draw({table: made[table] for table in tables_of(name)}, layout)
        svg = chart.as_svg(drawn.to_dict())
        width = re.search(r' width="([\d.]+)"', svg)
        assert width
        scale = layout.points / float(width[1])
        sizes = {float(size) for size in re.findall(r'font-size="([\d.]+)px"', svg)}
        assert min(sizes) * scale >= 6
        assert max(sizes) * scale < 14


@pytest.mark.slow
def test_the_page_holds_the_record_of_what_made_it(
    run: Run, files: dict[str, Path], tmp_path: Path
) -> None:
    run("calibration", [files["calibration"]], tmp_path / "calibration")
    html = (tmp_path / "calibration.html").read_text()
    digests = {"calibration": about(files["calibration"]).sha256}
    wanted = chart_record("calibration", digests, "mnist")
    stated = usermeta(html)["ntk_mnist"]
    assert {name: stated[name] for name in wanted} == wanted
    assert set(stated) == {*wanted, "files", "sha256"}


@pytest.mark.slow
def test_the_page_states_its_own_digest_and_those_of_the_other_files(
    run: Run, files: dict[str, Path], tmp_path: Path
) -> None:
    run("calibration", [files["calibration"]], tmp_path / "calibration")
    html = (tmp_path / "calibration.html").read_bytes()
    stated = usermeta(html.decode())["ntk_mnist"]
    assert stated["sha256"] == f"sha256:{stated_digest(html)}"
    for ending, digest in stated["files"].items():
        content = (tmp_path / f"calibration.{ending}").read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
    assert set(stated["files"]) == {ending[1:] for ending in FILES - {".html"}}


@pytest.mark.parametrize("given", [["network"], ["network", "kernel", "calibration"]])
def test_a_chart_takes_exactly_the_tables_that_it_draws(
    run: Run, given: list[str], files: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=rf"network, kernel; got {', '.join(given)}$"):
        run("comparison", [files[table] for table in given], tmp_path / "comparison")
    assert not list(tmp_path.glob("comparison*"))


@pytest.mark.slow
def test_a_damaged_table_is_an_error_and_the_old_chart_stays(
    run: Run, files: dict[str, Path], tmp_path: Path
) -> None:
    run("calibration", [files["calibration"]], tmp_path / "calibration")
    before = (tmp_path / "calibration.html").read_bytes()
    files["calibration"].write_bytes(files["calibration"].read_bytes()[:-8])
    with pytest.raises(TableError, match=r"calibration\.parquet"):
        run("calibration", [files["calibration"]], tmp_path / "calibration")
    assert (tmp_path / "calibration.html").read_bytes() == before


@pytest.mark.slow
def test_a_chart_that_cannot_be_drawn_leaves_no_file(tmp_path: Path) -> None:
    class Undrawable:
        def to_dict(self, validate: bool) -> dict[str, Any]:
            raise RuntimeError("out of ink")

    whole: Any = import_module("ntk_mnist.charts.calibration").draw(tables())
    figures: Any = {"": whole, "column": Undrawable()}
    with pytest.raises(RuntimeError, match="out of ink"):
        chart.render(figures, MADE, "", tmp_path / "figures" / "comparison")
    assert list((tmp_path / "figures").iterdir()) == []


@pytest.mark.slow
def test_every_figure_has_a_text_alternative(
    run: Run, files: dict[str, Path], tmp_path: Path
) -> None:
    run("comparison", [files["network"], files["kernel"]], tmp_path / "comparison")
    svg = (tmp_path / "comparison.svg").read_text()
    words = re.search(r'"description": ?"([^"]*)"', (tmp_path / "comparison.html").read_text())
    assert words
    assert words[1].startswith(
        "Test accuracy of finite and infinitely wide networks. Test accuracy"
    )
    assert "width 1,024 0.580" in words[1]
    assert svg
