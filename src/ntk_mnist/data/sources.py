"""The original files of a dataset, each from the first source that has it.

A source may be a folder or a mirror, and need not be trusted: a file is accepted only if it is the
original one, in any form that ``data.originals`` knows. Whatever a source does, the next one is
tried. Files are written under a temporary name and renamed when complete.
"""

import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ntk_mnist.data.catalogue import CATALOGUE, DatasetError, Description
from ntk_mnist.data.originals import canonical, largest_archive, largest_file, unpacked_archive
from ntk_mnist.store.whole_files import write_whole

__all__ = ["fetch"]

_CONNECT_SECONDS, _READ_SECONDS, _RETRIES = 10, 30, 2
#: A download is given up if its mean rate is lower than this after the first seconds.
_GRACE_SECONDS, _SLOWEST_BYTES_A_SECOND = 60, 10_000


def fetch(name: str, sources: Sequence[str], folder: Path) -> None:
    """Put the original files of a dataset into ``folder`` as gzip, and check each of them.

    Args:
        name: a key of :data:`CATALOGUE`.
        sources: local folders and http(s) addresses of folders, tried in order for each file.
        folder: where the files go; a file appears under its name only when it is complete.

    Raises:
        DatasetError: no source has a file; the message gives the reason for each source.
        OSError: a file cannot be written.
    """
    description = CATALOGUE[name]
    folder.mkdir(parents=True, exist_ok=True)
    archives = _Archives(description, folder)
    for part, (file_name, _) in zip(description.parts, description.files, strict=True):
        failures = []
        for source in sources:
            try:
                content = _original(source, description, part, archives, folder)
            except DatasetError as failure:
                failures.append(f"  {source}: {failure}")
                continue
            write_whole(folder / file_name, partial(_write, content))
            break
        else:
            raise DatasetError(_unavailable(name, file_name, failures))


def _write(content: bytes, stream: BinaryIO) -> None:
    stream.write(content)


def _unavailable(name: str, file_name: str, failures: Sequence[str]) -> str:
    description = CATALOGUE[name]
    title, (archive, _) = description.title, description.archive
    count = {4: "four", 6: "six"}[len(description.files)]
    wanted = f"the {count} original files of {title}" + (f", or {archive}," if archive else "")
    return "\n".join(
        [
            f"{title} is not available: no source has {file_name}",
            *failures,
            "Remedies:",
            f"  1. put {wanted} into the folder data/{name};",
            f"  2. or name a folder or mirror that has them in the config, under sources.{name};",
            "  3. or run on the bundled digits, without a network: "
            "snakemake --configfile config/digits.yaml",
        ]
    )


class _Absent(DatasetError):
    """A source has no file of a name; it may have the file under another name."""


class _Archives:
    """The archives of all original files, one a source; each is read once.

    Args:
        description: of the dataset.
        folder: where a download is stored while it is incomplete.
    """

    def __init__(self, description: Description, folder: Path) -> None:
        self._description, self._folder = description, folder
        self._found: dict[str, Mapping[str, bytes] | DatasetError] = {}

    def original(self, source: str, part: str) -> bytes:
        """An original file from the archive of a source, as gzip.

        Raises:
            DatasetError: the source does not have the archive.
        """
        if source not in self._found:
            try:
                self._found[source] = self._opened(source)
            except DatasetError as failure:
                self._found[source] = failure
        found = self._found[source]
        if isinstance(found, DatasetError):
            raise found
        return canonical(found[part], self._description, part)

    def _opened(self, source: str) -> Mapping[str, bytes]:
        name, _ = self._description.archive
        limit = largest_archive(self._description)
        if "://" in source:
            file = _download(source, name, limit, self._folder)
        else:
            file = _read(source, name, limit)
        try:
            return unpacked_archive(file, self._description)
        except DatasetError as failure:
            raise DatasetError(f"{name}: {failure}") from None


