"""A checkpoint stores arrays for cells with the same record, and for no others."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

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


@pytest.mark.parametrize(
    "array", [np.arange(60.0).reshape(6, 10), np.asfortranarray(np.ones((3, 4))), np.array("text")]
)
def test_a_flipped_byte_anywhere_makes_an_array_absent(tmp_path: Path, array: NDArray[Any]) -> None:
    Checkpoint(tmp_path / "c", MADE)["x"] = array
    file = tmp_path / "c/x.npy"
    content = file.read_bytes()
    for i in range(len(content)):
        file.write_bytes(content[:i] + bytes([content[i] ^ 1 << i % 8]) + content[i + 1 :])
        assert "x" not in Checkpoint(tmp_path / "c", MADE)
    for damaged in (b"", content[:-1], content[:20], content + b"x"):
        file.write_bytes(damaged)
        assert list(Checkpoint(tmp_path / "c", MADE)) == []
    file.write_bytes(content)
    np.testing.assert_array_equal(Checkpoint(tmp_path / "c", MADE)["x"], array)


def test_an_array_that_is_damaged_while_the_cell_runs_is_absent(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "c", MADE)
    checkpoint["x"] = np.ones(4)
    assert "x" in checkpoint
    file = tmp_path / "c/x.npy"
    file.write_bytes(file.read_bytes().replace(b"NUMPY", b"numpy"))
    with pytest.raises(KeyError, match="x"):
        checkpoint["x"]
    assert "x" not in checkpoint
    checkpoint["x"] = np.zeros(4)
    np.testing.assert_array_equal(checkpoint["x"], np.zeros(4))


def test_a_damaged_array_takes_only_those_along_that_are_linked_to_it(tmp_path: Path) -> None:
    for linked in (False, True):
        checkpoint = Checkpoint(tmp_path / "c", MADE, linked=linked)
        checkpoint.update({name: np.ones(1) for name in "xyz"})
        (tmp_path / "c/y.npy").write_bytes(b"damaged")
        assert sorted(Checkpoint(tmp_path / "c", MADE, linked=linked)) == (
            [] if linked else ["x", "z"]
        )


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{"])
def test_a_damaged_record_empties_the_folder(tmp_path: Path, content: bytes) -> None:
    Checkpoint(tmp_path / "c", MADE)["x"] = np.ones(1)
    (tmp_path / "c/made.json").write_bytes(content)
    assert not Checkpoint(tmp_path / "c", MADE)


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
