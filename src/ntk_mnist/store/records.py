"""Records: what made a file, and how that differs from what would make it now.

A file is stale when its record is not the one that would be made now. Dates do not matter: the
record is in the file itself, so a copy, a fresh clone or a change of branch makes nothing stale
that is current, and hides nothing that is stale.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, TypeAlias

from ntk_mnist.registries import names_in
from ntk_mnist.store.code_digest import changed_definitions, code_of, templates_digest

__all__ = [
    "UNUSED",
    "VEGA",
    "Record",
    "accepted",
    "chart_record",
    "differences",
    "digest_of",
    "make_record",
    "marks",
    "page_record",
    "prepared_by",
    "prepared_record",
    "reproduction_record",
    "table_record",
    "was_made_of",
]

#: ``{"settings": …, "columns": …, "code": …, "libraries": …}``, in JSON's types. A part
#: ``"accepted"`` holds marks, which are no difference: by date, what differed when a person
#: accepted the file as it was. Nor is a part ``"shards"`` or ``"tables"``, which says what a file
#: was made of, so that a difference can be told in words.
Record: TypeAlias = dict[str, dict[str, Any]]

#: The value of a setting that changes nothing beside the others.
UNUSED = "unused"

#: Makes the script that draws the charts of a page.
VEGA = "page.documents.vega"

_NOTHING: Mapping[str, str] = MappingProxyType({})
_CHART_LIBRARIES = ("altair", "vl-convert-python")
_PAGE_LIBRARIES = (*_CHART_LIBRARIES, "jinja2")
#: Settings that are digests, which say nothing to a person.
_DIGESTS = (
    *("charts", "data_digest", "experiment", "published numbers", "shards", "tables"),
    "templates",
)
#: The digest of a file that is not there, beside which a table in part is made.
_MISSING = "missing"


def make_record(
    settings: Mapping[str, Any],
    entries: Sequence[str],
    libraries: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
    choices: Mapping[str, str] | None = None,
) -> Record:
    """What would make a file now.

    Args:
        settings: JSON values by name, or :data:`UNUSED`.
        entries: the functions that compute what is in it, as in ``"networks.training.train"``.
        libraries: distributions whose versions count.
        columns: the types of its columns by their names.
        choices: the entry in use of each registry; other entries do not count.
    """
    code = code_of(tuple(entries), tuple(sorted((choices or {}).items())))
    return {
        "settings": dict(settings),
        "columns": dict(columns or {}),
        "code": {"digest": code.digest, "definitions": dict(code.definitions)},
        "libraries": {name: _version(name) for name in libraries},
    }


def prepared_record(dataset: str, own: Mapping[str, str] = _NOTHING) -> Record:
    """Of the prepared arrays of a dataset.

    Args:
        dataset: its name in tables.
        own: what decides one of the user's own (``Description.stated``); of others, nothing.
    """
    return make_record(
        {"dataset": dataset, **own},
        [prepared_by(own)],
        ["numpy"],
        choices=_entry_of(dataset),
    )


def prepared_by(own: Mapping[str, str]) -> str:
    """The function that prepares a dataset; the argument is that of :func:`prepared_record`."""
    return "data.own_arrays.prepare_own" if own else "data.originals.prepare"


def _entry_of(dataset: str) -> dict[str, str]:
    """The entry of the catalogue that counts; none of a dataset of the user's own."""
    registry = "data.catalogue.CATALOGUE"
    return {registry: dataset} if dataset in names_in(registry) else {}


def table_record(
    columns: Mapping[str, str],
    shards: Mapping[str, str],
    rows: str,
    accepted: Mapping[str, Mapping[str, Any]] | None = None,
    made_by: str = "store.tables.aggregate",
) -> Record:
    """Of a table.

    Args:
        columns: of its schema.
        shards: digests of its shards by their paths.
        rows: which of their rows it holds, in words.
        accepted: the marks of its shards by their paths.
        made_by: the function that makes it of its shards.
    """
    marked = {path: dict(found) for path, found in sorted((accepted or {}).items()) if found}
    dates = [date for found in marked.values() for date in found]
    settings = {
        "shards": digest_of(shards),
        "rows": rows,
        "accepted shards": f"{len(marked)}, {max(dates)}" if marked else "none",
    }
    made = make_record(settings, [made_by], columns=columns)
    # Short, as there may be ten thousand.
    of = {_short(path): digest[:8] for path, digest in shards.items()}
    return made | {"shards": of} | ({"accepted": marked} if marked else {})


