"""Labels at the ends of lines, moved apart where they would overlap."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

__all__ = ["labelled_ends", "moved_apart"]

#: From the end of a line to its label, in labels.
_MOST_MOVED = 3.6


def labelled_ends(
    data: pd.DataFrame,
    names: Sequence[str],
    x: str,
    more: Mapping[str, float],
    domain: Sequence[float],
    *,
    logarithmic: bool,
    apart: float,
) -> pd.DataFrame:
    """The last point of each line, and where its label is.

    Labels stay near the ends of their lines. If too many lines end close together, every second,
    every third and so on has a label, and the first and the last one.

    Args:
        data: the columns ``name``, ``value`` and ``x``.
        names: of the lines, in their order.
        x: the column of the horizontal axis.
        more: by their labels, the last heights of further lines, which end where the others do and
            have a label in any case.
        domain: of the vertical axis.
        logarithmic: whether that is.
        apart: from the middle of one label to that of the next, as a part of the axis.

    Returns:
        The columns ``name``, ``x``, ``end``, the height of the last point, and ``place``, that of
        the middle of the label; a row a label.
    """
    finite = data[data["name"].isin(names) & np.isfinite(data["value"].astype(float))]
    if finite.empty:
        return pd.DataFrame({"name": [], x: [], "end": [], "place": []})
    last = finite.sort_values(x, kind="stable").groupby("name", sort=False).tail(1)
    last = last[["name", x, "value"]].rename(columns={"value": "end"}).set_index("name")
    present = [name for name in names if name in last.index]
    others = pd.DataFrame({x: finite[x].max(), "end": more}).rename_axis("name")

    def part_of(end: float) -> float:
        low, high, value = (math.log(v) if logarithmic else v for v in (*domain, end))
        return (value - low) / (high - low)

    for step in range(1, len(present) + 1):
        chosen = present[::-1][::step][::-1]
        chosen = [*dict.fromkeys([present[0], *chosen])]
        ends = pd.concat([last.loc[chosen], others]).sort_values("end", kind="stable")
        parts = [part_of(end) for end in ends["end"]]
        moved = moved_apart(parts, apart)
        most = max(abs(a - b) for a, b in zip(parts, moved, strict=True))
        if most <= _MOST_MOVED * apart and (len(moved) - 1) * apart <= 1:
            break
    low, high = domain
    places = [low * (high / low) ** m if logarithmic else low + m * (high - low) for m in moved]
    return ends.assign(place=places).reset_index()


def moved_apart(places: Sequence[float], apart: float) -> list[float]:
    """Places between 0 and 1, moved as little as possible so that neighbours are apart.

    The sum of the squared moves is least: subtracting its rank times ``apart`` from each place
    leaves a regression to rising numbers (isotonic), whose solution is the means of pooled
    neighbours (Barlow et al. 1972). Places without enough room are spread evenly.

    Args:
        places: rising.
        apart: the least distance of neighbours.
    """
    count = len(places)
    apart = min(apart, 1 / (count - 1)) if count > 1 else apart
    pools: list[tuple[float, int]] = []
    for rank, place in enumerate(places):
        pools.append((place - rank * apart, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, n), (b, m) = pools[-2:]
            pools[-2:] = [((a * n + b * m) / (n + m), n + m)]
    # Bounds on all ranks bound the means of pools.
    highest = 1 - (count - 1) * apart
    means = [min(max(mean, 0.0), highest) for mean, size in pools for _ in range(size)]
    return [mean + rank * apart for rank, mean in enumerate(means)]
