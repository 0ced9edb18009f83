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
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ntk_mnist.data.catalogue import ARRAYS, CATALOGUE, DatasetError, Description

__all__ = [
    "canonical",
    "largest_archive",
    "largest_file",
    "prepare",
    "read_cifar",
    "read_idx",
    "unpacked_archive",
    "write_array",
]

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


def read_cifar(content: bytes, shape: tuple[int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read a file of CIFAR-10's binary version.

    Args:
        content: for each image a byte with its class, then its pixels: red, green, blue, each row
            by row.
        shape: the number of images, and the bytes of each.

    Returns:
        Images, uint8 of shape (n, pixels), and labels, uint8 of shape (n,).

    Raises:
        DatasetError: there are too few or too many bytes.

    Source: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
    """
    if len(content) != math.prod(shape):
        raise DatasetError(f"the file holds {len(content):,} bytes, not {math.prod(shape):,}")
    records = np.frombuffer(content, np.uint8).reshape(shape)
    return records[:, 1:], records[:, 0]


def largest_file(description: Description, part: str) -> int:
    """The most bytes that an original file can have, in any form."""
    return _content_size(description, part) + _OVERHEAD


def largest_archive(description: Description) -> int:
    """The most bytes that the archive of all original files can have."""
    return sum(_content_size(description, part) for part in description.parts) + _OVERHEAD


def _content_size(description: Description, part: str) -> int:
    shape = description.shape(part)
    header = 4 + 4 * len(shape) if description.format == "idx" else 0
    return header + math.prod(shape)


def unpacked_archive(file: bytes, description: Description) -> Mapping[str, bytes]:
    """The original files in an archive, by the names of their parts; nothing is written.

    Of other members, and of members of another size, nothing is kept.

    Args:
        file: a tar file, compressed by gzip.
        description: of the dataset.

    Raises:
        DatasetError: it is not the known archive, or lacks a file.
    """
    _, sha256 = description.archive
    found = hashlib.sha256(file).hexdigest()
    if found != sha256:
        raise DatasetError(f"wrong content (SHA-256 {found[:12]}…, not {sha256[:12]}…)")
    parts = {part.removesuffix(".gz"): part for part in description.parts}
    contents = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(file), mode="r|gz") as archive:
            for member in archive:
                part = parts.get(PurePosixPath(member.name).name, "")
                if part and member.isreg() and member.size == _content_size(description, part):
                    stream = archive.extractfile(member)
                    contents[part] = stream.read(member.size) if stream else b""
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DatasetError(f"not a complete archive ({error})") from None
    if missing := [part for part in description.parts if part not in contents]:
        raise DatasetError(f"the archive has no {missing[0].removesuffix('.gz')}")
    return contents


def canonical(file: bytes, description: Description, part: str) -> bytes:
    """An original file as gzip, whatever form it has.

    Args:
        file: the bytes of the file.
        description: of the dataset.
        part: the one of its parts that the file holds.

    Returns:
        The file itself if it is compressed once.

    Raises:
        DatasetError: it is not the original file.
    """
    forms = _checked(file, description, part)
    if len(forms) == 1:
        # Without a time, so that equal contents are equal files.
        return gzip.compress(forms[0], 1, mtime=0)
    return forms[-2]


def _checked(file: bytes, description: Description, part: str) -> list[bytes]:
    """An original file as it is and what it unpacks to, step by step; the last is the content.

    Raises:
        DatasetError: it is not the original file.
    """
    sha256 = description.files[description.parts.index(part)][1]
    size = _content_size(description, part)
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


def _read_original(file: Path, description: Description, part: str) -> bytes:
    with file.open("rb") as stream:
        content = stream.read(largest_file(description, part) + 1)
    try:
        return _checked(content, description, part)[-1]
    except DatasetError as error:
        raise DatasetError(
            f"{file}: not the original file: {error}; delete it, and snakemake fetches it again"
        ) from None


def prepare(name: str, originals: Sequence[Path], folder: Path) -> None:
    """Write the arrays of :data:`ARRAYS` as ``folder/<array>.npy``, images flattened.

    Args:
        name: a key of :data:`CATALOGUE`.
        originals: the files that ``data.sources.fetch`` wrote, in the order of the catalogue; none
            for a bundled dataset.
        folder: where the arrays go; an array appears under its name only when it is complete.

    Raises:
        DatasetError: an original file is damaged, or a pixel or a label is out of range.
    """
    description = CATALOGUE[name]
    arrays = _bundled_digits() if name == "digits" else _originals(description, originals)
    for array_name, array in zip(ARRAYS, arrays, strict=True):
        limit = description.pixel_max if "images" in array_name else description.outputs - 1
        if array.max() > limit:
            raise DatasetError(
                f"{name}: {array_name} has the value {array.max()}, more than {limit}"
            )
        write_array(folder, array_name, array)


def write_array(folder: Path, name: str, array: NDArray[Any]) -> None:
    """Write an array as ``folder/<name>.npy``; it appears there only when it is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as incoming:
        whole = Path(incoming) / f"{name}.npy"
        np.save(whole, array)
        os.replace(whole, folder / whole.name)


def _originals(description: Description, files: Sequence[Path]) -> list[NDArray[np.uint8]]:
    contents = []
    for part, file in zip(description.parts, files, strict=True):
        content, shape = _read_original(file, description, part), description.shape(part)
        try:
            contents.append(_FORMATS[description.format](content, shape))
        except DatasetError as error:
            raise DatasetError(f"{file}: {error}") from None
    if description.format == "idx":
        # Images and labels have files of their own.
        return [array.reshape(len(array), -1) if array.ndim > 1 else array for array in contents]
    *of_training, of_test = contents
    return [*map(np.concatenate, zip(*of_training, strict=True)), *of_test]


#: Readers of the content of one original file, by the name of its format.
_FORMATS: Mapping[str, Callable[[bytes, Any], Any]] = {
    "idx": lambda content, shape: read_idx(io.BytesIO(content), shape),
    "cifar": read_cifar,
}


def _bundled_digits() -> list[NDArray[np.uint8]]:
    # Imported here, because it takes a second, and only this dataset needs it.
    from sklearn.datasets import load_digits

    train_size = CATALOGUE["digits"].train_size
    digits = load_digits()
    images, labels = digits.data.astype(np.uint8), digits.target.astype(np.uint8)
    return [images[:train_size], labels[:train_size], images[train_size:], labels[train_size:]]
