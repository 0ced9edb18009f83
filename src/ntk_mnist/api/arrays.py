"""Arrays of one's own as the dataset that both sides see.

They mean what they mean in a file of one's own (``data.own``): inputs of dtype uint8 are images,
divided by 255, and of any other dtype features, as they are; labels are classes if they are
integers, and real-valued targets if they are floats.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntk_mnist.data.catalogue import DatasetError, Description
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.data.own import Header, class_faults, faults, faults_alone, faults_together
from ntk_mnist.data.preprocessing import Preprocessing

__all__ = ["dataset_of", "inputs_alone"]


def dataset_of(
    x_train: ArrayLike, y_train: ArrayLike, x_test: ArrayLike, y_test: ArrayLike | None = None
) -> Dataset:
    """The dataset of training and test arrays.

    Args:
        x_train: shape (n, …).
        y_train: classes 0 … k − 1, integers of shape (n,); or real-valued targets, floats of shape
            (n,) or (n, k).
        x_test: shape (m, …).
        y_test: as ``y_train``, of m rows. Without it, the test labels are zeros.

    Raises:
        DatasetError: an array has another shape or dtype, or a value that is NaN or infinite.
    """
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    found = {name: np.asarray(array) for name, array in arrays.items() if array is not None}
    zeros = np.zeros((*found["x_test"].shape[:1], *found["y_train"].shape[1:]))
    labels = found.get("y_test", zeros.astype(found["y_train"].dtype))
    _refuse(*faults(_headers({**found, "y_test": labels})))
    _check_finite(found)
    outputs, real_valued = _outputs(found), found["y_train"].dtype.kind == "f"
    train, test = found["x_train"], found["x_test"]
    return Dataset(
        _description(train, test, outputs, real_valued),
        _preprocessing(train),
        _flat(train),
        _labels(found["y_train"], outputs, real_valued),
        _flat(test),
        _labels(labels, outputs, real_valued),
    )


def inputs_alone(x1: ArrayLike, x2: ArrayLike) -> Dataset:
    """Two arrays of inputs as the test and the training inputs of a dataset without labels.

    Args:
        x1: shape (m, …).
        x2: shape (n, …).

    Raises:
        DatasetError: an array has another shape or dtype, or a value that is NaN or infinite.
    """
    found = {"x1": np.asarray(x1), "x2": np.asarray(x2)}
    headers = _headers(found)
    _refuse(*(fault for name, header in headers.items() for fault in faults_alone(name, header)))
    _refuse(*faults_together("x1", "x2", headers))
    _check_finite(found)
    test, train = found.values()
    description, nothing = _description(train, test, 1, True), np.zeros((0, 1))
    return Dataset(description, _preprocessing(train), _flat(train), nothing, _flat(test), nothing)


def _headers(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Header]:
    return {name: Header(array.shape, array.dtype, array.nbytes) for name, array in arrays.items()}


def _refuse(*faults: str) -> None:
    for fault in faults:
        raise DatasetError(fault)


def _check_finite(arrays: Mapping[str, NDArray[Any]]) -> None:
    for name, array in arrays.items():
        # Networks see float32.
        with np.errstate(over="ignore", invalid="ignore"):
            bad = ~np.isfinite(array.reshape(len(array), -1).astype(np.float32)).all(axis=1)
        if bad.any():
            raise DatasetError(
                f"{name} has a value in row {int(bad.argmax())} that is NaN, infinite or beyond "
                "float32; remove the row, fill it in or scale the values"
            )


def _outputs(arrays: Mapping[str, NDArray[Any]]) -> int:
    """The number of classes or of real-valued targets."""
    y = arrays["y_train"]
    if y.dtype.kind == "f":
        if (y == y[:1]).all():
            raise DatasetError("y_train has the same values in each row; nothing to learn")
        return int(np.prod(y.shape[1:]))
    classes = {n: np.unique(a).tolist() for n, a in arrays.items() if n.startswith("y")}
    _refuse(*class_faults(classes, len(y)))
    return int(max(map(max, classes.values()))) + 1


def _labels(array: NDArray[Any], outputs: int, real_valued: bool) -> NDArray[Any]:
    if real_valued:
        return array.astype(np.float64).reshape(len(array), outputs)
    return array.astype(np.min_scalar_type(outputs - 1))


def _description(
    train: NDArray[Any], test: NDArray[Any], outputs: int, real_valued: bool
) -> Description:
    return Description(
        title="arrays",
        files=(),
        train_size=len(train),
        test_size=len(test),
        image_shape=train.shape[1:] or (1,),
        pixel_max=_preprocessing(train).pixel_max,
        outputs=outputs,
        real_valued=real_valued,
        pixel_bytes=train.dtype.itemsize,
    )


def _preprocessing(x: NDArray[Any]) -> Preprocessing:
    return Preprocessing("scale", 255 if x.dtype == np.uint8 else 1)


def _flat(x: NDArray[Any]) -> NDArray[Any]:
    return x.reshape(len(x), -1)
