"""What both sides see of a dataset: bytes on disk, and the function that makes inputs of them.

Cells read the arrays that ``data.originals.prepare`` wrote; :func:`load` memory-maps them, so that
a cell for 64 images reads 64 images. What it reads is what was prepared: the digests in
``made.json`` are compared first. Images stay bytes until they are used: networks, Gram
matrices and the exact solve call :meth:`Dataset.inputs` on one batch or tile at a time, in the
precision that they compute in. Order is file order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ntk_mnist import settings
from ntk_mnist.data.catalogue import ARRAYS, CATALOGUE, RECORD, DatasetError, Description
from ntk_mnist.store.file_digests import FileDigests

__all__ = ["PREPROCESSINGS", "Dataset", "Preprocessing", "load", "scale"]

#: From uint8 images of shape (m, pixels), the largest pixel value and a float type, inputs of
#: shape (m, pixels). The images are a NumPy array or, inside a compiled program, a JAX array.
Preprocessing: TypeAlias = Callable[[Any, int, Any], Any]


def scale(images: Any, pixel_max: int, dtype: Any) -> Any:
    """Pixels divided by the largest pixel value; the notebook's inputs."""
    return images.astype(dtype) / pixel_max


#: Preprocessings by their name in the config.
PREPROCESSINGS: Mapping[str, Preprocessing] = {
    "scale": scale,
}

_REMEDY = "run snakemake again, and it is prepared again"


@dataclass(frozen=True)
class Dataset:
    """Images and labels of one cell, still as bytes.

    Attributes:
        description: of the whole dataset.
        preprocessing: name of the function that makes inputs of images.
        train_images: uint8, shape (n, pixels), from 0 to ``description.pixel_max``.
        train_labels: uint8, shape (n,).
        test_images: uint8, shape (m, pixels).
        test_labels: uint8, shape (m,).
    """

    description: Description
    preprocessing: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]

    def inputs(self, images: Any, dtype: Any) -> Any:
        """The inputs of some images.

        Args:
            images: uint8, shape (m, pixels), a NumPy or a JAX array.
            dtype: float32 or float64.

        Returns:
            An array of ``dtype`` and of the same kind and shape.
        """
        return PREPROCESSINGS[self.preprocessing](images, self.description.pixel_max, dtype)

    def targets(self, labels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """One-hot targets of labels, shape (m, classes)."""
        return np.eye(self.description.classes)[labels]


def load(inputs: settings.Inputs, folder: Path, size: int) -> Dataset:
    """The first images of a prepared dataset.

    Args:
        inputs: dataset, number of test images and preprocessing.
        folder: where ``data.originals.prepare`` wrote the arrays.
        size: training-set size.

    Raises:
        DatasetError: an array is missing, damaged, or has fewer images than asked for.
    """
    arrays = {}
    for name in ARRAYS:
        count = size if "train" in name else inputs.test_size
        file = folder / f"{name}.npy"
        array = _intact_array(file, count)
        if len(array) < count:
            raise DatasetError(f"{file}: {count:,} images asked for, {len(array):,} found")
        arrays[name] = array[:count]
    return Dataset(CATALOGUE[inputs.dataset], inputs.preprocessing, **arrays)


def _intact_array(file: Path, count: int) -> NDArray[np.uint8]:
    """An array whose header and first ``count`` rows are what was prepared."""
    try:
        digests = FileDigests.read(file.with_name(RECORD)).digests
        # The header is compared before it is trusted.
        if file.name in digests and digests[file.name].matches(file, 1):
            array: np.memmap[Any, np.dtype[np.uint8]] = np.load(file, mmap_mode="r")
            if digests[file.name].matches(file, array.offset + array[:count].nbytes):
                return array
        reason = "checksum mismatch"
    except (OSError, ValueError) as error:
        reason = str(error)
    raise DatasetError(f"{file}: not a prepared array ({reason}); {_REMEDY}")