def _original(
    source: str, description: Description, part: str, archives: _Archives, folder: Path
) -> bytes:
    """An original file from a source, by itself or in an archive, as gzip.

    Raises:
        DatasetError: the source does not have it.
    """
    archive, _ = description.archive
    if archive and "://" in source:
        # Mirrors have the archive alone.
        return archives.original(source, part)
    try:
        return _single(source, description, part, folder)
    except _Unusable:
        raise
    except DatasetError as failure:
        if not archive:
            raise
        try:
            return archives.original(source, part)
        except _Absent:
            raise failure from None
        except DatasetError as other:
            told = "" if isinstance(failure, _Absent) else f"{failure}; "
            raise DatasetError(f"{told}{other}") from None


def _single(source: str, description: Description, part: str, folder: Path) -> bytes:
    """An original file from a source, which may have it under several names, as gzip.

    Raises:
        _Absent: the source has none of these names.
        DatasetError: the source does not have it.
    """
    original_name = description.files[description.parts.index(part)][0]
    limit = largest_file(description, part)
    remote = "://" in source
    absent, reasons = "", list[str]()
    for name in _names(original_name, [""] if remote else _folders(description)):
        try:
            file = _download(source, name, limit, folder) if remote else _read(source, name, limit)
            return canonical(file, description, part)
        except _Unusable:
            raise
        except _Absent as failure:
            absent = absent or str(failure)
        except DatasetError as failure:
            # A server may answer with one page whatever it is asked for.
            if not any(reason.endswith(str(failure)) for reason in reasons):
                reasons.append(str(failure) if name == original_name else f"{name}: {failure}")
    if reasons:
        raise DatasetError("; ".join(reasons))
    raise _Absent(absent)


def _folders(description: Description) -> list[str]:
    """Where original files may be in a folder: as torchvision stores them, or an archive."""
    if description.format == "cifar":
        return ["", "cifar-10-batches-bin/"]
    return ["", "raw/", f"{description.title.replace('-', '')}/raw/"]


def _names(name: str, folders: Sequence[str]) -> Iterator[str]:
    """The names that an original file may have below a source.

    Args:
        name: as it was published, compressed.
        folders: where it may be.
    """
    unpacked = name.removesuffix(".gz")
    # Some programs that unpack or copy the files give them this name.
    dotted = unpacked.replace("-idx", ".idx")
    for folder in folders:
        for one in dict.fromkeys((name, unpacked, f"{dotted}.gz", dotted)):
            yield folder + one


class _Unusable(DatasetError):
    """A source cannot be used at all, whatever the name of the file."""


def _read(source: str, name: str, limit: int) -> bytes:
    """A file below a folder.

    Raises:
        _Absent: there is none.
        _Unusable: the folder has no path.
        DatasetError: it cannot be read, or has more than ``limit`` bytes.
    """
    try:
        folder = Path(source).expanduser()
    except RuntimeError:
        raise _Unusable("the home of that user is not known") from None
    try:
        # A pipe or a device may have no end.
        if not stat.S_ISREG((folder / name).stat().st_mode):
            raise DatasetError("not a file")
        with (folder / name).open("rb") as stream:
            file = stream.read(limit + 1)
    except FileNotFoundError:
        raise _Absent("no such file") from None
    except NotADirectoryError:
        raise _Absent("not a folder") from None
    except OSError as error:
        raise DatasetError(error.strerror or str(error)) from None
    except ValueError as error:
        # A path that no file can have.
        raise _Unusable(str(error)) from None
    if len(file) > limit:
        raise DatasetError(f"wrong content (more than {limit:,} bytes)")
    return file


