"""``generate``: the files that follow from the declared settings and columns."""

import argparse
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ntk_mnist import UserError
from ntk_mnist.plan.reference import GENERATED
from ntk_mnist.store.whole_files import write_whole

#: In a Markdown file, what is below this line is generated.
MARKER = "<!-- Below this line, `make generate` writes. -->\n"


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
