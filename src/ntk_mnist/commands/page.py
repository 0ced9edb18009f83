"""``page``: everything about an experiment as one HTML file that opens offline."""

import argparse
import importlib.metadata
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from ntk_mnist.charts.captions import caption_of
from ntk_mnist.charts.headline import COLUMNS, headline
from ntk_mnist.charts.observations import architectures_in, subject
from ntk_mnist.commands.data_folder import add_data_folder
from ntk_mnist.commands.vega_script import vega_script
from ntk_mnist.measures import COMPARISONS, OUTPUTS, ReproductionMeasures
from ntk_mnist.page.contents import cell_times, downloads, preview, settings_of, times_in_words
from ntk_mnist.page.documents import (
    FigureOnPage,
    File,
    Page,
    TableOnPage,
    chart_in,
    experiment_page,
)
from ntk_mnist.page.explorer import explorer
from ntk_mnist.plan.experiment import Experiment
from ntk_mnist.store.records import page_record
from ntk_mnist.store.schemas import TABLE_SCHEMAS
from ntk_mnist.store.shards import About, read
from ntk_mnist.store.stated_digest import PLACE, state_digest, stated_digest
from ntk_mnist.store.whole_files import write_whole

_QUESTION = (
    "How close are finite neural networks to their infinite-width limit, on {}, as width, "
    "training-set size and training time grow?"
)
_QUESTION_OF_KERNELS = "What do infinitely wide networks (NNGP and NTK) predict on {}?"
_PACKAGES = ("altair", "jax", "jaxlib", "neural-tangents", "numpy", "pandas", "pyarrow", "scipy")
_FORMS = {
    "html": "This chart alone, interactive",
    "png": "PNG",
    "svg": "SVG",
    "pdf": "PDF for two columns",
    "column.pdf": "PDF for one column",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--experiment", required=True, type=Experiment.from_json, help="the experiment, as JSON"
    )
    parser.add_argument(
        "--tables", required=True, nargs="+", type=Path, help="files named <table>.parquet"
    )
    parser.add_argument(
        "--figures", nargs="*", default=[], type=Path, help="files named figures/<chart>.html"
    )
    add_data_folder(parser)
    parser.add_argument("--command", required=True, help="the command that made the page")
    parser.add_argument("--output", required=True, type=Path, help="the page")


def run(options: argparse.Namespace) -> None:
    """Read the tables, draw the charts and write the page."""
    tables, abouts = {}, {}
    for file in options.tables:
        tables[file.stem], abouts[file.stem] = read(file, TABLE_SCHEMAS[file.stem])
    page = page_of(options, tables, abouts)
    digests = {name: about.sha256 for name, about in abouts.items()}
    figures = {file.stem: stated_digest(file.read_bytes()) for file in options.figures}
    made = page_record(options.experiment.decisive_json(), digests, figures)
    vega = vega_script(options)
    text = experiment_page(page, {**made, "files": {}, "sha256": PLACE}, vega)
    content = state_digest(text.encode())
    write_whole(options.output, lambda stream: stream.write(content))


def page_of(
    options: argparse.Namespace, tables: Mapping[str, pa.Table], abouts: Mapping[str, About]
) -> Page:
    """What stands on the page."""
    experiment: Experiment = options.experiment
    frames = {name: table.to_pandas() for name, table in tables.items()}
    kernels = frames["kernel"]
    title = experiment.description.title
    networks = bool(experiment.networks)
    times = cell_times(frames)
    return Page(
        title=f"{experiment.name}: finite and infinitely wide networks on {title}",
        subject=subject(kernels, architectures_in(kernels)),
        question=(_QUESTION if networks else _QUESTION_OF_KERNELS).format(title),
        answer=headline(
            {
                name: table.select(COLUMNS[name]).to_pylist()
                for name, table in tables.items()
                if name in COLUMNS
            }
        ),
        explorer=explorer(frames),
        figures=[_figure(file, experiment) for file in options.figures],
        tables=[_table(file.stem, tables[file.stem], file) for file in options.tables],
        settings=list(settings_of(experiment)),
        times=times,
        times_in_words=times_in_words(times),
        command=options.command,
        provenance=list(_provenance(experiment, abouts)),
    )


def _figure(file: Path, experiment: Experiment) -> FigureOnPage:
    name = file.stem
    files = [File(f"figures/{name}.{ending}", text) for ending, text in _FORMS.items()]
    return FigureOnPage(name, caption_of(name, experiment), chart_in(file.read_text()), files)


#: What each table holds, in a sentence.
_MEASURES = {
    **{name: rows for made in (*OUTPUTS.values(), COMPARISONS) for name, rows in made.items()},
    "reproduction": ReproductionMeasures,
}


def _table(name: str, table: pa.Table, file: Path) -> TableOnPage:
    described = pa.table(table.columns, schema=TABLE_SCHEMAS[name])
    meaning = (_MEASURES[name].__doc__ or "").split("\n")[0]
    size = f"{table.num_rows:,} rows, {table.num_columns} columns."
    found = downloads(name, described, file.read_bytes())
    return TableOnPage(f"{name}.parquet", meaning, size, preview(described), found)


def _provenance(experiment: Experiment, abouts: Mapping[str, About]) -> Iterator[tuple[str, str]]:
    """Versions and digests by what they are of."""
    yield "Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield (
        "Packages of this page",
        ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES),
    )
    for words, cells in (("networks", experiment.networks), ("kernels", experiment.kernels)):
        if cells:
            record: Mapping[str, Any] = cells[0].record(cells[0].outputs[0])
            versions = ", ".join(f"{name} {v}" for name, v in record["libraries"].items())
            yield f"Code of {words}", f"digest {record['code']['digest']}, with {versions}"
    for name, about in abouts.items():
        yield f"SHA-256 of {name}.parquet", about.sha256
        for date, differed in about.made.get("accepted", {}).items():
            yield f"Accepted in {name}", f"{date}: {differed}"
