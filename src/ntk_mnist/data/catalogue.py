"""Datasets by name, and what is known of each before any of its files is opened."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ntk_mnist import UserError

__all__ = [
    "ARRAYS",
    "CATALOGUE",
    "SOURCES",
    "DatasetError",
    "Description",
]

#: The prepared arrays of a dataset, and so the original files, in this order.
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


class DatasetError(UserError):
    """A dataset is not available, or a file is not what it should be."""


@dataclass(frozen=True)
class Description:
    """What is known of a dataset before any of its files is opened.

    ``files`` are name and SHA-256 of the original files in the order of :data:`ARRAYS`. A dataset
    that scikit-learn bundles has none. Pixels go from 0 to ``pixel_max``.
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


#: Each checksum appears in at least two independent public catalogues: MNIST's in those of
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


#: Where the original files of each dataset are looked for, in order, unless the config names other
#: places: folders, relative to where snakemake runs, and addresses of folders. Whatever the source,
#: a file is used only if its SHA-256 is the known one.
SOURCES: Mapping[str, tuple[str, ...]] = {
    "mnist": (
        "data/mnist",
        "../shared/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    "fashion_mnist": (
        "data/fashion_mnist",
        "../shared/fashion_mnist",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    "kmnist": (
        "data/kmnist",
        "../shared/kmnist",
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    ),
}
