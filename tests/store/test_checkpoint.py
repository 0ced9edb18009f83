"""A checkpoint stores arrays for cells with the same record, and for no others."""

import os
from pathlib import Path

import numpy as np
import pytest

from ntk_mnist.store.checkpoint import Checkpoint
from ntk_mnist.store.records import Record

MADE: Record = {"settings": {"size": 64}, "columns": {}, "code": {}, "libraries": {}}


def test_a_stored_array_is_found_by_a_cell_with_the_same_record(tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    Checkpoint(tmp_path / "c", MADE)["jitter=1e-08,tile=1,0"] = array
    again = Checkpoint(tmp_path / "c", MADE)
    assert list(again) == ["jitter=1e-08,tile=1,0"]
    np.testing.assert_array_equal(again["jitter=1e-08,tile=1,0"], array)


@pytest.mark.parametrize("part", MADE)
def test_another_record_empties_the_folder(tmp_path: Path, part: str) -> None:
    Checkpoint(tmp_path / "c", MADE)["x"] = np.ones(1)
    assert not Checkpoint(tmp_path / "c", {**MADE, part: {"size": 65}})
    assert not Checkpoint(tmp_path / "c", MADE)


def test_a_text_can_be_stored(tmp_path: Path) -> None:
    Checkpoint(tmp_path / "c", MADE)["seed=0"] = np.array('{"test_accuracy": 0.5}')
    assert str(Checkpoint(tmp_path / "c", MADE)["seed=0"]) == '{"test_accuracy": 0.5}'


def test_an_array_that_a_killed_process_did_not_finish_is_not_stored(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "c", MADE)
    (tmp_path / "c/.incoming-x.part").write_bytes(b"half")
    assert "x" not in checkpoint
    with pytest.raises(KeyError, match="x"):
        checkpoint["x"]
    Checkpoint(tmp_path / "c", MADE)
    assert not list((tmp_path / "c").glob(".incoming-*"))


def test_arrays_can_be_replaced_deleted_and_cleared(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "c", MADE)
    checkpoint["x"] = np.ones(1)
    checkpoint["x"] = np.zeros(2)
    checkpoint["y"] = np.ones(1)
    assert len(checkpoint) == 2
    assert len(checkpoint["x"]) == 2
    del checkpoint["x"]
    assert list(checkpoint) == ["y"]
    checkpoint.clear()
    assert len(checkpoint) == 0


def test_removing_it_leaves_nothing(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "a/c", MADE)
    checkpoint["x"] = np.ones(1)
    checkpoint.remove()
    assert os.listdir(tmp_path / "a") == []
    checkpoint.remove()
