"""Arrays in files, and how much memory is left."""

from pathlib import Path

import numpy as np
import pytest

from ntk_mnist.store.memory import bytes_of, mapped, memory_left


def test_mapped_arrays_are_arrays_of_their_own_and_leave_no_file(tmp_path: Path) -> None:
    shapes = [(3, 5), (2000, 7), (1, 1)]
    arrays = mapped(tmp_path / "new", shapes)
    for number, array in enumerate(arrays):
        array[:] = number
    assert [array.shape for array in arrays] == shapes
    assert [float(np.unique(array).item()) for array in arrays] == [0, 1, 2]
    assert list((tmp_path / "new").iterdir()) == []
    assert bytes_of(shapes) == 4 * (15 + 14000 + 1)


def test_arrays_without_room_are_refused_before_they_are_used(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No space left|too large"):
        mapped(tmp_path, [(2**50,)])


def test_the_tightest_limit_of_a_control_group_or_one_above_it_counts(tmp_path: Path) -> None:
    def group(folder: Path, limit: str, current: int, files: int) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text(f"{current}\n")
        (folder / "memory.stat").write_text(f"anon 5\nfile {files}\n")

    job = tmp_path / "job"
    group(tmp_path, "5000", 1000, 500)
    group(job, "max", 900, 500)
    assert memory_left(job) == 4500
    group(job, "2000", 900, 100)
    assert memory_left(job) == 1200


def test_without_a_limit_the_machine_counts(tmp_path: Path) -> None:
    assert memory_left(tmp_path / "none") > 1e8
