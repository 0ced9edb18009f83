"""The lines that show the progress of a long cell."""

import io

import pytest

from ntk_mnist.store.progress import ProgressLines, Stage, no_progress


class Clock:
    """A clock that a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("ntk_mnist.store.progress.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_lines_are_few_and_show_stage_tiles_and_time_left(clock: Clock) -> None:
    stream = io.StringIO()
    show = ProgressLines("nngp, 60,000 images", stream)
    for tile in range(1, 1001):
        clock.now += 0.125
        show(Stage.FACTORIZATION, tile, 1000)
    clock.now += 2
    show(Stage.INVERSE_STEPS, 1, 1)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 26
    assert lines[1] == "nngp, 60,000 images: factorization, 80 of 1,000, 1 min 55 s left"
    assert lines[-2] == "nngp, 60,000 images: factorization, 1,000 of 1,000, took 2 min 5 s"
    assert lines[-1] == "nngp, 60,000 images: inverse steps, 1 of 1, took 2 s"


def test_the_time_before_the_first_tile_does_not_enter_the_estimate(clock: Clock) -> None:
    stream = io.StringIO()
    show = ProgressLines("ntk", stream)
    for moment, tile in ((60.0, 1), (66.0, 7)):
        clock.now = moment
        show(Stage.EXACT_PRODUCTS, tile, 100)
    assert stream.getvalue().splitlines() == [
        "ntk: exact products, 1 of 100",
        "ntk: exact products, 7 of 100, 1 min 33 s left",
    ]


def test_a_stage_that_begins_again_is_timed_again(clock: Clock) -> None:
    stream = io.StringIO()
    show = ProgressLines("ntk", stream)
    for moment, tile in ((10.0, 1), (20.0, 2), (23.0, 1), (25.0, 2)):
        clock.now = moment
        show(Stage.REFINEMENT, tile, 2)
    assert [line for line in stream.getvalue().splitlines() if "took" in line] == [
        "ntk: refinement, 2 of 2, took 20 s",
        "ntk: refinement, 2 of 2, took 5 s",
    ]


def test_a_short_stage_has_no_line_and_a_long_one_few(clock: Clock) -> None:
    stream = io.StringIO()
    show = ProgressLines("width 64", stream, quiet=10)
    for seed in range(1, 11):
        clock.now += 0.9
        show(Stage.SEEDS, seed, 10)
    assert stream.getvalue() == ""
    show = ProgressLines("width 64", stream, quiet=10)
    for seed in range(1, 11):
        clock.now += 6
        show(Stage.SEEDS, seed, 10)
    assert stream.getvalue().splitlines() == [
        "width 64: seeds, 2 of 10, 48 s left",
        "width 64: seeds, 4 of 10, 36 s left",
        "width 64: seeds, 6 of 10, 24 s left",
        "width 64: seeds, 8 of 10, 12 s left",
        "width 64: seeds, 10 of 10, took 1 min 0 s",
    ]


def test_every_stage_has_words_of_its_own() -> None:
    assert len({stage.value for stage in Stage}) == len(Stage.__members__)


def test_no_progress_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    no_progress(Stage.TEST_IMAGES, 1, 2)
    assert capsys.readouterr() == ("", "")
