"""Would a file be made differently now, or is it damaged? If so, why, in a few words.

Each file states what made it, and digests by which damage of any byte is found: a Parquet file in
its metadata, a chart's HTML in the ``usermeta`` of its specification, also for its other files,
prepared arrays in the ``made.json`` beside them.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ntk_mnist.store.file_digests import FileDigests
from ntk_mnist.store.records import Record, differences, marks
from ntk_mnist.store.shards import TableError, about
from ntk_mnist.store.stated_digest import stated_digest

__all__ = ["FAULTS", "accepted", "damage", "digest", "reasons"]

#: What :func:`digest` gives for a shard that has none.
FAULTS = ("missing", "damaged")
_USERMETA = re.compile(rb'"usermeta": ?(\{"ntk_mnist": ?)')


class _Statement(NamedTuple):
    """What a file states.

    Attributes:
        made: the record of what made it.
        seeds: that it holds.
        damaged: the names of files beside it whose digests it states and that have another one.
    """

    made: Mapping[str, Any]
    seeds: tuple[int, ...] = ()
    damaged: Sequence[str] = ()


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
        stated = _READERS[file.suffix](file)
        found = differences(stated.made, wanted)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, TableError):
        return [f"{file.name} is damaged"]
    if found:
        return found
    if missing := sorted(set(seeds) - set(stated.seeds)):
        return [f"{_listed(missing)} missing"]
    return [f"{name} is damaged" for name in stated.damaged]


def damage(listing: Path) -> list[str]:
    """Which of the files whose digests a JSON file states are damaged, in words."""
    if not listing.exists():
        return []
    try:
        damaged = FileDigests.read(listing).damaged(listing.parent)
    except (OSError, ValueError):
        damaged = [listing.name]
    return [f"{name} is damaged" for name in damaged]


def _listed(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]} is"
    shown = ", ".join(map(str, seeds[:3]))
    return f"seeds {shown}{' ...' if len(seeds) > 3 else ''} ({len(seeds)}) are"


def digest(file: Path) -> str:
    """The digest that a shard or table states; the fault if it has another one."""
    try:
        status = file.stat()
    except OSError:
        return "missing"
    # A file may be made again after the plan.
    return _digest(file, (status.st_ino, status.st_mtime_ns, status.st_size))


@cache
def _digest(file: Path, _version: tuple[int, ...]) -> str:
    try:
        return stated_digest(file.read_bytes())
    except (OSError, ValueError):
        return "damaged"


def accepted(file: Path) -> Mapping[str, list[str]]:
    """The marks of a shard; none if it cannot be read."""
    try:
        return marks(about(file).made)
    except TableError:
        return {}


def _of_table(file: Path) -> _Statement:
    said = about(file)
    return _Statement(said.made, said.seeds)


def _of_listing(file: Path) -> _Statement:
    made = json.loads(file.read_text())
    return _Statement(made, damaged=FileDigests.read(file).damaged(file.parent))


def _of_chart(file: Path) -> _Statement:
    content = file.read_bytes()
    stated_digest(content)
    found = _USERMETA.search(content)
    if not found:
        raise ValueError(f"{file} does not state what made it")
    made, _ = json.JSONDecoder().raw_decode(content[found.end() :].decode())
    others = {file.with_suffix(f".{ending}"): sha256 for ending, sha256 in made["files"].items()}
    damaged = [
        other.name
        for other, sha256 in others.items()
        if other.exists() and _sha256(other) != sha256
    ]
    return _Statement(made, damaged=damaged)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


_READERS: Mapping[str, Callable[[Path], _Statement]] = {
    ".parquet": _of_table,
    ".json": _of_listing,
    ".html": _of_chart,
}
