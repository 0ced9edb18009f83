"""``chart``: one chart of the tables, as HTML that opens offline, PNG and SVG."""

import argparse
import hashlib
import importlib
import os
import tempfile
from pathlib import Path

from ntk_mnist import UserError
from ntk_mnist.charts import CHARTS, tables_of
from ntk_mnist.charts.style import Figure
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
    figure: Figure = chart.draw(frames)
    dataset = str(next(iter(frames.values()))["dataset"].iloc[0])
    made = chart_record(options.name, digests, dataset)
    render(figure, made, options.output)


def render(figure: Figure, made: Record, stem: Path) -> None:
    """Write ``stem`` with the endings .html, .png and .svg.

    The page states what made the figure, its own digest and those of the other files. The files
    are written under temporary names and renamed when all three are complete.
    """
    folder = stem.parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as incoming:
        files = [Path(incoming) / f"{stem.name}.{ending}" for ending in ("html", "png", "svg")]
        html, png, svg = files
        figure.save(png, ppi=_PIXELS_PER_INCH)
        figure.save(svg)
        digests = {
            file.suffix[1:]: hashlib.sha256(file.read_bytes()).hexdigest() for file in (png, svg)
        }
        stated = {"ntk_mnist": {**made, "files": digests, "sha256": PLACE}}
        text = chart_page(figure.properties(usermeta=stated).to_dict())
        html.write_bytes(state_digest(text.encode()))
        for file in files:
            os.replace(file, folder / file.name)
