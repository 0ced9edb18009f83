"""HTML documents that need no network: the page of an experiment, and the page of one chart."""

import base64
import gzip
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import jinja2
import vl_convert
from markupsafe import Markup

from ntk_mnist.charts.headline import Headline
from ntk_mnist.page.contents import CellTime, Download, Preview, Setting
from ntk_mnist.page.explorer import Explorer

__all__ = [
    "Drawn",
    "FigureOnPage",
    "File",
    "Page",
    "TableOnPage",
    "chart_page",
    "experiment_page",
    "vega",
]

_SPECIFICATION = re.compile(
    r'<script type="application/json" id="specification">(.*?)</script>', re.DOTALL
)
#: A specification of Vega-Lite.
Specification = Mapping[str, Any]


class Drawn(NamedTuple):
    """A chart for windows of different widths.

    Attributes:
        layouts: specifications without their rows, the widest first.
        datasets: the rows of all of them by name.
    """

    layouts: Sequence[Specification]
    datasets: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Of the chart, unbroken (``style.styled``)."""
        return str(self.layouts[0]["usermeta"]["title"])

    @property
    def subtitle(self) -> Sequence[str]:
        """Lines below the title, unbroken."""
        lines: Sequence[str] = self.layouts[0]["usermeta"]["subtitle"]
        return lines

    @classmethod
    def of(cls, layouts: Sequence[Specification]) -> "Drawn":
        """Layouts of one chart; rows that several of them draw are kept once."""
        return cls(
            [{k: v for k, v in layout.items() if k != "datasets"} for layout in layouts],
            {name: rows for layout in layouts for name, rows in layout["datasets"].items()},
        )


def chart_in(html: str) -> Drawn:
    """The chart that a page of one chart shows (:func:`chart_page`).

    Raises:
        ValueError: the text is no such page.
    """
    found = _SPECIFICATION.search(html)
    if found is None:
        raise ValueError("not a page of one chart")
    return Drawn(**json.loads(found[1]))


class File(NamedTuple):
    """A file beside the page: its path from there, and what it is."""

    path: str
    text: str


class FigureOnPage(NamedTuple):
    """A chart: its name, its caption, how it is drawn, and files of it."""

    name: str
    caption: str
    drawn: Drawn
    files: Sequence[File]


class TableOnPage(NamedTuple):
    """A table: name, meaning, its size in words, its first rows and its downloads."""

    name: str
    meaning: str
    size: str
    preview: Preview
    downloads: Sequence[Download]


class Page(NamedTuple):
    """What stands on the page of an experiment.

    Attributes:
        title: of the page.
        subject: dataset, what all architectures share, and the number of test images.
        question: that the experiment answers.
        answer: its headline.
        explorer: linked charts.
        figures: the charts of the experiment.
        tables: its tables.
        settings: that decide its results.
        times: how long each cell took.
        times_in_words: the same in a sentence.
        command: that made the page.
        provenance: versions and digests by their names.
    """

    title: str
    subject: str
    question: str
    answer: Headline
    explorer: Explorer
    figures: Sequence[FigureOnPage]
    tables: Sequence[TableOnPage]
    settings: Sequence[Setting]
    times: Sequence[CellTime]
    times_in_words: str
    command: str
    provenance: Sequence[tuple[str, str]]

    @property
    def explored(self) -> Mapping[str, Any]:
        """What the script of the linked charts reads."""
        return {
            "title": self.explorer.score.title,
            "number": self.explorer.score.number,
            "last": self.explorer.last,
            "at": self.explorer.at,
            "runs": self.explorer.runs,
            "views": [view.specification for view in self.explorer.views],
            "rows": self.explorer.rows,
        }


def experiment_page(page: Page, made: Mapping[str, Any], vega: str) -> str:
    """The page of an experiment.

    Args:
        page: what stands on it.
        made: the record of what made it, which it states.
        vega: the script that draws charts.
    """
    made = {"usermeta": {"ntk_mnist": made}}
    return _render("experiment.html", page=page, made=made, vega=_inside(vega))


def chart_page(layouts: Sequence[Specification], made: Mapping[str, Any], vega: str) -> str:
    """The page of one chart; its title and subtitle are text of the page.

    Args:
        layouts: the chart for windows of different widths, the widest first.
        made: the record of what made it, which it states.
        vega: the script that draws charts.
    """
    made = {"usermeta": {"ntk_mnist": made}}
    return _render("chart.html", drawn=Drawn.of(layouts), made=made, vega=_inside(vega))


def _render(template: str, **values: Any) -> str:
    environment = _environment()

    def source(name: str) -> Markup:
        assert environment.loader
        return Markup(environment.loader.get_source(environment, name)[0])

    return environment.get_template(template).render(
        **values,
        style=source("style.css"),
        charts_script=source("charts.js"),
        page_script=source("page.js"),
    )


def vega() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script, which draws the charts of a page."""
    # Its stub requires an argument that it does not.
    script: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]
    return script


def _inside(script: str) -> Markup:
    """A script in a form that a script element can hold."""
    return Markup(script.replace("</script", "<\\/script"))


def _json(value: Any) -> Markup:
    """JSON in a script element, where no ``<`` may end it."""
    return Markup(_text(value).replace("<", "\\u003c"))


def _packed(value: Any) -> str:
    """JSON, compressed, as base64; equal values give equal text."""
    return base64.b64encode(gzip.compress(_text(value).encode(), mtime=0)).decode()


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ntk_mnist.page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"json": _json, "packed": _packed}
    return environment
