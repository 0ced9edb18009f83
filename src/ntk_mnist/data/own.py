"""Datasets of the user's own: an ``.npz`` file, or a folder of ``.npy`` files, described.

Either has the arrays ``x_train``, ``y_train``, ``x_test`` and ``y_test``. Images are of dtype
uint8, features of any other dtype of real numbers; both have any shape (n, …). Labels are classes
if they are integers, of shape (n,), and real-valued targets if they are floats, of shape (n,) or
(n, k).

What Snakemake needs to plan comes from the headers of the arrays, from the classes, and from a
digest of the content: not of names, dates or the compression of a file. Pickled objects are never
read. NumPy is imported where it is needed, as a plan on a known dataset does without it.
"""

import hashlib
import math
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from ntk_mnist.data.catalogue import CATALOGUE, DatasetError, Description

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "NAMES",
    "Header",
    "class_faults",
    "contents_of",
    "describe",
    "digest_of",
    "faults",
    "faults_alone",
    "faults_together",
    "files_of",
    "name_of",
    "prepared_as",
    "title_of",
]

#: The arrays, in the order of ``catalogue.ARRAYS``.
NAMES = ("x_train", "y_train", "x_test", "y_test")

_CHUNK = 1 << 20
_NUMBERING = "number the classes from 0 on, as numpy.unique(y, return_inverse=True) does"
#: What to do about a dtype that is not of real numbers, of inputs and of labels.
_CONVERSIONS = {
    "x": "convert it to real numbers, as with astype(float)",
    "y": f"{_NUMBERING}; real-valued targets are floats",
}
#: What a damaged or strange file or archive may cause.
_FAULTS = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


def describe(dataset: str) -> Description:
    """What is known of a dataset: of the catalogue, or what a file of the user's own says.

    Args:
        dataset: a key of :data:`CATALOGUE`, or the path of an ``.npz`` file or of a folder.

    Raises:
        DatasetError: a file is missing, or its arrays are no dataset; one line, which names both.
    """
    if dataset in CATALOGUE:
        return CATALOGUE[dataset]
    try:
        # The file may change while this process runs.
        versions = tuple(
            (status.st_ino, status.st_mtime_ns, status.st_size)
            for status in map(os.stat, files_of(dataset))
        )
    except (OSError, ValueError, RuntimeError) as error:
        # Of a folder, which file it is.
        path = "" if _is_archive(dataset) else getattr(error, "filename", "")
        which = f"{Path(str(path)).name}: " if path else ""
        raise DatasetError(f"{dataset}: {which}{_reason(error)}; {_WHERE}") from None
    return _described(dataset, versions)


_WHERE = "needed: an .npz file or a folder of .npy files, relative to where snakemake runs"


def files_of(dataset: str) -> list[str]:
    """The files of a dataset of the user's own."""
    place = Path(dataset).expanduser()
    return [str(place)] if _is_archive(dataset) else [str(place / f"{n}.npy") for n in NAMES]


def name_of(dataset: str) -> str:
    """The name of a dataset in tables: of the user's own, that of its file or ``<folder>/``.

    Where the file lies does not count.
    """
    if dataset in CATALOGUE:
        return dataset
    name = Path(os.path.abspath(Path(dataset).expanduser())).name
    return name if _is_archive(dataset) else f"{name}/"


def title_of(name: str) -> str:
    """The title of a dataset for people, by its name in tables."""
    if name in CATALOGUE:
        return CATALOGUE[name].title
    return name.removesuffix("/").removesuffix(".npz")


def prepared_as(dataset: str, description: Description) -> str:
    """The folder of the prepared arrays: two contents never share one, and equal ones do."""
    if dataset in CATALOGUE:
        return dataset
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", title_of(name_of(dataset)))[:50]
    return f"{stem}-{description.sha256[:12]}"


def digest_of(digests: Mapping[str, str]) -> str:
    """The SHA-256 of a dataset, from those of its arrays as ``.npy`` files."""
    listed = "\n".join(f"{name} {digests[name]}" for name in NAMES)
    return hashlib.sha256(listed.encode()).hexdigest()


def contents_of(dataset: str) -> dict[str, bytes]:
    """The four arrays as ``.npy`` files, whole.

    Raises:
        DatasetError: a file cannot be read, or holds more or less than its header states.
    """
    contents = {}
    with _opened(dataset) as streams:
        for name, header in _headers(dataset, streams).items():
            with _reading(dataset, name), streams[name]() as stream:
                contents[name] = b"".join(_exactly(stream, header.size))
    return contents


