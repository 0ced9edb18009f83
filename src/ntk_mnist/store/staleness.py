"""Would a file be made differently now? If so, why, in a few words.

Each file states what made it: a Parquet file in its metadata, a chart's HTML in the ``usermeta``
of its specification, prepared arrays in the ``made.json`` beside them.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ntk_mnist.store.records import Record, differences, marks
from ntk_mnist.store.shards import TableError, about

__all__ = ["accepted", "digest", "reasons"]

_USERMETA = re.compile(rb'"usermeta": ?(\{"ntk_mnist": ?)')


def reasons(file: Path, wanted: Record, seeds: Sequence[int] = ()) -> list[str]:
    """Why a file is stale, in words; nothing if it is current, or if there is none.

    Args:
        file: the file.
        wanted: the record that it should have.
        seeds: that it should hold; further ones do not matter.
    """
    if not file.exists():
        return []
    try:
        found = differences(_made(file), wanted)
        if found or not seeds:
            return found
        missing = sorted(set(seeds) - set(about(file).seeds))
    except (OSError, ValueError, KeyError, TableError):
        return [f"{file.name} is damaged"]
    if not missing:
        return []
    return [f"{_listed(missing)} missing"]


def _listed(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]} is"
    shown = ", ".join(map(str, seeds[:3]))
    return f"seeds {shown}{' ...' if len(seeds) > 3 else ''} ({len(seeds)}) are"


@cache
def digest(file: Path) -> str:
    """The digest of a table's rows as its metadata states it; the fault if it cannot be read."""
    try:
        return about(file).sha256
    except TableError:
        return "damaged" if file.exists() else "missing"


@cache
def accepted(file: Path) -> Mapping[str, list[str]]:
    """The marks of a shard; none if it cannot be read."""
    try:
        return marks(about(file).made)
    except TableError:
        return {}


def _made(file: Path) -> Mapping[str, Any]:
    if file.suffix == ".parquet":
        return about(file).made
    if file.suffix == ".json":
        return json.loads(file.read_text())
    text = file.read_bytes()
    found = _USERMETA.search(text)
    if not found:
        raise ValueError(f"{file} does not state what made it")
    made, _ = json.JSONDecoder().raw_decode(text[found.end() :].decode())
    return made
