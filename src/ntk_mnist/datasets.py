"""Images with labels: where they come from, how they are checked, how a cell reads them.

Three steps, each a function: :func:`fetch` finds the original files in a list of
sources and lets none through whose SHA-256 differs; :func:`prepare` turns them into
``.npy`` arrays; :func:`load` memory-maps those, so that a cell for 64 images reads 64
images. Order is file order everywhere, and "the first ``size`` images" is what the
notebook trains on.
"""

import gzip
import hashlib
import math
import os
import shutil
import struct
import sys
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ntk_mnist import UserError

__all__ = [
    "ARRAYS",
    "CATALOGUE",
    "Dataset",
    "DatasetError",
    "Description",
    "fetch",
    "load",
    "prepare",
    "read_idx",
]

#: The prepared arrays of a dataset, and so the original files, in this order.
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")

_CONNECT_SECONDS, _READ_SECONDS, _RETRIES = 10, 30, 2


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


def fetch(name: str, sources: Sequence[str], folder: Path) -> None:
    """Put the original files of a dataset into ``folder``, each checked and each whole.

    Args:
        name: a key of :data:`CATALOGUE`.
        sources: local folders and http(s) addresses of folders, tried in order for each file.
        folder: where the files go; each appears under its name only when it is complete.

    Raises:
        DatasetError: a file can be had from no source; says why for each of them.
    """
    description = CATALOGUE[name]
    folder.mkdir(parents=True, exist_ok=True)
    for file_name, sha256 in description.files:
        target = folder / file_name
        failures = []
        for source in sources:
            try:
                with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as incoming:
                    copy = Path(incoming) / file_name
                    if "://" in source:
                        _download(source, file_name, sha256, copy)
                    else:
                        _copy(Path(source) / file_name, sha256, copy)
                    os.replace(copy, target)
                break
            except DatasetError as failure:
                failures.append(f"  {source}: {failure}")
        else:
            raise DatasetError(_unavailable(name, file_name, failures))


def _unavailable(name: str, file_name: str, failures: Sequence[str]) -> str:
    title = CATALOGUE[name].title
    return "\n".join(
        [
            f"{title} can be had from nowhere: {file_name} was sought in vain at",
            *failures,
            "Remedies:",
            f"  1. put the four original files of {title} into the folder data/{name};",
            f"  2. or name a folder or mirror that has them, in the config under sources.{name};",
            "  3. or run on the bundled digits, without a network: "
            "snakemake --configfile config/digits.yaml",
        ]
    )


def _copy(file: Path, sha256: str, target: Path) -> None:
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
            if found != sha256:
                raise DatasetError(f"wrong content (SHA-256 {found[:12]}…, not {sha256[:12]}…)")
            stream.seek(0)
            with target.open("wb") as copy:
                shutil.copyfileobj(stream, copy)
    except FileNotFoundError:
        raise DatasetError("no such file") from None
    except OSError as error:
        if error.filename == str(file):
            raise DatasetError(error.strerror or str(error)) from None
        raise


def _download(address: str, file_name: str, sha256: str, target: Path) -> None:
    # Imported here: no cell needs a network client.
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    mirror = pooch.create(
        path=target.parent,
        base_url=address.rstrip("/") + "/",
        registry={file_name: f"sha256:{sha256}"},
        retry_if_failed=_RETRIES,
    )
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=(_CONNECT_SECONDS, _READ_SECONDS))
    try:
        # The bar is for the terminal, where stderr is for what went wrong.
        with redirect_stderr(sys.stdout):
            mirror.fetch(file_name, downloader=downloader)
    except requests.exceptions.HTTPError as error:
        raise DatasetError(f"the server answered {error.response.status_code}") from None
    except requests.exceptions.Timeout:
        raise DatasetError("no answer in time") from None
    except requests.exceptions.ConnectionError as error:
        raise DatasetError(f"no connection ({_root_cause(error)})") from None
    except requests.exceptions.RequestException as error:
        raise DatasetError(f"the download failed ({_root_cause(error)})") from None
    except ValueError:
        # pooch's word for a download whose hash differs.
        raise DatasetError("the download is not the original file (its SHA-256 differs)") from None


