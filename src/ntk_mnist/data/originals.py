"""The original files of a dataset, checked and converted to arrays that a cell can memory-map.

People have them in several forms: compressed as they were published, compressed anew, not at all,
or twice, by a server that compresses what it sends. What decides is the SHA-256 of the content.
"""

import gzip
import hashlib
import io
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

__all__ = ["canonical", "largest_file", "prepare", "read_idx"]

_GZIP = b"\x1f\x8b"
#: More than what the best and the worst compression add to a content that cannot be compressed.
_OVERHEAD = 1 << 20


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


def largest_file(description: Description, array: str) -> int:
    """The most bytes that an original file can have, in any form."""
    return _content_size(description.shape(array)) + _OVERHEAD


def _content_size(shape: tuple[int, ...]) -> int:
    return 4 + 4 * len(shape) + math.prod(shape)


def canonical(file: bytes, description: Description, array: str) -> bytes:
    """An original file as gzip, whatever form it has.

    Args:
        file: the bytes of the file.
        description: of the dataset.
        array: the one of :data:`ARRAYS` that the file holds.

    Returns:
        The file itself if it is compressed once.

    Raises:
        DatasetError: it is not the original file.
    """
    forms = _checked(file, description, array)
    if len(forms) == 1:
        # Without a time, so that equal contents are equal files.
        return gzip.compress(forms[0], 1, mtime=0)
    return forms[-2]


def _checked(file: bytes, description: Description, array: str) -> list[bytes]:
    """An original file as it is and what it unpacks to, step by step; the last is the content.

    Raises:
        DatasetError: it is not the original file.
    """
    sha256 = description.files[ARRAYS.index(array)][1]
    size = _content_size(description.shape(array))
    forms = [file]
    while forms[-1].startswith(_GZIP):
        # A file that was compressed more than twice is no file that a server or a person made.
        if len(forms) > 2:
            raise DatasetError("compressed again and again")
        forms.append(_unpacked(forms[-1], size))
    if description.content_known:
        found = hashlib.sha256(forms[-1]).hexdigest()
        if found != sha256:
            raise DatasetError(f"wrong content (SHA-256 {found[:12]}…, not {sha256[:12]}…)")
        return forms
    for i, form in enumerate(forms[:-1]):
        if hashlib.sha256(form).hexdigest() == sha256:
            return forms[i:]
    raise DatasetError(
        f"wrong content (no file with the SHA-256 {sha256[:12]}…); of {description.title}, only "
        "the compressed files as they were published can be checked"
    )


def _unpacked(file: bytes, size: int) -> bytes:
    """The content of a gzip file, of which at most ``size`` bytes and what they pack to are read.

    Raises:
        DatasetError: it is damaged, or there is more.
    """
    limit = size + _OVERHEAD
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(file)) as stream:
            content = stream.read(limit + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DatasetError(f"not a complete gzip file ({error})") from None
    if len(content) > limit:
        raise DatasetError(f"wrong content (more than {size:,} bytes)")
    return content


def _read_original(file: Path, description: Description, array: str) -> NDArray[np.uint8]:
    with file.open("rb") as stream:
        content = stream.read(largest_file(description, array) + 1)
    try:
        forms = _checked(content, description, array)
    except DatasetError as error:
        raise DatasetError(
            f"{file}: not the original file: {error}; delete it, and snakemake fetches it again"
        ) from None
    try:
        return read_idx(io.BytesIO(forms[-1]), description.shape(array))
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
    for name, file in zip(ARRAYS, files, strict=True):
        array = _read_original(file, description, name)
        arrays.append(array.reshape(len(array), -1) if "images" in name else array)
    return arrays


def _bundled_digits() -> list[NDArray[np.uint8]]:
    # Imported here, because it takes a second, and only this dataset needs it.
    from sklearn.datasets import load_digits

    train_size = CATALOGUE["digits"].train_size
    digits = load_digits()
    images, labels = digits.data.astype(np.uint8), digits.target.astype(np.uint8)
    return [images[:train_size], labels[:train_size], images[train_size:], labels[train_size:]]
