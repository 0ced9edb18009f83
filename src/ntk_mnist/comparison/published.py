"""Is a published number one that our results would give?

A published number is one run. Of several runs of ours, which differ in seed or in their draw of
training images, follows the interval in which one more run falls with a probability of 95 %: for
n runs of mean m and standard deviation s,

    m ± t s √(1 + 1/n),

with the 97.5 % quantile t of Student's distribution with n − 1 degrees of freedom (Geisser 1993,
*Predictive Inference*, section 2.1). A number that is computed without randomness has no interval:
it is equal to its published decimals, or it differs. Of one run of a random computation, nothing
follows. The runs must be independent: several seeds of one draw are not runs of several draws.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

__all__ = ["VERDICTS", "Beside", "beside"]

#: What may be said of a published number, with its meaning for a person.
VERDICTS: Mapping[str, str] = {
    "equal": "equal to all published decimals",
    "within": "within the interval of one more run",
    "differs": "different",
    "one run": "of one run of ours, which has no interval",
    "not run": "not run",
}


class Beside(NamedTuple):
    """Our results beside a published number.

    Attributes:
        ours: mean of the runs.
        low: lower end of the interval of one more run; NaN for one run.
        high: upper end of it.
        verdict: of :data:`VERDICTS`.
    """

    ours: float
    low: float
    high: float
    verdict: str


def beside(published: float, decimals: int, runs: Sequence[float], *, random: bool) -> Beside:
    """Our results beside a published number.

    Args:
        published: the number.
        decimals: number of decimals that were published.
        runs: our results, one a run, at least one.
        random: whether another run would give another result.
    """
    ours, half = float(np.mean(runs)), math.nan
    if len(runs) > 1:
        spread = float(np.std(runs, ddof=1)) * math.sqrt(1 + 1 / len(runs))
        half = float(stdtrit(len(runs) - 1, 0.975)) * spread
    # As many decimals are equal; a little more, as neither is an exact decimal.
    if abs(ours - published) <= 0.5 * 10.0**-decimals * (1 + 1e-6):
        verdict = "equal"
    elif random and len(runs) == 1:
        verdict = "one run"
    else:
        verdict = "within" if abs(ours - published) <= half else "differs"
    return Beside(ours, ours - half, ours + half, verdict)
