"""Arrays in files, and how much memory is left."""

from pathlib import Path

import numpy as np
import pytest

from ntk_mnist.store.memory import _VERSIONS, _Version, bytes_of, mapped, memory_left


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


@pytest.mark.parametrize("version", _VERSIONS, ids=["version 2", "version 1"])
def test_the_tightest_limit_of_a_control_group_or_one_above_it_counts(
    tmp_path: Path, version: _Version
) -> None:
    version = version._replace(root=tmp_path / "root")
    named = tmp_path / "named"
    named.write_text(f"7:cpu:/elsewhere\n1:{version.controllers}:/site/job\n")

    def group(path: str, limit: str, usage: int, files: int) -> None:
        folder = version.root / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / version.limit).write_text(f"{limit}\n")
        (folder / version.usage).write_text(f"{usage}\n")
        (folder / "memory.stat").write_text(f"other 5\n{version.files} {files}\n")

    # What a container cannot see does not count.
    assert memory_left(named, [version]) > 1e8
    group("", "5000", 1000, 500)
    assert memory_left(named, [version]) == 4500
    group("site", str(2**62), 900, 500)
    group("site/job", "2000", 900, 100)
    assert memory_left(named, [version]) == 1200
    group("site", "1500", 900, 500)
    assert memory_left(named, [version]) == 1100


def test_without_a_limit_the_machine_counts(tmp_path: Path) -> None:
    assert 1e8 < memory_left(tmp_path / "none") < 1e14
    assert memory_left() > 1e8