def _download(address: str, name: str, limit: int, folder: Path) -> bytes:
    """A file below an address.

    Raises:
        _Absent: the server does not have it.
        _Unusable: the server does not answer, or not in time, or the address is none.
        DatasetError: the download failed, or has more than ``limit`` bytes.
    """
    # Imported here, because only this command needs a network client.
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    progress = _Progress(name, limit)
    downloader = pooch.HTTPDownloader(
        progressbar=progress,
        # Small, because the rate is checked only when a chunk is complete.
        chunk_size=256,
        timeout=(_CONNECT_SECONDS, _READ_SECONDS),
    )

    def download_once(*arguments: Any) -> None:
        # What a further attempt would not change is told from what it may.
        try:
            downloader(*arguments)
        except requests.exceptions.HTTPError as error:
            status = error.response.status_code
            if 400 <= status < 500:
                raise _Absent(f"the server answered {status}") from None
            raise
        except (requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema):
            raise _Unusable("neither a folder nor an http(s) address") from None
        except requests.exceptions.TooManyRedirects:
            raise _Unusable("the server redirects again and again") from None

    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as incoming:
            mirror = pooch.create(
                path=incoming,
                base_url=address.rstrip("/") + "/",
                # Without a hash, as a mirror may send the file in another form.
                registry={name: None},
                retry_if_failed=_RETRIES,
            )
            mirror.fetch(name, downloader=download_once)
            return (Path(incoming) / name).read_bytes()
    except requests.exceptions.HTTPError as error:
        raise _Unusable(f"the server answered {error.response.status_code}") from None
    except _TooSlow:
        raise _Unusable("too slow") from None
    except requests.exceptions.Timeout:
        raise _Unusable("no answer in time") from None
    except requests.exceptions.ConnectionError as error:
        raise _Unusable(f"no connection ({_root_cause(error)})") from None
    except (requests.exceptions.InvalidURL, UnicodeError):
        raise _Unusable("not an address") from None
    except requests.exceptions.RequestException as error:
        raise DatasetError(f"the download failed ({_root_cause(error)})") from None
    except ValueError as error:
        # Python's own check of an address, also of one that a server redirects to.
        raise _Unusable(f"not an address, or no answer of a server ({error})") from None
    except OSError as error:
        # Of the client itself, as when its certificates are missing. A full disk has a number.
        if error.errno is None:
            raise _Unusable(str(error)) from None
        raise


class _TooSlow(Exception):
    """A server sends bytes, but too slowly to wait for."""


class _Progress:
    """A progress bar for pooch that also checks rate and size; it is shown when bytes arrive."""

    def __init__(self, description: str, limit: int) -> None:
        self._description, self._limit = description, limit
        self._bar: Any = None
        self.total = 0

    @property
    def total(self) -> int:
        """Expected number of bytes; pooch sets it when an attempt begins."""
        return self._total

    @total.setter
    def total(self, total: int) -> None:
        self.close()
        self._total, self._bar, self._started = total, None, time.monotonic()

    def update(self, received: int) -> None:
        """Count ``received`` more bytes.

        Raises:
            _TooSlow: the mean rate is too low.
            DatasetError: more bytes come than any form of the file has.
        """
        from tqdm import tqdm

        if self._bar is None:
            # To the terminal; stderr is for errors.
            self._bar = tqdm(
                desc=self._description,
                total=self.total,
                unit="B",
                unit_scale=True,
                file=sys.stdout,
            )
        self._bar.update(received)
        if self._bar.n > self._limit:
            raise DatasetError(f"wrong content (more than {self._limit:,} bytes)")
        elapsed = time.monotonic() - self._started
        if elapsed > _GRACE_SECONDS and self._bar.n < elapsed * _SLOWEST_BYTES_A_SECOND:
            raise _TooSlow

    def reset(self) -> None:
        """Count from zero; pooch then reports all bytes at once."""
        if self._bar is not None:
            self._bar.reset()
        self._started = time.monotonic()

    def close(self) -> None:
        """Finish the bar and leave it on the terminal."""
        if self._bar is not None:
            self._bar.close()


def _root_cause(error: BaseException) -> str:
    """The innermost reason of a network error, without the addresses of Python objects."""
    while isinstance(error.args[0] if error.args else None, BaseException):
        error = error.args[0]
    reason = getattr(error, "reason", None) or error
    text = str(reason)
    return text.rsplit(": ", 1)[-1] if ": " in text else text
