"""The arrays of a dataset of the user's own, checked and stored as cells read them."""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ntk_mnist.data.catalogue import ARRAYS, DatasetError, Description
from ntk_mnist.data.originals import write_array
from ntk_mnist.data.own import contents_of, digest_of

__all__ = ["prepare_own"]


def prepare_own(dataset: str, description: Description, folder: Path) -> None:
    """Write the arrays of ``catalogue.ARRAYS`` as ``folder/<array>.npy``, images flattened.

    Images stay bytes, features become float32, classes the smallest unsigned integers that hold
    them, and real-valued targets float64 of shape (n, k).

    Args:
        dataset: the path of the file or folder.
        description: what a run was planned with.
        folder: where the arrays go; an array appears under its name only when it is complete.

    Raises:
        DatasetError: the content is another than that of the description, or a value is NaN,
            infinite, or too large for float32, or all targets are equal.
    """
    contents = contents_of(dataset)
    found = digest_of({name: hashlib.sha256(file).hexdigest() for name, file in contents.items()})
    if found != description.sha256:
        raise DatasetError(f"{dataset}: changed since this run was planned; run snakemake again")
    arrays = {
        name: npy.read_array(BytesIO(content), allow_pickle=False)
        for name, content in contents.items()
    }
    made = [
        _images(dataset, name, array, description)
        if name.startswith("x")
        else _labels(dataset, name, array, description)
        for name, array in arrays.items()
    ]
    targets = arrays["y_train"]
    if description.real_valued and (targets == targets[:1]).all():
        raise DatasetError(f"{dataset}: y_train has the same values in each row; nothing to learn")
    for array_name, array in zip(ARRAYS, made, strict=True):
        write_array(folder, array_name, array)


def _images(dataset: str, name: str, array: NDArray[Any], description: Description) -> NDArray[Any]:
    flat = array.reshape(len(array), -1)
    if description.pixel_bytes == 1:
        return flat
    _check_finite(dataset, name, flat)
    with np.errstate(over="ignore"):
        features = flat.astype(np.float32)
    if not np.isfinite(features).all():
        raise DatasetError(f"{dataset}: {name} has values that are too large; scale the features")
    return features


def _labels(dataset: str, name: str, array: NDArray[Any], description: Description) -> NDArray[Any]:
    if not description.real_valued:
        return array.astype(np.min_scalar_type(description.outputs - 1))
    _check_finite(dataset, name, array)
    # Networks see them in float32.
    if (abs(array) > np.finfo(np.float32).max).any():
        raise DatasetError(f"{dataset}: {name} has values that are too large; scale the targets")
    return array.astype(np.float64).reshape(len(array), description.outputs)


def _check_finite(dataset: str, name: str, array: NDArray[Any]) -> None:
    bad = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    if bad.any():
        raise DatasetError(
            f"{dataset}: {name} has a value in row {int(bad.argmax())} that is NaN or infinite; "
            "remove the row or fill it in"
        )
