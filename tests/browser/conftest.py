"""Opens pages in the system's Chromium, without a window. Package registries offer no browser."""

import importlib
import shutil
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from charts.made_up_tables import STEP_TIMES, TIMES, TWO, like_for_like_tables, tables
from playwright.sync_api import Browser, Page, sync_playwright

from ntk_mnist.charts import CHARTS, LIKE_FOR_LIKE, OF_EPOCHS, tables_of
from ntk_mnist.charts.layouts import LAYOUTS
from ntk_mnist.commands.chart import render
from ntk_mnist.commands.page import run
from ntk_mnist.commands.vega_script import vega_script
from ntk_mnist.plan.experiment import Experiment, experiment_of
from ntk_mnist.store.records import chart_record, make_record
from ntk_mnist.store.schemas import TABLE_SCHEMAS
from ntk_mnist.store.shards import write_table

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        # As root, as in CI, it has no sandbox.
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@dataclass
class Opened:
    """A page in the browser, and what it said and asked for."""

    page: Page
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def open_page(
    browser: Browser, file: Path, width: int = 1280, scheme: Any = "light", media: Any = "screen"
) -> Opened:
    """Open a file and wait until all of its charts are drawn."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.emulate_media(media=media, color_scheme=scheme, reduced_motion="reduce")
    opened = Opened(page)
    page.on("console", lambda message: opened.messages.append(message.text))
    page.on("pageerror", lambda error: opened.messages.append(str(error)))
    page.on("request", lambda request: opened.requests.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_function("document.documentElement.dataset.drawn === 'true'")
    return opened


#: Two kinds of experiments: networks by epochs, and networks on the NTK's terms.
KINDS = ("epochs", "like_for_like")


def frames_of(kind: str) -> dict[str, pd.DataFrame]:
    """All tables of an experiment of two architectures and three seeds."""
    if kind == "epochs":
        frames = tables(3, TWO)
        networks = frames["network"]
        # Of each width and size its own.
        factors = (100 / networks["width"] + 10 / networks["size"]).tolist()
        losses = [
            [factor * loss for loss in of_epochs]
            for factor, of_epochs in zip(factors, networks["epoch_train_loss"], strict=True)
        ]
        return frames | {"network": networks.assign(epoch_train_loss=pd.Series(losses))}
    frames = like_for_like_tables(3, TWO)
    # In an experiment, the kernels are solved at the networks' own times.
    times = dict(zip(TIMES, STEP_TIMES, strict=False))
    return frames | {"kernel": frames["kernel"].replace({"time": times})}


def experiment(kind: str) -> Experiment:
    training: dict[str, Any] = {}
    if kind == "like_for_like":
        training = {"parameterization": "ntk", "loss": "squared_error"}
        training |= {"optimizer": "gradient_descent", "step_size": 2.0, "centred": True}
    return experiment_of(
        {
            "experiment": kind,
            "grid": {"width": [64, 256, 1024], "size": [128, 3000], "seed": [0, 1, 2]},
            "training": training,
            "solve": {"times": [2.0, 20.0, 200.0] if training else [10.0, 2500.0, 1e7]},
        }
    )


def figures_of(frames: Mapping[str, pd.DataFrame], kind: str) -> list[str]:
    other = OF_EPOCHS if kind == "like_for_like" else LIKE_FOR_LIKE
    return [c for c in CHARTS if set(tables_of(c)) <= set(frames) and c not in other]


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> dict[str, Path]:
    """The page of each kind of experiment, and the pages of its charts beside it."""
    found, script = {}, vega_script(Namespace(data=shared_data))
    for kind in KINDS:
        frames, folder = frames_of(kind), tmp_path_factory.mktemp(kind)
        shown = {name: frame for name, frame in frames.items() if name != "evidence"}
        for name, frame in shown.items():
            write_table(folder / f"{name}.parquet", _table(name, frame), make_record({}, []))
        for name in figures_of(frames, kind):
            chart = importlib.import_module(f"ntk_mnist.charts.{name}")
            drawn = {table: frames[table] for table in tables_of(name)}
            figures = {layout: chart.draw(drawn, page) for layout, page in LAYOUTS.items()}
            render(figures, chart_record(name, {}, "mnist"), script, folder / "figures" / name)
        run(
            Namespace(
                experiment=experiment(kind),
                tables=[folder / f"{name}.parquet" for name in shown],
                figures=[folder / f"figures/{name}.html" for name in figures_of(shown, kind)],
                data=shared_data,
                command="snakemake --configfile 'my <file>.yaml'",
                output=folder / "index.html",
            )
        )
        found[kind] = folder / "index.html"
    return found


def _table(name: str, frame: pd.DataFrame) -> pa.Table:
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    schema = TABLE_SCHEMAS[name]
    return pa.Table.from_pylist(
        [{column: row.get(column) for column in schema.names} for row in rows], schema=schema
    )
