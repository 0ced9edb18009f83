"""Published numbers, as a file in ``config/published/`` states them.

title: what it is, in a few words
citation: paper and table, or repository, file and commit
explanation: where our results differ, and why
facts:
  - table: kernel                     # or network
    where: {kernel: nngp, time: .inf} # which rows of that table
    column: test_accuracy             # what was published
    decimals: 3
    over: size                        # the column that each value belongs to
    values: {20: 0.505, 100: 0.657}
pictures:                             # of which no number was published
  - figure: Figure 3                  # as the citation numbers it
    experiment: lee2018_uncertainty   # of config/
    chart: calibration                # of that experiment, which shows the same
    explanation: what to see in both
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml
from msgspec import Meta, Struct

from ntk_mnist import UserError
from ntk_mnist.store.schemas import TABLE_SCHEMAS

__all__ = ["Facts", "Picture", "Published", "digest_of_published", "read_published"]


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Published values of one column.

    Attributes:
        table: that has our values.
        where: by column, the value of the rows that they are in.
        column: of the values.
        decimals: how many each value was published with.
        over: the column that the keys of ``values`` are values of.
        values: the published values.
    """

    table: Literal["kernel", "network"]
    where: Mapping[str, str | float]
    column: str
    decimals: Annotated[int, Meta(ge=0, le=15)]
    over: str
    values: Mapping[int, float]


class Picture(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A published picture that a chart of ours is to show again.

    Attributes:
        figure: its number.
        experiment: that has the chart.
        chart: one of ``charts.CHARTS``.
        explanation: what it shows, and how ours is another.
    """

    figure: str
    experiment: str
    chart: str
    explanation: str


class Published(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of published numbers; see the module."""

    title: str
    citation: str
    explanation: str
    facts: Annotated[tuple[Facts, ...], Meta(min_length=1)]
    pictures: tuple[Picture, ...] = ()


def read_published(file: Path) -> Published:
    """Read a file of published numbers.

    Raises:
        UserError: it cannot be read, or is not such a file, or names a column that the table lacks.
    """
    try:
        found = msgspec.convert(yaml.safe_load(file.read_text("utf-8")), Published)
    except OSError as error:
        raise UserError(f"published: {file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UserError(f"published: {file}: not a text in UTF-8") from None
    except yaml.YAMLError as error:
        raise UserError(f"published: {file}: not YAML ({' '.join(str(error).split())})") from None
    except msgspec.ValidationError as error:
        raise UserError(f"published: {file}: {error}") from None
    for i, facts in enumerate(found.facts):
        columns = TABLE_SCHEMAS[facts.table].names
        for name in (*facts.where, facts.column, facts.over):
            if name not in columns:
                raise UserError(
                    f"published: {file}: facts[{i}]: the table {facts.table} has no column "
                    f"{name!r}; results/README.md lists them"
                )
    return found


def digest_of_published(file: Path) -> str:
    """The SHA-256 of a file of published numbers; empty if it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