class Header(NamedTuple):
    """Of an ``.npy`` file.

    Attributes:
        shape: of the array.
        dtype: of the array.
        size: in bytes, of the whole file.
    """

    shape: tuple[int, ...]
    dtype: "np.dtype[Any]"
    size: int


def _is_archive(dataset: str) -> bool:
    return dataset.endswith(".npz")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return (str(error).splitlines() or ["it cannot be read"])[0]


@contextmanager
def _reading(dataset: str, name: str) -> Iterator[None]:
    try:
        yield
    except DatasetError:
        raise
    except _FAULTS as error:
        raise DatasetError(f"{dataset}: {name} cannot be read ({_reason(error)})") from None


@contextmanager
def _opened(dataset: str) -> Iterator[dict[str, Callable[[], Any]]]:
    """Functions that open each array as a binary stream.

    Raises:
        DatasetError: there is no such file, or it is no archive, or lacks an array.
    """
    if not _is_archive(dataset):
        folder = Path(dataset).expanduser()
        yield {name: _opener(folder / f"{name}.npy") for name in NAMES}
        return
    try:
        archive = zipfile.ZipFile(files_of(dataset)[0])
    except _FAULTS as error:
        raise DatasetError(
            f"{dataset}: not an .npz file ({_reason(error)}); make one with numpy.savez"
        ) from None
    with archive:
        members = set(archive.namelist())
        missing = [name for name in NAMES if f"{name}.npy" not in members]
        if missing:
            raise DatasetError(
                f"{dataset}: has no {missing[0]}; make it with "
                "numpy.savez(file, x_train=…, y_train=…, x_test=…, y_test=…)"
            )
        yield {name: _member(archive, f"{name}.npy") for name in NAMES}


def _opener(file: Path) -> Callable[[], BinaryIO]:
    return lambda: file.open("rb")


def _member(archive: zipfile.ZipFile, name: str) -> Callable[[], Any]:
    return lambda: archive.open(name)


def _headers(dataset: str, streams: Mapping[str, Callable[[], Any]]) -> dict[str, Header]:
    """The headers of all arrays, of dtypes whose values are no Python objects."""
    from numpy.lib import format as npy

    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    headers = {}
    for name, opened in streams.items():
        with _reading(dataset, name), opened() as stream:
            version = npy.read_magic(stream)
            if version not in readers:
                raise ValueError(f"version {version[0]}.{version[1]} of the .npy format")
            shape, _, dtype = readers[version](stream)
            if dtype.hasobject:
                raise DatasetError(
                    f"{dataset}: {name} holds Python objects; save it as an array of numbers"
                )
            size = stream.tell() + math.prod(shape) * dtype.itemsize
            headers[name] = Header(shape, dtype, size)
    return headers


def _exactly(stream: Any, size: int) -> Iterator[bytes]:
    """The content of a stream, by chunks.

    Raises:
        ValueError: there are more or less bytes.
    """
    left = size
    while chunk := stream.read(min(_CHUNK, left + 1)):
        left -= len(chunk)
        if left < 0:
            break
        yield chunk
    if left:
        held = "more" if left < 0 else f"{size - left:,}"
        raise ValueError(f"its header states {size:,} bytes, the file holds {held}")


@cache
def _described(dataset: str, _versions: tuple[tuple[int, ...], ...]) -> Description:
    digests, classes = {}, {}
    with _opened(dataset) as streams:
        headers = _headers(dataset, streams)
        for fault in faults(headers):
            raise DatasetError(f"{dataset}: {fault}")
        for name, header in headers.items():
            digest, kept = hashlib.sha256(), BytesIO()
            with _reading(dataset, name), streams[name]() as stream:
                for chunk in _exactly(stream, header.size):
                    digest.update(chunk)
                    # Labels are few bytes, and say how many classes there are.
                    if name.startswith("y") and header.dtype.kind in "iu":
                        kept.write(chunk)
            digests[name] = digest.hexdigest()
            if kept.tell():
                classes[name] = kept
    x, y = headers["x_train"], headers["y_train"]
    outputs = math.prod(y.shape[1:])
    if classes:
        found = {name: _classes_in(file) for name, file in classes.items()}
        for fault in class_faults(found, _rows(x)):
            raise DatasetError(f"{dataset}: {fault}")
        outputs = max(map(max, found.values())) + 1
    is_image = x.dtype == "uint8"
    return Description(
        title=title_of(name_of(dataset)),
        files=(),
        train_size=x.shape[0],
        test_size=headers["x_test"].shape[0],
        image_shape=x.shape[1:] or (1,),
        pixel_max=255 if is_image else 1,
        outputs=outputs,
        real_valued=not classes,
        pixel_bytes=1 if is_image else 4,
        sha256=digest_of(digests),
    )


