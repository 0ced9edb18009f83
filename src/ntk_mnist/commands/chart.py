"""``chart``: one chart of the two tables, as HTML that opens offline, PNG and SVG."""

import argparse
import os
import tempfile
from pathlib import Path

from ntk_mnist.charts import CHARTS, Figure
from ntk_mnist.provenance import of_chart
from ntk_mnist.shards import KERNEL_SCHEMA, NETWORK_SCHEMA, read

_PIXELS_PER_INCH = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--name", required=True, choices=list(CHARTS))
    parser.add_argument("--networks", required=True, type=Path, help="the nn table")
    parser.add_argument("--kernels", required=True, type=Path, help="the kernel table")
    parser.add_argument("--output", required=True, type=Path, help="without the ending")


def run(options: argparse.Namespace) -> None:
    """Read, draw and write."""
    networks, of_networks = read(options.networks, NETWORK_SCHEMA)
    kernels, of_kernels = read(options.kernels, KERNEL_SCHEMA)
    made = of_chart(options.name, {"nn": of_networks.sha256, "kernel": of_kernels.sha256})
    chart = CHARTS[options.name](networks.to_pandas(), kernels.to_pandas())
    render(chart.properties(usermeta={"ntk_mnist": made}), options.output)


def render(chart: Figure, stem: Path) -> None:
    """Write ``stem`` with .html, .png and .svg, each of which appears only when it is whole."""
    folder = stem.parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as incoming:
        files = [Path(incoming) / f"{stem.name}.{ending}" for ending in ("html", "png", "svg")]
        html, png, svg = files
        chart.save(html, inline=True)
        chart.save(png, ppi=_PIXELS_PER_INCH)
        chart.save(svg)
        for file in files:
            os.replace(file, folder / file.name)
