"""Why a job must run, as small files that are newer than what is stale and are named by reason.

Snakemake runs a job if an input is newer than an output, and its plan names that input:
`Updated input files: .snakemake/because/epochs was 20, is 30`.
"""

import atexit
import os
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ntk_mnist import UserError

__all__ = ["write_reasons"]

_SECOND = 10**9
_MOST = 5


def write_reasons(folder: Path, stale: Sequence[Path], found: Sequence[str]) -> list[Path]:
    """Write a file for each reason, newer than all that is stale, whatever dates that has.

    Args:
        folder: where they are written; if that is not permitted, a temporary folder is taken.
        stale: the files of the job.
        found: the reasons; the first few are written.

    Raises:
        UserError: Snakemake cannot see that a file is stale, and the file cannot be changed.
    """
    # The date of a link itself, as Snakemake compares that.
    dates = [_date(file) for file in stale if file.exists()] if found else []
    names = [re.sub(r"[^\w .,:=+()\[\]-]", "_", reason)[:160] for reason in found[:_MOST]]
    return [_write(folder, name, max(dates, default=0)) for name in names]


def _date(file: Path) -> int:
    if (date := file.lstat().st_mtime_ns) == 0:
        # Snakemake takes this date for a file that is missing.
        date = _SECOND
        try:
            os.utime(file, ns=(date, date), follow_symlinks=False)
        except OSError:
            raise UserError(
                f"{file}: is stale, but its date is 0, which hides that from Snakemake; "
                "give it another (touch), or delete it"
            ) from None
    return date


def _write(folder: Path, name: str, after: int) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _dated(folder / name, after)
    except OSError:
        return _dated(_temporary_folder() / name, after)


def _dated(file: Path, after: int) -> Path:
    # Other jobs of this run may have the same reason.
    before = file.stat().st_mtime_ns if file.exists() else 0
    # Always another content: Snakemake takes a file whose content it knows for an old one.
    file.write_text(str(time.time_ns()))
    # Some file systems store even seconds alone.
    date = max(file.stat().st_mtime_ns, before, after + 3 * _SECOND)
    os.utime(file, ns=(date, date))
    return file


@cache
def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ntk-mnist-because-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