def faults(headers: Mapping[str, Header]) -> Iterator[str]:
    """Faults that the headers of the arrays :data:`NAMES` tell: what is wrong, and what to do."""
    for name, header in headers.items():
        yield from faults_alone(name, header)
    for part in ("train", "test"):
        x, y = headers[f"x_{part}"], headers[f"y_{part}"]
        if x.shape[:1] != y.shape[:1]:
            yield (
                f"x_{part} has {_rows(x):,} rows and y_{part} {_rows(y):,}; each row needs its "
                "label"
            )
    for letter in ("x", "y"):
        yield from faults_together(f"{letter}_train", f"{letter}_test", headers)


def faults_alone(name: str, header: Header) -> Iterator[str]:
    """Faults of one array; the name of inputs begins with x, that of labels with y."""
    shape, dtype, _ = header
    if dtype.kind not in "uif":
        yield f"{name} has the dtype {dtype}; {_CONVERSIONS[name[0]]}"
    elif not shape:
        yield f"{name} is a single number; it needs the shape (n, …)"
    elif not shape[0]:
        yield f"{name} is empty; at least one row is needed"
    elif not math.prod(shape):
        yield f"{name} has the shape {shape}, without any value in a row"
    elif name.startswith("y") and dtype.kind in "iu" and len(shape) > 1:
        remedy = (
            "ravel() makes of one column"
            if shape[1:] == (1,)
            else ("argmax(axis=1) makes of one-hot rows")
        )
        yield (
            f"{name} has the shape {shape}; classes are whole numbers of the shape (n,), as "
            f"{remedy}, and real-valued targets are floats"
        )
    elif name.startswith("y") and len(shape) > 2:
        yield f"{name} has the shape {shape}; real-valued targets have (n,) or (n, k)"


def faults_together(one: str, other: str, headers: Mapping[str, Header]) -> Iterator[str]:
    """Faults of two arrays, of inputs or of labels, that are to be of one kind."""
    first, second, letter = headers[one], headers[other], one[0]
    if first.shape[1:] != second.shape[1:]:
        yield (
            f"{one} has rows of the shape {first.shape[1:]} and {other} of "
            f"{second.shape[1:]}; both need the same"
        )
    if _meaning(letter, first.dtype) != _meaning(letter, second.dtype):
        yield (
            f"{one} has the dtype {first.dtype} and {other} {second.dtype}; "
            f"convert the {'inputs' if letter == 'x' else 'labels'} of one like the other"
        )


def _rows(header: Header) -> int:
    return header.shape[0] if header.shape else 0


def _meaning(letter: str, dtype: "np.dtype[Any]") -> str:
    """What decides how values are read: images or features, classes or targets."""
    if letter == "x":
        return "images" if dtype == "uint8" else "features"
    return "targets" if dtype.kind == "f" else "classes"


def _classes_in(file: BytesIO) -> list[int]:
    """The classes of an ``.npy`` file, in ascending order."""
    import numpy as np
    from numpy.lib import format as npy

    file.seek(0)
    classes: list[int] = np.unique(npy.read_array(file, allow_pickle=False)).tolist()
    return classes


def class_faults(classes: Mapping[str, Sequence[int]], train_size: int) -> Iterator[str]:
    """Faults of the classes that the arrays of labels have, each in ascending order."""
    for name, found in classes.items():
        if found[0] < 0:
            yield f"{name} has the class {found[0]}; classes are whole numbers from 0 on"
        if name == "y_train" and len(found) == 1:
            yield "y_train has one class alone; at least two are needed"
    names, largest = " or ".join(classes), max(map(max, classes.values()))
    if largest >= max(train_size, 2):
        yield f"{names} has the class {largest:,}, for {train_size:,} training rows; {_NUMBERING}"
    # A rare class may be in neither set, but the first one is missing from what counts from 1.
    if not any(0 in found for found in classes.values()):
        have = "have" if len(classes) > 1 else "has"
        yield f"{' and '.join(classes)} {have} no class 0; {_NUMBERING}"
