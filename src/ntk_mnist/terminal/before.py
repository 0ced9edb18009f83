"""What a person reads before a run: what is to run, why, for how long, and what it writes."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ntk_mnist.terminal.estimate import Pace
from ntk_mnist.terminal.run import GROUPS, Job, Run
from ntk_mnist.terminal.words import counted, duration, listed, size_of

__all__ = ["Planned", "before", "cells_of"]

#: Lines of reasons.
_MOST = 12
_CELLS = ("networks", "kernels")

#: A definition of the code that differs; and how many of a module are told one by one.
_DEFINITION = re.compile(r"(?P<module>[a-z_]+(\.[a-z_0-9]+)*)\.\w+ (?P<how>changed|is new|is gone)")
_FEW = 2
_PLURAL = {"is new": "are new", "is gone": "are gone"}


class Planned(NamedTuple):
    """A job that is to run.

    Attributes:
        job: the job.
        reasons: why it runs, in words.
        seeds: networks that it trains, or 0.
        size: of the shards that it writes, bytes.
    """

    job: Job
    reasons: Sequence[str] = ()
    seeds: int = 0
    size: int = 0


def cells_of(planned: Iterable[Planned]) -> list[Planned]:
    """The jobs that are networks or kernels."""
    return [plan for plan in planned if plan.job.group in _CELLS]


def before(
    planned: Sequence[Planned], cores: int, pace: Pace, folder: str, where: str
) -> list[str]:
    """The lines.

    Args:
        planned: all jobs that are to run.
        cores: of the machine; on a cluster, jobs at once.
        pace: of the machine.
        folder: of the results.
        where: what the cores are, as in ``2 cores``.
    """
    cells, lines = cells_of(planned), []
    found = Counter(plan.job.group for plan in planned if plan.job.group not in _CELLS)
    # Snakemake has its jobs in any order.
    others = {group: found[group] for group in sorted(found, key=_place)}
    if cells:
        seeds, size = sum(plan.seeds for plan in cells), sum(plan.size for plan in cells)
        groups = Counter(plan.job.group for plan in cells)
        of_each = listed([_of_group(group, groups, seeds) for group in _CELLS if groups[group]])
        lines.append(f"To run: {of_each}{_then(others)}.")
        left = Run({i: plan.job for i, plan in enumerate(planned)}, cores, pace).seconds_left
        known = any(pace.knows(plan.job.rule) for plan in cells)
        about = "as cells took here before" if known else "a guess, as no cell ran here yet"
        lines.append(
            f"Time: about {duration(left)} on {where} ({about}). Disk: about {size_of(size)} in"
            f" {folder}."
        )
    elif others:
        lines.append(f"To run: {listed([counted(n, group) for group, n in others.items()])}.")
    reasons = grouped(planned)
    lines += [f"  {line}" for line in reasons[:_MOST]]
    if len(reasons) > _MOST:
        lines.append(f"  and {len(reasons) - _MOST:,} more reasons")
    return lines


def grouped(planned: Iterable[Planned]) -> list[str]:
    """As in ``36 networks: epochs was 20, is 30``; the reason that most jobs have is first."""
    found: Mapping[tuple[str, str], int] = Counter(
        (plan.job.group, reason) for plan in planned for reason in _shortened(plan.reasons)
    )
    ranked = sorted(found.items(), key=lambda one: (_place(one[0][0]), -one[1], one[0]))
    return [f"{counted(number, group)}: {reason}" for (group, reason), number in ranked]


def _shortened(reasons: Sequence[str]) -> list[str]:
    """Reasons in which many definitions of a module are one: ``26 definitions of x are new``."""
    definitions: dict[tuple[str, str], list[str]] = {}
    for reason in reasons:
        if match := _DEFINITION.fullmatch(reason):
            definitions.setdefault((match["module"], match["how"]), []).append(reason)
    many = {key: own for key, own in definitions.items() if len(own) > _FEW}
    gone = {reason for own in many.values() for reason in own}
    return [
        *(reason for reason in reasons if reason not in gone),
        *(
            f"{len(own)} definitions of {module} {_PLURAL.get(how, how)}"
            for (module, how), own in many.items()
        ),
    ]


def _place(group: str) -> int:
    groups = [*dict.fromkeys(GROUPS.values())]
    return groups.index(group) if group in groups else len(groups)


def _of_group(group: str, groups: Mapping[str, int], seeds: int) -> str:
    words = counted(groups[group], group)
    if group != "networks" or seeds == groups[group]:
        return words
    return f"{words} of {seeds:,} seeds in all"


def _then(others: Mapping[str, int]) -> str:
    words = [counted(number, group) for group, number in others.items() if group != "data"]
    return f"; then {listed(words)}" if words else ""
