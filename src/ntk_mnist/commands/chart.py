"""``chart``: one chart of the tables, as HTML that opens offline, PNG, SVG and PDF.

All are drawn by vl-convert, which brings the font, so that they look the same on every machine. The
HTML, PNG and SVG files are laid out for two columns of a journal, of the PDF files one for two
columns and one for one.
"""

import argparse
import hashlib
import importlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from ntk_mnist import UserError
from ntk_mnist.charts import CHARTS, tables_of
from ntk_mnist.charts.layouts import LAYOUTS, Layout
from ntk_mnist.charts.style import Figure
from ntk_mnist.commands.data_folder import add_data_folder
from ntk_mnist.commands.vega_script import vega_script
from ntk_mnist.page.documents import chart_page
from ntk_mnist.store.records import Record, chart_record
from ntk_mnist.store.schemas import TABLE_SCHEMAS
from ntk_mnist.store.shards import read
from ntk_mnist.store.stated_digest import PLACE, state_digest

_PIXELS_PER_INCH = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--name", required=True, choices=CHARTS)
    parser.add_argument(
        "--tables", required=True, nargs="+", type=Path, help="files named <table>.parquet"
    )
    add_data_folder(parser)
    parser.add_argument("--output", required=True, type=Path, help="path without the ending")


def run(options: argparse.Namespace) -> None:
    """Read the tables, draw the chart and write its files."""
    files = {file.stem: file for file in options.tables}
    wanted = tables_of(options.name)
    if sorted(files) != sorted(wanted):
        raise UserError(
            f"the chart {options.name} draws the tables {', '.join(wanted)}; got {', '.join(files)}"
        )
    frames, digests = {}, {}
    for name in wanted:
        table, about = read(files[name], TABLE_SCHEMAS[name])
        frames[name], digests[name] = table.to_pandas(), about.sha256
    chart = importlib.import_module(f"ntk_mnist.charts.{options.name}")
    figures = {name: chart.draw(frames, layout) for name, layout in LAYOUTS.items()}
    dataset = str(next(iter(frames.values()))["dataset"].iloc[0])
    made = chart_record(options.name, digests, dataset)
    render(figures, made, vega_script(options), options.output)


def render(figures: Mapping[str, Figure], made: Record, vega: str, stem: Path) -> None:
    """Write ``stem`` with the endings .html, .png and .svg, and as .pdf for each layout.

    The page states what made the figure, its own digest and those of the other files. The files
    are written under temporary names and renamed when all are complete.

    Args:
        figures: by the names of their layouts; that of the first is empty.
        made: what made them.
        vega: the script that draws the figures in the page.
        stem: the path without an ending.
    """
    folder = stem.parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as incoming:
        files, specifications = {}, []
        for name, layout in LAYOUTS.items():
            # Tests validate every chart, which here would take longer than to draw it.
            specifications.append(figures[name].to_dict(validate=False))
            svg = as_svg(specifications[-1])
            if not name:
                files["svg"] = svg.encode()
                files["png"] = vl_convert.svg_to_png(svg, ppi=_PIXELS_PER_INCH)
            files[".".join(filter(None, [name, "pdf"]))] = as_pdf(svg, layout)
        digests = {ending: hashlib.sha256(file).hexdigest() for ending, file in files.items()}
        stated = {**made, "files": digests, "sha256": PLACE}
        html = chart_page(specifications, stated, vega)
        files["html"] = state_digest(html.encode())
        for ending, file in files.items():
            (Path(incoming) / f"{stem.name}.{ending}").write_bytes(file)
        for ending in files:
            os.replace(Path(incoming) / f"{stem.name}.{ending}", folder / f"{stem.name}.{ending}")


def as_svg(specification: dict[str, Any]) -> str:
    """A figure as vl-convert draws it, with the version of Vega-Lite that Altair writes for."""
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    drawn: str = vl_convert.vegalite_to_svg(specification, vl_version=version)
    return drawn


def as_pdf(svg: str, layout: Layout) -> bytes:
    """A drawing as a page of the layout's width, with its fonts.

    Args:
        svg: the drawing, whose size is in pixels.
        layout: of the page.
    """
    size = re.search(r' width="([\d.]+)" height="([\d.]+)"', svg)
    if size is None:
        raise ValueError("the drawing states no size")
    width, height = map(float, size.groups())
    # The drawing scales to the size of the page, which is in points.
    page = f' width="{layout.points:.2f}" height="{layout.points * height / width:.2f}"'
    return vl_convert.svg_to_pdf(svg[: size.start()] + page + svg[size.end() :])
