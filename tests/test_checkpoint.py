"""What a checkpoint holds, and for whom."""

from pathlib import Path

import numpy as np
import pytest

from ntk_mnist.checkpoint import Checkpoint

MADE = {"settings": {"size": 64}, "code": {}, "libraries": {}}


def test_an_array_is_found_again_by_the_same_cell_only(tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    Checkpoint(tmp_path / "c", MADE)["jitter=1e-08,tile=1,0"] = array
    again = Checkpoint(tmp_path / "c", MADE)
    assert list(again) == ["jitter=1e-08,tile=1,0"]
    np.testing.assert_array_equal(again["jitter=1e-08,tile=1,0"], array)
    assert not Checkpoint(tmp_path / "c", MADE | {"settings": {"size": 65}})


def test_what_was_being_written_when_the_process_died_is_not_there(tmp_path: Path) -> None:
    kept = Checkpoint(tmp_path / "c", MADE)
    (tmp_path / "c/.incoming-x.part").write_bytes(b"half")
    assert "x" not in kept
    with pytest.raises(KeyError):
        kept["x"]
    Checkpoint(tmp_path / "c", MADE)
    assert not list((tmp_path / "c").glob(".incoming-*"))


def test_it_can_be_emptied(tmp_path: Path) -> None:
    kept = Checkpoint(tmp_path / "c", MADE)
    kept["x"] = np.ones(1)
    kept.clear()
    assert len(kept) == 0
