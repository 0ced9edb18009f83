"""A file appears under its name only when it is complete."""

from pathlib import Path
from typing import BinaryIO

import pytest

from ntk_mnist.store.whole_files import write_whole


def test_a_file_is_written_with_its_folder_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "a/b/x"
    write_whole(file, lambda stream: stream.write(b"content"))
    assert file.read_bytes() == b"content"
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_exists_is_replaced(tmp_path: Path) -> None:
    write_whole(tmp_path / "x", lambda stream: stream.write(b"a longer text"))
    write_whole(tmp_path / "x", lambda stream: stream.write(b"short"))
    assert (tmp_path / "x").read_bytes() == b"short"


def test_until_it_is_complete_the_file_has_its_earlier_content(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"before")

    def write(stream: BinaryIO) -> None:
        stream.write(b"after")
        stream.flush()
        assert file.read_bytes() == b"before"

    write_whole(file, write)
    assert file.read_bytes() == b"after"


@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_earlier_file_and_no_other(
    tmp_path: Path, error: BaseException
) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"before")

    def fail(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise error

    with pytest.raises(type(error)):
        write_whole(file, fail)
    assert file.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [file]


def test_everyone_may_read_the_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "x", lambda stream: stream.write(b""))
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o644
