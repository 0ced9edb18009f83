"""What both sides see of a dataset: images and labels of one cell, and what is made of them.

Cells read the arrays that ``data.originals`` or ``data.own_arrays`` wrote; :func:`load` memory-maps
them, so that a cell for 64 images reads 64 images. What it reads is what was prepared: the digests
in ``made.json`` are compared first. Images stay bytes, and features float32, until they are used:
networks, Gram matrices and the exact solve call :meth:`Dataset.inputs` on one batch or tile at a
time, in the precision that they compute in. Order is file order.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntk_mnist import settings
from ntk_mnist.data.catalogue import ARRAYS, RECORD, DatasetError, Description
from ntk_mnist.data.preprocessing import Preprocessing
from ntk_mnist.data.selection import SELECTIONS
from ntk_mnist.data.targets import TARGETS
from ntk_mnist.store.file_digests import FileDigests

__all__ = ["Dataset", "load"]

_REMEDY = "run snakemake again, and it is prepared again"


@dataclass(frozen=True)
class Dataset:
    """Images and labels of one cell, still as they are stored.

    Attributes:
        description: of the whole dataset.
        preprocessing: makes inputs of images.
        train_images: shape (n, pixels), uint8 from 0 to ``description.pixel_max``; features are
            float32.
        train_labels: unsigned integers of shape (n,); real-valued targets are float64 of shape
            (n, outputs).
        test_images: of m images, as the training images.
        test_labels: of m images, as the training labels.
        offset: subtracted from one-hot or real-valued targets, shape (outputs,); of nothing, 0.
        validation_images: held-out training images that are predicted as well, (v, pixels).
        validation_labels: of v images.
    """

    description: Description
    preprocessing: Preprocessing
    train_images: NDArray[Any]
    train_labels: NDArray[Any]
    test_images: NDArray[Any]
    test_labels: NDArray[Any]
    offset: NDArray[np.float64] | float = 0.0
    validation_images: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    validation_labels: NDArray[Any] = field(default_factory=lambda: np.zeros(0, np.uint8))

    def inputs(self, images: Any, dtype: Any) -> Any:
        """The inputs of some images.

        Args:
            images: as they are stored, shape (m, pixels), a NumPy or a JAX array.
            dtype: float32 or float64.

        Returns:
            An array of ``dtype`` and of the same kind and shape.
        """
        return self.preprocessing(images, dtype)

    def targets(self, labels: NDArray[Any]) -> NDArray[np.float64]:
        """The targets of labels, shape (m, outputs)."""
        return _vectors(labels, self.description) - self.offset

    def right(self, outputs: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.bool_] | None:
        """Whether the largest output of each image, the offset added, is that of the label.

        Args:
            outputs: shape (m, outputs).
            labels: of m images.

        Returns:
            Shape (m,); None if targets are real-valued.
        """
        if self.description.real_valued:
            return None
        found: NDArray[np.bool_] = (outputs + self.offset).argmax(axis=1) == labels
        return found

    def accuracy(self, outputs: NDArray[Any], labels: NDArray[Any]) -> float | None:
        """Fraction of images that are predicted right; the arguments are those of :meth:`right`.

        None if targets are real-valued, or if there is no image.
        """
        right = self.right(outputs, labels)
        return None if right is None or not len(right) else float(np.mean(right))

    @property
    def proportional(self) -> bool:
        """Whether images are bytes, and each input is a multiple of its image."""
        return self.train_images.dtype == np.uint8 and self.preprocessing.proportional

    @property
    def predicted(self) -> "Dataset":
        """The same, with the validation images after the test images."""
        if not len(self.validation_images):
            return self
        return replace(
            self,
            test_images=np.concatenate([self.test_images, self.validation_images]),
            test_labels=np.concatenate([self.test_labels, self.validation_labels]),
        )


def load(
    description: Description, inputs: settings.Inputs, folder: Path, size: int, draw: int = 0
) -> Dataset:
    """The images of a cell, of a prepared dataset.

    Args:
        description: of the dataset.
        inputs: what both sides see.
        folder: where the prepared arrays are.
        size: training-set size.
        draw: number of the random draw, for a selection that draws.

    Raises:
        DatasetError: an array is missing or damaged, or has fewer images than asked for.
    """
    train_images, train_labels, test_images, test_labels = (
        folder / f"{array}.npy" for array in ARRAYS
    )
    every_label = _intact_array(train_labels)
    labels = every_label[inputs.held_out :]
    chosen = SELECTIONS[inputs.selection](labels, size, draw) + inputs.held_out
    test, validation = np.arange(inputs.test_size), np.arange(inputs.validation_size)
    of_chosen = _rows(train_labels, every_label, chosen)
    # All of them count for the mean, and else those up to the last that is used.
    last = None if inputs.subtract_mean else int(chosen[-1]) + 1
    images, mean = _intact_array(train_images, last), 0.0
    if inputs.subtract_mean:
        mean = float(images[inputs.held_out :].mean(dtype=np.float64))
    return Dataset(
        description,
        Preprocessing(inputs.preprocessing, description.pixel_max, mean),
        _rows(train_images, images, chosen),
        of_chosen,
        _rows(test_images, _intact_array(test_images, len(test)), test),
        _rows(test_labels, _intact_array(test_labels, len(test)), test),
        TARGETS[inputs.targets](_vectors(of_chosen, description)),
        _rows(train_images, images, validation),
        _rows(train_labels, every_label, validation),
    )


def _vectors(labels: NDArray[Any], description: Description) -> NDArray[np.float64]:
    """One-hot vectors of classes, or the real-valued targets themselves, shape (m, outputs)."""
    return labels if description.real_valued else np.eye(description.outputs)[labels]


def _rows(file: Path, array: NDArray[Any], places: NDArray[np.intp]) -> NDArray[Any]:
    """Rows of an array, mapped where they lie one after another.

    Args:
        file: that the array is in.
        array: intact up to the last of these rows.
        places: of the rows, in growing order.
    """
    end = int(places[-1]) + 1 if len(places) else 0
    if len(array) < end:
        raise DatasetError(f"{file}: {end:,} images asked for, {len(array):,} found")
    start = end - len(places)
    contiguous = len(places) == 0 or places[0] == start
    return array[start:end] if contiguous else array[places]


def _intact_array(file: Path, count: int | None = None) -> NDArray[Any]:
    """An array whose header and first ``count`` rows, or all rows, are what was prepared."""
    try:
        digests = FileDigests.read(file.with_name(RECORD)).digests
        # The header is compared before it is trusted.
        if file.name in digests and digests[file.name].matches(file, 1):
            array: np.memmap[Any, np.dtype[Any]] = np.load(file, mmap_mode="r")
            if digests[file.name].matches(file, array.offset + array[:count].nbytes):
                return array
        reason = "checksum mismatch"
    except (OSError, ValueError) as error:
        reason = str(error)
    raise DatasetError(f"{file}: not a prepared array ({reason}); {_REMEDY}")
