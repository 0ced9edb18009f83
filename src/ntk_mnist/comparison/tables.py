"""Predictions of networks and of kernels, compared: the rows of the tables of comparisons.

A network, its linearization and the NTK's prediction are compared as functions on the test images,
seed by seed, at each gradient-flow time that they share.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntk_mnist.comparison import ensembles
from ntk_mnist.comparison.binomial import standard_error
from ntk_mnist.comparison.distances import distance
from ntk_mnist.comparison.slopes import slope
from ntk_mnist.measures import ConvergenceMeasures, DistanceMeasures, EnsembleMeasures

__all__ = ["AtTime", "convergence", "distances", "ensemble", "known"]


class AtTime(NamedTuple):
    """A network at one time.

    Attributes:
        prediction: at the m test images, shape (m, k).
        linearized: that of its linearization; None if there is none.
        ntk_to_limit: relative distance of the empirical NTK from the infinite-width one.
        ntk_change: relative change of the empirical NTK since initialization.
    """

    prediction: NDArray[np.float32]
    linearized: NDArray[np.float32] | None
    ntk_to_limit: float
    ntk_change: float


def distances(
    seed: int, time: float, network: AtTime, limit: NDArray[np.float32]
) -> Iterator[DistanceMeasures]:
    """The distances of one network at one time.

    Args:
        seed: of the network.
        time: gradient-flow time.
        network: at that time.
        limit: the NTK's prediction at that time, shape (m, k).
    """
    pairs = {"network_to_limit": (network.prediction, limit)}
    if network.linearized is not None:
        pairs["linearization_to_limit"] = network.linearized, limit
        pairs["network_to_linearization"] = network.prediction, network.linearized
    for quantity, (one, other) in pairs.items():
        found = distance(one, other)
        yield DistanceMeasures(
            seed=seed, time=time, quantity=quantity, rms=found.rms, max=found.max
        )
    for quantity in ("ntk_to_limit", "ntk_change"):
        value = getattr(network, quantity)
        yield DistanceMeasures(seed=seed, time=time, quantity=quantity, rms=value, max=None)


def ensemble(
    time: float,
    predictions: Sequence[NDArray[np.float32]],
    limit: NDArray[np.float32],
    limit_variance: float,
    targets: NDArray[np.float64],
) -> EnsembleMeasures:
    """All networks of one cell at one time, as one.

    Args:
        time: gradient-flow time.
        predictions: one a seed, of shape (m, k) each.
        limit: the NTK's prediction at that time, shape (m, k).
        limit_variance: of a prediction over initial parameters, at infinite width.
        targets: one-hot labels of the test images, shape (m, k).
    """
    stacked = np.stack(predictions)
    limit_accuracy = float(np.mean(limit.argmax(axis=1) == targets.argmax(axis=1)))
    variance = float(np.mean(ensembles.spread(stacked)))
    members = ensembles.member_accuracy(stacked, targets)
    gap = ensembles.accuracy_gap(stacked, limit, targets)
    return EnsembleMeasures(
        time=time,
        seeds=len(stacked),
        rms=ensembles.distance_to_limit(stacked, limit).rms,
        standard_error=known(math.sqrt(variance / len(stacked))),
        variance=known(variance),
        limit_variance=limit_variance,
        network_accuracy=members.mean,
        network_accuracy_error=known(members.standard_error),
        ensemble_accuracy=ensembles.ensemble_accuracy(stacked, targets),
        limit_accuracy=limit_accuracy,
        limit_accuracy_error=standard_error(limit_accuracy, len(targets)),
        accuracy_gap=gap.mean,
        accuracy_gap_error=known(gap.standard_error),
    )


#: So few widths are a line, but do not show whether it bends.
_FEWEST_WIDTHS = 3


def convergence(
    time: float, quantity: str, networks: Sequence[tuple[int, float]]
) -> Iterator[ConvergenceMeasures]:
    """The slopes over width of one quantity, of one architecture and training-set size.

    A power law in the width is a law for large widths. So there is a slope over all widths, and
    one over their larger half, if that has three widths or more.

    Args:
        time: gradient-flow time.
        quantity: of the table of distances.
        networks: the width and the value of each.
    """
    widths = sorted({width for width, _ in networks})
    larger = widths[len(widths) // 2 :]
    for first in [widths[0], *([larger[0]] if len(larger) >= _FEWEST_WIDTHS else [])]:
        yield _slope(time, quantity, [pair for pair in networks if pair[0] >= first])


def _slope(
    time: float, quantity: str, networks: Sequence[tuple[int, float]]
) -> ConvergenceMeasures:
    widths, values = zip(*networks, strict=True)
    found = slope(widths, values)
    return ConvergenceMeasures(
        time=time,
        quantity=quantity,
        slope=known(found.slope),
        low=known(found.low),
        high=known(found.high),
        widths=found.widths,
        networks=found.networks,
        smallest_width=min(widths),
        largest_width=max(widths),
    )


def known(value: float) -> float | None:
    """The value; None for NaN, which a table has as null."""
    return None if math.isnan(value) else value