def _root_cause(error: BaseException) -> str:
    """The innermost reason of a network error, without the client's object addresses."""
    while isinstance(error.args[0] if error.args else None, BaseException):
        error = error.args[0]
    reason = getattr(error, "reason", None) or error
    text = str(reason)
    return text.rsplit(": ", 1)[-1] if ": " in text else text


def read_idx(stream: BinaryIO, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes.

    Never reads more than the expected array and one byte, whatever the header or a
    compressed stream promises.

    Args:
        stream: the uncompressed bytes.
        shape: the shape that the array must have.

    Returns:
        uint8 array of ``shape``.

    Raises:
        DatasetError: it is no IDX file of unsigned bytes, of another shape, too short or
            too long.

    Source: http://yann.lecun.com/exdb/mnist, "The IDX file format".
    """
    header_size = 4 + 4 * len(shape)
    header = stream.read(header_size)
    if len(header) < header_size:
        raise DatasetError(f"the file ends within its header ({len(header)} bytes)")
    zeros, type_code, dimensions = struct.unpack(">HBB", header[:4])
    if zeros != 0 or type_code != 0x08:
        raise DatasetError(f"not an IDX file of unsigned bytes (it begins {header[:4].hex(' ')})")
    if dimensions != len(shape):
        raise DatasetError(f"the array has {dimensions} dimensions, not {len(shape)}")
    found = struct.unpack(f">{len(shape)}I", header[4:])
    if found != shape:
        raise DatasetError(f"the array is of shape {found}, not {shape}")
    count = math.prod(shape)
    content = stream.read(count + 1)
    if len(content) != count:
        state = "more" if len(content) > count else f"{len(content):,}"
        raise DatasetError(f"the header promises {count:,} bytes of data, the file holds {state}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read_gzipped_idx(file: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    try:
        with gzip.open(file, "rb") as stream:
            return read_idx(stream, shape)  # type: ignore[arg-type]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DatasetError(f"{file}: not a whole gzip file ({error})") from None
    except DatasetError as error:
        raise DatasetError(f"{file}: {error}") from None


def prepare(name: str, originals: Sequence[Path], folder: Path) -> None:
    """Write the arrays of :data:`ARRAYS` as ``folder/<array>.npy``, images flattened.

    Args:
        name: a key of :data:`CATALOGUE`.
        originals: the files of :func:`fetch`, in the order of :data:`ARRAYS`; none for a
            bundled dataset.
        folder: where the arrays go; each appears under its name only when it is complete.

    Raises:
        DatasetError: an original file is damaged, or a label is out of range.
    """
    description = CATALOGUE[name]
    arrays = _bundled_digits() if name == "digits" else _originals(description, originals)
    for array_name, array in zip(ARRAYS, arrays, strict=True):
        limit = description.pixel_max if "images" in array_name else description.classes - 1
        if array.max() > limit:
            raise DatasetError(f"{name}: {array_name} has the value {array.max()}, beyond {limit}")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as incoming:
            whole = Path(incoming) / f"{array_name}.npy"
            np.save(whole, array)
            os.replace(whole, folder / whole.name)


def _originals(description: Description, files: Sequence[Path]) -> list[NDArray[np.uint8]]:
    arrays = []
    for array_name, file in zip(ARRAYS, files, strict=True):
        images = "images" in array_name
        count = description.train_size if "train" in array_name else description.test_size
        shape = (count, *description.image_shape) if images else (count,)
        array = _read_gzipped_idx(file, shape)
        arrays.append(array.reshape(count, -1) if images else array)
    return arrays


def _bundled_digits() -> list[NDArray[np.uint8]]:
    # Imported here: scikit-learn takes a second, and only this rule needs it.
    from sklearn.datasets import load_digits

    train_size = CATALOGUE["digits"].train_size
    digits = load_digits()
    images, labels = digits.data.astype(np.uint8), digits.target.astype(np.uint8)
    return [images[:train_size], labels[:train_size], images[train_size:], labels[train_size:]]


def load(name: str, folder: Path, size: int, test_size: int) -> Dataset:
    """The first ``size`` training and ``test_size`` test images of a prepared dataset.

    Args:
        name: a key of :data:`CATALOGUE`.
        folder: where :func:`prepare` wrote the arrays; they are memory-mapped.
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
