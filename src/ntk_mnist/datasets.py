"""Datasets by name, and the arrays of one cell.

Cells read what ``originals.prepare`` wrote: ``.npy`` arrays that :func:`load` memory-maps, so
that a cell for 64 images reads 64 images. Order is file order everywhere, and "the first
``size`` images" is what the notebook trains on.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ntk_mnist import UserError

__all__ = [
    "ARRAYS",
    "CATALOGUE",
    "Dataset",
    "DatasetError",
    "Description",
    "load",
]

#: The prepared arrays of a dataset, and so the original files, in this order.
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


class DatasetError(UserError):
    """A dataset cannot be had, or a file is not what it should be."""


@dataclass(frozen=True)
class Description:
    """What is known of a dataset before any of its files is opened.

    ``files`` are name and SHA-256 of the original files in the order of :data:`ARRAYS`,
    none for a dataset that scikit-learn bundles.
    """

    title: str
    files: tuple[tuple[str, str], ...]
    train_size: int
    test_size: int
    image_shape: tuple[int, int]
    pixel_max: int
    classes: int = 10

    @property
    def pixels(self) -> int:
        """Length of a flattened image."""
        return math.prod(self.image_shape)


def _idx_dataset(title: str, *sha256: str) -> Description:
    names = (
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    )
    return Description(
        title=title,
        files=tuple(zip(names, sha256, strict=True)),
        train_size=60_000,
        test_size=10_000,
        image_shape=(28, 28),
        pixel_max=255,
    )


#: Each checksum stands in at least two independent public catalogues: MNIST's in those of
#: TensorFlow Datasets and torchvision-ruby, Fashion-MNIST's in those of TensorFlow Datasets
#: and Hugging Face Datasets, KMNIST's in those of TensorFlow Datasets and torchvision-ruby.
CATALOGUE: Mapping[str, Description] = {
    "mnist": _idx_dataset(
        "MNIST",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
    "fashion_mnist": _idx_dataset(
        "Fashion-MNIST",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
    "kmnist": _idx_dataset(
        "KMNIST",
        "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    ),
    "digits": Description(
        title="Digits (8 × 8)",
        files=(),
        train_size=1_297,
        test_size=500,
        image_shape=(8, 8),
        pixel_max=16,
    ),
}


@dataclass(frozen=True)
class Dataset:
    """Images and labels of one cell, still as bytes.

    ``*_images`` are uint8 of shape (images, pixels), ``*_labels`` uint8 of shape
    (images,); pixel values run from 0 to ``description.pixel_max``.
    """

    description: Description
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


def load(name: str, folder: Path, size: int, test_size: int) -> Dataset:
    """The first ``size`` training and ``test_size`` test images of a prepared dataset.

    Args:
        name: a key of :data:`CATALOGUE`.
        folder: where ``originals.prepare`` wrote the arrays; they are memory-mapped.
        size: training-set size.
        test_size: number of test images.

    Raises:
        DatasetError: an array is missing, damaged, or has fewer images than asked for.
    """
    arrays = {}
    for array_name in ARRAYS:
        count = size if "train" in array_name else test_size
        file = folder / f"{array_name}.npy"
        try:
            array = np.load(file, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise DatasetError(f"{file}: not a prepared array ({error})") from None
        if len(array) < count:
            raise DatasetError(f"{file}: {count:,} images asked for, {len(array):,} are there")
        arrays[array_name] = array[:count]
    return Dataset(CATALOGUE[name], **arrays)
