"""Is a file that stands what would be made now? If not, why, in a few words.

Each file says itself what made it: a Parquet file in its metadata, a chart's HTML in the
``usermeta`` of its specification, prepared arrays in the ``made.json`` beside them.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ntk_mnist.provenance import Record, differences
from ntk_mnist.shards import TableError, about

__all__ = ["digest", "reasons"]

_USERMETA = re.compile(rb'"usermeta": ?(\{"ntk_mnist": ?)')


def reasons(file: Path, wanted: Record) -> list[str]:
    """Why ``file`` is stale, in words; nothing if it is not, or if there is none."""
    if not file.exists():
        return []
    try:
        return differences(_made(file), wanted)
    except (OSError, ValueError, KeyError, TableError):
        return [f"{file.name} is damaged"]


@cache
def digest(file: Path) -> str:
    """The digest of a table's rows, as it says itself; what is wrong where it cannot."""
    try:
        return about(file).sha256
    except TableError:
        return "damaged" if file.exists() else "missing"


def _made(file: Path) -> Mapping[str, Any]:
    if file.suffix == ".parquet":
        return about(file).made
    if file.suffix == ".json":
        return json.loads(file.read_text())
    text = file.read_bytes()
    found = _USERMETA.search(text)
    if not found:
        raise ValueError(f"{file} does not say what made it")
    made, _ = json.JSONDecoder().raw_decode(text[found.end() :].decode())
    return made
