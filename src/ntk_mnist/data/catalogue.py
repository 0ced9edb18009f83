"""Datasets by name, and what is known of each before any of its files is opened."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ntk_mnist import UserError

__all__ = [
    "ARRAYS",
    "CATALOGUE",
    "RECORD",
    "SOURCES",
    "DatasetError",
    "Description",
]

#: The prepared arrays of a dataset, and so the original files, in this order.
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")

#: The file with the digests of the prepared arrays, or of the original files, beside them.
RECORD = "made.json"


class DatasetError(UserError):
    """A dataset is not available, or a file is not what it should be."""


@dataclass(frozen=True)
class Description:
    """What is known of a dataset before any of its files is opened.

    Attributes:
        title: for people.
        files: name and SHA-256 of the original files; of IDX files, in the order of
            :data:`ARRAYS`. The digest is that of the content, whether a file is compressed or not.
            A dataset that scikit-learn bundles and one of the user's own have none here.
        train_size: number of training images.
        test_size: number of test images.
        image_shape: rows and columns of pixels, after channels if there are several.
        pixel_max: pixels go from 0 to this; of features, 1.
        outputs: of a network; labels are classes from 0 to one less than this.
        content_known: false if the digests are those of the compressed files as they were
            published, because nobody published those of the content.
        format: of the original files: ``idx`` or ``cifar``.
        archive: name and SHA-256 of an archive with all original files; its name is empty if
            there is none.
        real_valued: whether labels are real numbers, one for each output, and no classes.
        pixel_bytes: of a pixel of a prepared array.
        sha256: of the content of a dataset of the user's own (``data.own``); else empty.
    """

    title: str
    files: tuple[tuple[str, str], ...]
    train_size: int
    test_size: int
    image_shape: tuple[int, ...]
    pixel_max: int
    outputs: int = 10
    content_known: bool = True
    format: str = "idx"
    archive: tuple[str, str] = ("", "")
    real_valued: bool = False
    pixel_bytes: int = 1
    sha256: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """What each original file holds: one of :data:`ARRAYS`, or images with their labels."""
        return ARRAYS if self.format == "idx" else tuple(name for name, _ in self.files)

    def shape(self, part: str) -> tuple[int, ...]:
        """The shape of what an original file holds; of images with their labels, in bytes."""
        if self.format == "cifar":
            in_test = part == self.parts[-1]
            count = self.test_size if in_test else self.train_size // (len(self.files) - 1)
            return (count, 1 + self.pixels)
        count = self.train_size if "train" in part else self.test_size
        return (count, *self.image_shape) if "images" in part else (count,)

    @property
    def stated(self) -> dict[str, str]:
        """What decides the numbers of one of the user's own; of others, the catalogue does."""
        if not self.sha256:
            return {}
        # So many digits tell contents apart and leave the reason of a job readable.
        images = f"{8 * self.pixel_bytes} bits / {self.pixel_max}"
        labels = "real-valued targets" if self.real_valued else "classes"
        return {
            "data_digest": self.sha256[:16],
            "data_read_as": f"{images}, {self.outputs} {labels}",
        }

    @property
    def pixels(self) -> int:
        """Length of a flattened image."""
        return math.prod(self.image_shape)


def _idx_dataset(title: str, *sha256: str, content_known: bool = True) -> Description:
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
        content_known=content_known,
    )


#: Each checksum is known from at least two independent sources. MNIST's are those of the content of
#: files whose compressed form has the SHA-256 in the catalogues of TensorFlow Datasets and
#: torchvision-ruby, and are in dataset-ml (Rust, github.com/SomeB1oody/dataset-core) too.
#: Fashion-MNIST's are in dataset-ml and in the Makefile of github.com/EntroMorphic/sstt. KMNIST's
#: are those of the compressed files, in the catalogues of TensorFlow Datasets and torchvision-ruby.
#: CIFAR-10's archive is in the same two and in github.com/gomlx/gomlx; its six files are in
#: torchvision-ruby alone, but for the test batch.
CATALOGUE: Mapping[str, Description] = {
    "mnist": _idx_dataset(
        "MNIST",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "fashion_mnist": _idx_dataset(
        "Fashion-MNIST",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    "kmnist": _idx_dataset(
        "KMNIST",
        "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        content_known=False,
    ),
    "digits": Description(
        title="Digits (8 × 8)",
        files=(),
        train_size=1_297,
        test_size=500,
        image_shape=(8, 8),
        pixel_max=16,
    ),
    "cifar10": Description(
        title="CIFAR-10",
        files=(
            (
                "data_batch_1.bin.gz",
                "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
            ),
            (
                "data_batch_2.bin.gz",
                "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
            ),
            (
                "data_batch_3.bin.gz",
                "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
            ),
            (
                "data_batch_4.bin.gz",
                "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
            ),
            (
                "data_batch_5.bin.gz",
                "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
            ),
            (
                "test_batch.bin.gz",
                "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
            ),
        ),
        train_size=50_000,
        test_size=10_000,
        image_shape=(3, 32, 32),
        pixel_max=255,
        format="cifar",
        archive=(
            "cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
}


#: Where the original files of each dataset are looked for, in order, unless the config names other
#: places: folders, relative to where snakemake runs, and addresses of folders. Whatever the source,
#: a file is used only if the SHA-256 of its content is the known one.
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
    "cifar10": (
        "data/cifar10",
        "../shared/cifar10",
        "https://www.cs.toronto.edu/~kriz/",
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
    ),
}
