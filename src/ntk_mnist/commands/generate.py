"""``generate``: the files that follow from the declared settings and columns, and docstrings."""

import argparse
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ntk_mnist import UserError
from ntk_mnist.api.reference import api_reference
from ntk_mnist.plan import reference
from ntk_mnist.store.whole_files import write_whole

#: In a Markdown file, what is below this line is generated.
MARKER = "<!-- Below this line, `make generate` writes. -->\n"
#: Whole files, and the part of a Markdown file below its marker, by what makes them.
GENERATED = {**reference.GENERATED, "docs/reference.md": api_reference}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--folder", required=True, type=Path, help="the repository")


def run(options: argparse.Namespace) -> None:
    """Write each file."""
    for name in GENERATED:
        content = generated(options.folder, name).encode()
        write_whole(options.folder / name, partial(_write, content))


def generated(folder: Path, name: str) -> str:
    """The whole text of a generated file; of a Markdown file, what is above its marker is kept.

    Raises:
        UserError: a Markdown file has no marker.
    """
    text: str = GENERATED[name]()
    if not name.endswith(".md"):
        return text
    above, marker, _ = (folder / name).read_text().partition(MARKER)
    if not marker:
        raise UserError(f"{folder / name}: the line {MARKER.strip()} is missing")
    return f"{above}{marker}\n{text}"


def _write(content: bytes, stream: BinaryIO) -> None:
    stream.write(content)
