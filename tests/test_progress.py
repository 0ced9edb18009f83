"""The lines that tell how far a cell is."""

import io

import pytest

from ntk_mnist.progress import ProgressLines


def test_lines_are_few_and_tell_stage_tiles_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("ntk_mnist.progress.time.monotonic", lambda: now)
    stream = io.StringIO()
    tell = ProgressLines("nngp, 60,000 images", stream)
    for tile in range(1, 1001):
        now += 0.125
        tell("factorization", tile, 1000)
    now += 2
    tell("inverse steps", 1, 1)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 26
    assert lines[1] == "nngp, 60,000 images: factorization, 80 of 1,000, 1 min 55 s left"
    assert lines[-2] == "nngp, 60,000 images: factorization, 1,000 of 1,000, took 2 min 5 s"
    assert lines[-1] == "nngp, 60,000 images: inverse steps, 1 of 1, took 2 s"


def test_what_comes_before_the_first_tile_is_not_taken_for_the_speed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("ntk_mnist.progress.time.monotonic", lambda: now)
    stream = io.StringIO()
    tell = ProgressLines("ntk", stream)
    for moment, tile in ((60.0, 1), (66.0, 7)):
        now = moment
        tell("tiles", tile, 100)
    assert stream.getvalue().splitlines() == [
        "ntk: tiles, 1 of 100",
        "ntk: tiles, 7 of 100, 1 min 33 s left",
    ]
