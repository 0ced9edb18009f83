"""The original files of a dataset, converted to arrays that a cell can memory-map."""

import gzip
import hashlib
import math
import os
import struct
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ntk_mnist.data.catalogue import ARRAYS, CATALOGUE, DatasetError, Description

__all__ = ["prepare", "read_idx"]


def read_idx(stream: BinaryIO, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes.

    At most the expected array and one more byte are read, whatever size the header or a
    compressed stream states.

    Args:
        stream: the uncompressed bytes.
        shape: the shape that the array must have.

    Returns:
        uint8 array of ``shape``.

    Raises:
        DatasetError: the bytes are not an IDX file of unsigned bytes, or are too few or too
            many, or the array has another shape.

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
        raise DatasetError(f"the array has the shape {found}, not {shape}")
    count = math.prod(shape)
    content = stream.read(count + 1)
    if len(content) != count:
        held = "more" if len(content) > count else f"{len(content):,}"
        raise DatasetError(f"the header states {count:,} bytes of data, the file holds {held}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read_gzipped_idx(file: Path, sha256: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    with file.open("rb") as content:
        if hashlib.file_digest(content, "sha256").hexdigest() != sha256:
            raise DatasetError(f"{file}: not the original file (its SHA-256 differs); delete it")
    try:
        with gzip.open(file, "rb") as stream:
            return read_idx(stream, shape)  # type: ignore[arg-type]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DatasetError(f"{file}: not a complete gzip file ({error})") from None
    except DatasetError as error:
        raise DatasetError(f"{file}: {error}") from None


def prepare(name: str, originals: Sequence[Path], folder: Path) -> None:
    """Write the arrays of :data:`ARRAYS` as ``folder/<array>.npy``, images flattened.

    Args:
        name: a key of :data:`CATALOGUE`.
        originals: the files that ``data.sources.fetch`` wrote, in the order of :data:`ARRAYS`;
            none for a bundled dataset.
        folder: where the arrays go; an array appears under its name only when it is complete.

    Raises:
        DatasetError: an original file is damaged, or a pixel or a label is out of range.
    """
    description = CATALOGUE[name]
    arrays = _bundled_digits() if name == "digits" else _originals(description, originals)
    for array_name, array in zip(ARRAYS, arrays, strict=True):
        limit = description.pixel_max if "images" in array_name else description.classes - 1
        if array.max() > limit:
            raise DatasetError(
                f"{name}: {array_name} has the value {array.max()}, more than {limit}"
            )
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as incoming:
            whole = Path(incoming) / f"{array_name}.npy"
            np.save(whole, array)
            os.replace(whole, folder / whole.name)


def _originals(description: Description, files: Sequence[Path]) -> list[NDArray[np.uint8]]:
    arrays = []
    for array_name, file, (_, sha256) in zip(ARRAYS, files, description.files, strict=True):
        images = "images" in array_name
        count = description.train_size if "train" in array_name else description.test_size
        shape = (count, *description.image_shape) if images else (count,)
        array = _read_gzipped_idx(file, sha256, shape)
        arrays.append(array.reshape(count, -1) if images else array)
    return arrays


def _bundled_digits() -> list[NDArray[np.uint8]]:
    # Imported here, because it takes a second, and only this dataset needs it.
    from sklearn.datasets import load_digits

    train_size = CATALOGUE["digits"].train_size
    digits = load_digits()
    images, labels = digits.data.astype(np.uint8), digits.target.astype(np.uint8)
    return [images[:train_size], labels[:train_size], images[train_size:], labels[train_size:]]
