"""What is measured of a cell, a column each, declared once: its type and one sentence.

A cell's rows are these values beside the settings that identify it (``store.schemas``). Each class
is one output of a cell: a Parquet file of its own, aggregated into a table of its own.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from ntk_mnist.settings import Seed

__all__ = [
    "COMPARISONS",
    "FITTED",
    "OUTPUTS",
    "CalibrationMeasures",
    "ConvergenceMeasures",
    "DistanceMeasures",
    "EnsembleMeasures",
    "KernelMeasures",
    "KernelPredictionMeasures",
    "Measures",
    "NetworkMeasures",
    "PredictionMeasures",
    "ReproductionMeasures",
]


def _measure(description: str) -> Meta:
    return Meta(description=description)


class Measures(Struct, frozen=True, kw_only=True):
    """One row of a cell.

    ``ORDER`` are the columns that identify a row of the table beside the architecture; the table is
    sorted by the architecture and then by them. What is not ``TABULATED`` is read shard by shard.
    """

    ORDER: ClassVar[tuple[str, ...]]
    TABULATED: ClassVar[bool] = True


#: Of m test images and k outputs, m · k numbers, image by image.
_Outputs = Annotated[
    tuple[float, ...],
    Meta(
        description="the outputs at the test images, image by image",
        extra={"arrow": "list<float>"},
    ),
]


_ACCURACY = "fraction of the {} images; null if targets are real-valued"
_NETWORK_MSE = (
    "mean over images and outputs of the squared difference from the targets; null unless the loss "
    "is the squared error"
)


class NetworkMeasures(Measures, frozen=True, kw_only=True):
    """A trained network: a row a seed; a row a seed and time if it is evaluated at times.

    Networks are evaluated at gradient-flow times if they take the kernels' own steps
    (``Training.like_for_like``).
    """

    ORDER = ("width", "size", "seed", "steps")

    seed: Seed
    steps: Annotated[int, _measure("steps of the optimizer so far")]
    time: Annotated[
        float | None, _measure("gradient-flow time so far; null if steps are not of gradient flow")
    ]
    reached: Annotated[
        bool | None, _measure("whether training ended as it should; null if it has no such end")
    ]
    train_accuracy: Annotated[float | None, _measure(_ACCURACY.format("training"))]
    test_accuracy: Annotated[float | None, _measure(_ACCURACY.format("test"))]
    validation_accuracy: Annotated[
        float | None, _measure("fraction of the validation images; null if there are none")
    ]
    train_loss: Annotated[float, _measure("mean loss, of the kind that is trained")]
    test_loss: Annotated[float, _measure("mean loss, of the kind that is trained")]
    train_mse: Annotated[float | None, _measure(_NETWORK_MSE)]
    test_mse: Annotated[float | None, _measure(_NETWORK_MSE)]
    epoch_train_loss: Annotated[
        tuple[float, ...],
        Meta(
            description="mean loss of each epoch's images in their batches; none if evaluated at "
            "times",
            extra={"arrow": "list<float>"},
        ),
    ]
    linearized_test_accuracy: Annotated[
        float | None, _measure("of the network's linearization; null if that is not trained")
    ]
    ntk_to_limit: Annotated[
        float | None,
        _measure(
            "relative distance of the empirical NTK on the first 64 training images from the "
            "infinite-width NTK; null unless evaluated at times"
        ),
    ]
    ntk_change: Annotated[
        float | None, _measure("relative change of that empirical NTK since initialization")
    ]
    train_seconds: Annotated[float, _measure("wall time of compiling, training and evaluating")]


class PredictionMeasures(Measures, frozen=True, kw_only=True):
    """Predictions of networks at the test images: a row a seed and time.

    There are rows only of networks that are evaluated at gradient-flow times.
    """

    ORDER = ("width", "size", "seed", "time")
    TABULATED = False

    seed: Seed
    time: Annotated[float, _measure("gradient-flow time")]
    prediction: _Outputs
    linearization: _Outputs


class KernelMeasures(Measures, frozen=True, kw_only=True):
    """A solved kernel: a row a kind and gradient-flow time."""

    ORDER = ("kernel", "size", "time")

    kernel: Annotated[str, _measure("nngp or ntk")]
    time: Annotated[float, _measure("gradient-flow time; inf for the limit")]
    descent_step_size: Annotated[
        float, _measure("step size of gradient descent to that time; 0 for gradient flow")
    ]
    outputs: Annotated[int, _measure("number of outputs: of classes, or of real-valued targets")]
    train_accuracy: Annotated[float | None, _measure(_ACCURACY.format("training"))]
    test_accuracy: Annotated[float | None, _measure(_ACCURACY.format("test"))]
    validation_accuracy: Annotated[
        float | None, _measure("fraction of the validation images; null if there are none")
    ]
    train_mse: Annotated[float, _measure("mean over images and outputs of the squared error")]
    test_mse: Annotated[float, _measure("mean over images and outputs of the squared error")]
    validation_mse: Annotated[
        float | None, _measure("the same of the validation images; null if there are none")
    ]
    trained_variance: Annotated[
        float | None,
        _measure(
            "variance of the output of a trained network that is not centred, over its initial "
            "parameters, mean over test images; null but for the ntk under gradient descent"
        ),
    ]
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
    solve_seconds: Annotated[
        float,
        _measure(
            "wall time of this kernel's matrices, solve and predictions; that of what the kernels "
            "of a cell share is in the first one's"
        ),
    ]


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
    accuracy: Annotated[float | None, _measure("of that fraction; null if targets are real-valued")]


class KernelPredictionMeasures(Measures, frozen=True, kw_only=True):
    """Mean predictions of a kernel at the test images: a row a kind and gradient-flow time."""

    ORDER = ("kernel", "size", "time")
    TABULATED = False

    kernel: Annotated[str, _measure("nngp or ntk")]
    time: Annotated[float, _measure("gradient-flow time; inf for the limit")]
    prediction: _Outputs


class DistanceMeasures(Measures, frozen=True, kw_only=True):
    """How far networks lie from their infinite-width limit: a row a seed, time and quantity.

    The limit is the NTK's prediction after the same steps. Both functions are compared on the test
    images.
    """

    ORDER = ("width", "size", "seed", "time", "quantity")

    seed: Seed
    time: Annotated[float, _measure("gradient-flow time")]
    quantity: Annotated[
        str,
        _measure(
            "network_to_limit, linearization_to_limit, network_to_linearization; ntk_to_limit, "
            "the relative distance of the empirical NTK from the infinite-width one, or "
            "ntk_change, its relative change since initialization"
        ),
    ]
    rms: Annotated[
        float, _measure("root mean square over images and outputs; of an NTK, the relative norm")
    ]
    max: Annotated[
        float | None, _measure("largest difference over images and outputs; null of an NTK")
    ]


class EnsembleMeasures(Measures, frozen=True, kw_only=True):
    """The mean over seeds against the infinite-width limit: a row a width, size and time."""

    ORDER = ("width", "size", "time")

    time: Annotated[float, _measure("gradient-flow time")]
    seeds: Annotated[int, _measure("number of networks")]
    rms: Annotated[
        float, _measure("root mean square difference of the mean prediction from the NTK's")
    ]
    standard_error: Annotated[
        float | None,
        _measure("root mean square standard error of the mean prediction; null for one seed"),
    ]
    variance: Annotated[
        float | None,
        _measure("variance over seeds, mean over images and outputs; null for one seed"),
    ]
    limit_variance: Annotated[
        float, _measure("that of infinite width; 0 of centred networks, which all agree there")
    ]
    network_accuracy: Annotated[float, _measure("test accuracy of a network, mean over seeds")]
    network_accuracy_error: Annotated[
        float | None, _measure("standard error of that over seeds; null for one seed")
    ]
    ensemble_accuracy: Annotated[float, _measure("test accuracy of the mean prediction")]
    limit_accuracy: Annotated[float, _measure("test accuracy of the NTK's prediction")]
    limit_accuracy_error: Annotated[
        float, _measure("binomial standard error of that, of the number of test images")
    ]
    accuracy_gap: Annotated[float, _measure("network_accuracy less limit_accuracy")]
    accuracy_gap_error: Annotated[
        float | None,
        _measure(
            "standard error of that over test images, which networks and NTK share; null for one "
            "test image"
        ),
    ]


class ConvergenceMeasures(Measures, frozen=True, kw_only=True):
    """How fast a distance falls as networks get wider: a row a size, time, quantity and range.

    One range is that of all widths, the other their larger half.
    """

    ORDER = ("size", "time", "quantity", "smallest_width")

    time: Annotated[float, _measure("gradient-flow time")]
    quantity: Annotated[str, _measure("as in the distances")]
    slope: Annotated[
        float | None, _measure("of log rms over log width; null if there are too few networks")
    ]
    low: Annotated[float | None, _measure("lower end of the slope's 95 % confidence interval")]
    high: Annotated[float | None, _measure("upper end of it")]
    widths: Annotated[int, _measure("number of widths")]
    networks: Annotated[int, _measure("number of networks")]
    smallest_width: Annotated[int, _measure("the smallest width of the fit")]
    largest_width: Annotated[int, _measure("the largest width of the fit")]


class ReproductionMeasures(Measures, frozen=True, kw_only=True):
    """A published number with ours beside it."""

    ORDER = ("table", "item", "column", "at")

    dataset: Annotated[str, _measure("name of the dataset")]
    table: Annotated[str, _measure("our table that has the number: kernel or network")]
    item: Annotated[str, _measure("which rows of it, in words")]
    column: Annotated[str, _measure("which column of it")]
    over: Annotated[str, _measure("the column that `at` is a value of")]
    at: Annotated[int, _measure("value of that column: a size, a width or steps")]
    published: Annotated[float, _measure("the published number")]
    decimals: Annotated[int, _measure("number of decimals that were published")]
    runs: Annotated[int, _measure("runs of ours: seeds and draws of training images")]
    ours: Annotated[float | None, _measure("mean of our runs; null if there is none")]
    low: Annotated[
        float | None,
        _measure("lower end of the 95 % interval of one more run of ours; null for one run"),
    ]
    high: Annotated[float | None, _measure("upper end of it")]
    difference: Annotated[float | None, _measure("ours less the published number")]
    verdict: Annotated[
        str,
        _measure(
            "equal to the published decimals, within the interval, differs, one run (which has "
            "no interval) or not run"
        ),
    ]


#: From this train accuracy on, a network has fitted its training set.
FITTED = 0.99

#: Tables of comparisons of networks with kernels, by their names.
COMPARISONS: Mapping[str, type[Measures]] = {
    "distance": DistanceMeasures,
    "ensemble": EnsembleMeasures,
    "convergence": ConvergenceMeasures,
}

#: The outputs of each kind of cell by their names: of folders of shards and of tables.
OUTPUTS: Mapping[str, Mapping[str, type[Measures]]] = {
    "network": {"network": NetworkMeasures, "network_prediction": PredictionMeasures},
    "kernel": {
        "kernel": KernelMeasures,
        "calibration": CalibrationMeasures,
        "kernel_prediction": KernelPredictionMeasures,
    },
}