def reproduction_record(
    columns: Mapping[str, str], tables: Mapping[str, str], published: str
) -> Record:
    """Of a table of published numbers and ours.

    Args:
        columns: of its schema.
        tables: the digests of our tables by their names.
        published: the digest of the published numbers.
    """
    settings = {"tables": digest_of(tables), "published numbers": published[:16]}
    made = make_record(settings, ["commands.reproduce.rows"], columns=columns)
    return made | {"tables": dict(tables)}


def chart_record(name: str, tables: Mapping[str, str], dataset: str) -> Record:
    """Of a chart.

    Args:
        name: of the chart.
        tables: the digests of its tables by their names.
        dataset: that the tables are of; the entries of other datasets do not count.
    """
    made = make_record(
        {"chart": name, "tables": digest_of(tables), "dataset": dataset}
        | {"templates": templates_digest("chart.html")},
        [f"charts.{name}.draw", "commands.chart.render", VEGA],
        _PAGE_LIBRARIES,
        choices=_entry_of(dataset),
    )
    return made | {"tables": dict(tables)}


def page_record(experiment: str, tables: Mapping[str, str], figures: Mapping[str, str]) -> Record:
    """Of the page of an experiment.

    Args:
        experiment: what decides the tables of the experiment, as JSON.
        tables: the digests of its tables by their names.
        figures: the digests of its charts by their names.
    """
    settings = {
        "experiment": digest_of({"experiment": experiment}),
        "tables": digest_of(tables),
        "charts": digest_of(figures),
        "templates": templates_digest("experiment.html"),
    }
    entries = ["commands.page.page_of", "page.documents.experiment_page", VEGA]
    made = make_record(settings, entries, _PAGE_LIBRARIES)
    return made | {"tables": dict(tables), "charts": dict(figures)}


def accepted(made: Record, wanted: Record, when: str) -> Record:
    """The wanted record with the marks of the one that made a file, and a mark of what differs."""
    before = marks(made)
    # Of two acceptances within a second, both stay.
    found = [*before.get(when, []), *differences(made, wanted)]
    return wanted | {"accepted": before | {when: found}}


def marks(made: Mapping[str, Any]) -> dict[str, list[str]]:
    """What differed, in words, by the date at which a person accepted a file as it was."""
    return dict(made.get("accepted", {}))


def was_made_of(made: Mapping[str, Any], path: str) -> bool:
    """Whether a table was made of a shard, by its path, whatever was in it."""
    return made.get("shards", {}).get(_short(path), _MISSING) != _MISSING


def digest_of(digests: Mapping[str, str]) -> str:
    """One digest of several, by their names."""
    return hashlib.sha256(repr(sorted(digests.items())).encode()).hexdigest()[:16]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@cache
def _version(distribution: str) -> str:
    return version(distribution)


def differences(made: Mapping[str, Any], wanted: Record) -> list[str]:
    """How what made a file differs from what would make it now, in words."""
    words = []
    for part, label in (("settings", ""), ("columns", "column "), ("libraries", "")):
        before, now = made.get(part, {}), wanted[part]
        for name in sorted({*before, *now}):
            if UNUSED in (before.get(name), now.get(name)):
                # What makes it unused is itself a difference.
                continue
            if name not in before:
                words.append(f"{label}{name} is new")
            elif name not in now:
                words.append(f"{label}{name} is gone")
            elif before[name] != now[name] and part == "settings" and name in _DIGESTS:
                words.append(_changed(name, made.get(name), wanted.get(name)))
            elif before[name] != now[name]:
                words.append(f"{label}{name} was {before[name]}, is {now[name]}")
    return words + changed_definitions(made.get("code", {}), wanted["code"])


def _changed(name: str, before: Mapping[str, str] | None, now: Mapping[str, str] | None) -> str:
    """What changed among files, as in ``shards: 111 added, 3 changed, 2 gone``."""
    if before is None or now is None:
        return f"{name.replace('_digest', '')} changed"
    before = {file: digest for file, digest in before.items() if digest != _MISSING}
    files = {
        "added": set(now) - set(before),
        "changed": {f for f in set(now) & set(before) if now[f] not in (before[f], _MISSING)},
        "gone": {file for file in before if now.get(file, _MISSING) == _MISSING},
    }
    if name in ("charts", "tables"):
        words = [f"{' and '.join(sorted(which))} {how}" for how, which in files.items() if which]
    else:
        words = [f"{len(which):,} {how}" for how, which in files.items() if which]
    return f"{name}: {', '.join(words)}" if words else f"{name} changed"
