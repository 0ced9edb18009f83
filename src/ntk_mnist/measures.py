"""What is measured of a cell, a column each, declared once: its type and one sentence.

A cell's rows are these values beside the settings that identify it (``store.schemas``). Each class
is one output of a cell: a Parquet file of its own, aggregated into a table of its own.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from ntk_mnist.settings import Seed

__all__ = ["OUTPUTS", "CalibrationMeasures", "KernelMeasures", "Measures", "NetworkMeasures"]


def _measure(description: str) -> Meta:
    return Meta(description=description)


class Measures(Struct, frozen=True, kw_only=True):
    """One row of a cell.

    ``ORDER`` are the columns that identify a row of the table beside the architecture; the table is
    sorted by the architecture and then by them.
    """

    ORDER: ClassVar[tuple[str, ...]]


class NetworkMeasures(Measures, frozen=True, kw_only=True):
    """A trained network: a row a seed."""

    ORDER = ("width", "size", "seed")

    seed: Seed
    train_accuracy: Annotated[float, _measure("fraction of the training images")]
    test_accuracy: Annotated[float, _measure("fraction of the test images")]
    train_loss: Annotated[float, _measure("mean cross-entropy after training, nats")]
    test_loss: Annotated[float, _measure("mean cross-entropy after training, nats")]
    epoch_train_loss: Annotated[
        tuple[float, ...],
        Meta(description="mean loss of each epoch's batches, nats", extra={"arrow": "list<float>"}),
    ]
    train_seconds: Annotated[float, _measure("wall time of compiling, training and evaluating")]


class KernelMeasures(Measures, frozen=True, kw_only=True):
    """A solved kernel: a row a kind and gradient-flow time."""

    ORDER = ("kernel", "size", "time")

    kernel: Annotated[str, _measure("nngp or ntk")]
    time: Annotated[float, _measure("gradient-flow time; inf for the limit")]
    train_accuracy: Annotated[float, _measure("fraction of the training images")]
    test_accuracy: Annotated[float, _measure("fraction of the test images")]
    train_mse: Annotated[float, _measure("mean over images and outputs of the squared error")]
    test_mse: Annotated[float, _measure("mean over images and outputs of the squared error")]
    diag_reg: Annotated[float, _measure("regularization in use, units of the mean diagonal")]
    condition_number: Annotated[float, _measure("of the regularized training Gram matrix")]
    solver: Annotated[str, _measure("spectral, or exact where that is too large to diagonalize")]
    residual: Annotated[float, _measure("|K a - Y| / |Y| of the solve at infinity")]
    prediction_error: Annotated[float, _measure("estimated error of any test prediction")]
    jitter: Annotated[
        float, _measure("on the exact solve's preconditioner, units of the mean diagonal")
    ]
    log_marginal_likelihood: Annotated[float, _measure("of the training labels, all outputs, nats")]
    amplitude: Annotated[
        float, _measure("σ², the factor of the kernel that makes the training labels likeliest")
    ]
    maximized_log_marginal_likelihood: Annotated[
        float, _measure("of the training labels under the kernel times its amplitude, nats")
    ]
    log_marginal_likelihood_error: Annotated[
        float, _measure("estimated error of either log marginal likelihood, nats")
    ]
    solve_seconds: Annotated[float, _measure("wall time of this kernel's solve and predictions")]


class CalibrationMeasures(Measures, frozen=True, kw_only=True):
    """A kernel's predictive variance at infinity: a row a kind and group of test images."""

    ORDER = ("kernel", "size", "fraction")

    kernel: Annotated[str, _measure("nngp or ntk")]
    fraction: Annotated[float, _measure("of the test images: this group and the more certain ones")]
    variance: Annotated[float, _measure("mean predictive variance in the group")]
    scaled_variance: Annotated[
        float, _measure("mean predictive variance in the group, times the kernel's amplitude")
    ]
    squared_error: Annotated[
        float, _measure("mean squared error in the group, over images and outputs")
    ]
    accuracy: Annotated[float, _measure("of that fraction")]


#: The outputs of each kind of cell by their names: of folders of shards and of tables.
OUTPUTS: Mapping[str, Mapping[str, type[Measures]]] = {
    "network": {"network": NetworkMeasures},
    "kernel": {"kernel": KernelMeasures, "calibration": CalibrationMeasures},
}
