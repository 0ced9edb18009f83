"""The original files of a dataset, each from the first source that has it.

A source may be a folder or a mirror, and need not be trusted: a file is accepted only if its
SHA-256 is the known one. Files are written under a temporary name and renamed when complete.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ntk_mnist.data.catalogue import CATALOGUE, DatasetError

__all__ = ["fetch"]

_CONNECT_SECONDS, _READ_SECONDS, _RETRIES = 10, 30, 2
#: A download is given up if its mean rate is lower than this after the first seconds.
_GRACE_SECONDS, _SLOWEST_BYTES_A_SECOND = 60, 10_000


def fetch(name: str, sources: Sequence[str], folder: Path) -> None:
    """Put the original files of a dataset into ``folder`` and check each of them.

    Args:
        name: a key of :data:`CATALOGUE`.
        sources: local folders and http(s) addresses of folders, tried in order for each file.
        folder: where the files go; a file appears under its name only when it is complete.

    Raises:
        DatasetError: no source has a file; the message gives the reason for each source.
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
                        _copy(Path(source).expanduser() / file_name, sha256, copy)
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
            f"{title} is not available: no source has {file_name}",
            *failures,
            "Remedies:",
            f"  1. put the four original files of {title} into the folder data/{name};",
            f"  2. or name a folder or mirror that has them in the config, under sources.{name};",
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
    # Imported here, because only this command needs a network client.
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    mirror = pooch.create(
        path=target.parent,
        base_url=address.rstrip("/") + "/",
        registry={file_name: f"sha256:{sha256}"},
        retry_if_failed=_RETRIES,
    )
    downloader = pooch.HTTPDownloader(
        progressbar=_Progress(file_name),
        # Small, because the rate is checked only when a chunk is complete.
        chunk_size=256,
        timeout=(_CONNECT_SECONDS, _READ_SECONDS),
    )
    try:
        mirror.fetch(file_name, downloader=downloader)
    except requests.exceptions.HTTPError as error:
        raise DatasetError(f"the server answered {error.response.status_code}") from None
    except _TooSlow:
        raise DatasetError("too slow") from None
    except requests.exceptions.Timeout:
        raise DatasetError("no answer in time") from None
    except requests.exceptions.ConnectionError as error:
        raise DatasetError(f"no connection ({_root_cause(error)})") from None
    except requests.exceptions.RequestException as error:
        raise DatasetError(f"the download failed ({_root_cause(error)})") from None
    except ValueError:
        # pooch raises this if the hash of a download differs.
        raise DatasetError("the download is not the original file (its SHA-256 differs)") from None


class _TooSlow(Exception):
    """A server sends bytes, but too slowly to wait for."""


class _Progress:
    """A progress bar for pooch that also checks the rate; it is shown when bytes arrive."""

    def __init__(self, description: str) -> None:
        self._description = description
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
