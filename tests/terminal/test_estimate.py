"""How long a run takes: the cost model, corrected by what the machine took."""

from pathlib import Path

import pytest

from ntk_mnist.terminal.estimate import Pace, Work, seconds_left


def network(seconds: float, threads: int = 1) -> Work:
    return Work("network", seconds, threads)


def test_work_is_shared_among_cores_and_no_job_is_shorter_than_itself() -> None:
    ten = [network(10.0)] * 10
    assert seconds_left(ten, [], 1, Pace()) == 100
    assert seconds_left(ten, [], 4, Pace()) == 25
    assert seconds_left([*ten, network(80.0)], [], 4, Pace()) == 80
    assert seconds_left([], [], 4, Pace()) == 0


def test_a_job_takes_no_more_threads_than_there_are_cores() -> None:
    # An exact solve takes all that there are.
    assert seconds_left([network(10.0, 256), network(10.0)], [], 4, Pace()) == 50 / 4


def test_what_a_job_has_run_counts_and_a_late_one_is_not_over() -> None:
    pace = Pace()
    assert pace.left(network(100.0), 30.0) == 70
    assert pace.left(network(100.0), 200.0) == 20
    assert seconds_left([], [(70.0, 1), (20.0, 1)], 2, pace) == 70
    assert seconds_left([network(100.0)], [(70.0, 2)], 2, pace) == 120


def test_finished_jobs_correct_the_time_of_their_kind_alone() -> None:
    pace = Pace()
    for _ in range(100):
        pace.add(network(60.0), 15.0)
    assert pace.factor("network") == pytest.approx(0.25, abs=0.01)
    assert pace.factor("kernel") == 1
    assert pace.seconds(network(1000.0)) == pytest.approx(250, abs=10)


def test_a_first_compilation_does_not_overthrow_what_is_known() -> None:
    pace = Pace({"network": 0.5})
    # Modelled as 5 s, it took ten times as long.
    pace.add(network(5.0), 50.0)
    assert pace.factor("network") < 1.5
    for _ in range(20):
        pace.add(network(100.0), 50.0)
    assert pace.factor("network") == pytest.approx(0.5, abs=0.03)


def test_short_cells_say_nothing_of_long_ones() -> None:
    pace = Pace()
    # Mostly start, on a busy machine.
    for _ in range(1000):
        pace.add(Work("network", 6.0, start=5.0), 12.0)
    long = Work("network", 500.0, start=5.0)
    assert pace.seconds(long) == pytest.approx(505, abs=1)
    pace.add(Work("network", 4805.0, start=5.0), 1210.0)
    # A quarter for all but the start.
    assert pace.seconds(long) == pytest.approx(10 + 495 / 4, rel=0.05)


def test_the_next_run_knows_how_long_cells_took_here(tmp_path: Path) -> None:
    file = tmp_path / "pace.json"
    assert not Pace.read(file).knows("network")
    pace = Pace({"kernel": 0.5})
    pace.add(network(1e6), 2e6)
    pace.write(file)
    again = Pace.read(file)
    assert again.knows("network")
    assert not again.knows("chart")
    assert again.factor("network") == pytest.approx(2, abs=0.01)
    assert again.factor("kernel") == 0.5


@pytest.mark.parametrize("text", ["", "[]", '{"network": "x"}', '{"network": null}', "\x00"])
def test_a_damaged_file_is_no_knowledge(tmp_path: Path, text: str) -> None:
    (tmp_path / "pace.json").write_text(text)
    assert not Pace.read(tmp_path / "pace.json").knows("network")
