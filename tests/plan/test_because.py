"""A reason is a file that is newer than what is stale, whatever the dates and permissions are."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from ntk_mnist import UserError
from ntk_mnist.plan.because import write_reasons

NOW = time.time_ns()
YEAR = 365 * 86400 * 10**9


def stale_file(folder: Path, date: int) -> Path:
    file = folder / "stale"
    file.write_text("")
    os.utime(file, ns=(date, date))
    return file


@pytest.mark.parametrize(
    "date",
    [NOW, NOW + YEAR, NOW + 10**9, NOW - 9 * YEAR, 1, 0, -YEAR, 40 * YEAR],
    # Every worker must collect the same names.
    ids=lambda date: f"{(date - NOW) / YEAR:+.2f} years",
)
def test_a_reason_is_newer_than_what_is_stale(tmp_path: Path, date: int) -> None:
    file = stale_file(tmp_path, date)
    (reason,) = write_reasons(tmp_path / "because", [file, tmp_path / "missing"], ["a/b: 1"])
    assert reason.name == "a_b: 1"
    # Also where seconds alone are stored; and Snakemake takes the date 0 for a missing file.
    assert reason.stat().st_mtime > file.stat().st_mtime + 1
    assert file.stat().st_mtime != 0


def test_a_reason_that_two_jobs_share_is_newer_than_the_files_of_both(tmp_path: Path) -> None:
    late = stale_file(tmp_path, NOW + YEAR)
    write_reasons(tmp_path / "because", [late], ["a"])
    (reason,) = write_reasons(tmp_path / "because", [], ["a"])
    assert reason.stat().st_mtime > late.stat().st_mtime


def test_no_reason_changes_nothing(tmp_path: Path) -> None:
    file = stale_file(tmp_path, 0)
    assert write_reasons(tmp_path / "because", [file], []) == []
    assert [path.name for path in tmp_path.iterdir()] == ["stale"]
    assert file.stat().st_mtime_ns == 0


def test_the_first_reasons_are_written(tmp_path: Path) -> None:
    written = write_reasons(tmp_path, [], [*"abcdefg"])
    assert [path.name for path in written] == [*"abcde"]


def test_a_folder_that_cannot_be_written_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "because").write_text("a file in its place")
    file = stale_file(tmp_path, NOW + YEAR)
    (reason,) = write_reasons(tmp_path / "because", [file], ["a"])
    assert reason.stat().st_mtime > file.stat().st_mtime
    assert tmp_path not in reason.parents


def test_a_stale_file_that_is_not_ours_needs_no_other_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = stale_file(tmp_path, NOW + YEAR)
    change = os.utime

    def utime(path: Path, **dates: Any) -> None:
        if path == file:
            raise PermissionError(path)
        change(path, **dates)

    monkeypatch.setattr(os, "utime", utime)
    (reason,) = write_reasons(tmp_path / "because", [file], ["a"])
    assert reason.stat().st_mtime > file.stat().st_mtime
    change(file, ns=(0, 0))
    with pytest.raises(UserError, match=r"its date is 0.*; give it another"):
        write_reasons(tmp_path / "because", [file], ["a"])
