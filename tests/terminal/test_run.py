"""A run as it goes, in plain lines and as a panel."""

import io
import os
import time
from pathlib import Path

import pytest
from rich.console import Console
from terminal.made_up_run import Clock, made_up_run, network

from ntk_mnist.terminal.estimate import Pace
from ntk_mnist.terminal.lines import Lines
from ntk_mnist.terminal.panel import Panel, drawn
from ntk_mnist.terminal.run import Run, last_line


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_jobs_are_counted_in_the_order_of_their_kinds(clock: Clock) -> None:
    run = made_up_run()
    assert list(run.totals.items()) == [("networks", 4), ("kernels", 1), ("charts", 1)]
    run.start(0)
    run.start(1)
    clock.now += 50
    run.finish(1)
    run.fail(0)
    # Snakemake names jobs that are no work, as `all`.
    run.start(99)
    run.finish(99)
    assert dict(run.done) == {"networks": 1}
    assert dict(run.failed) == {"networks": 1}
    assert run.running == []


def test_the_time_left_follows_what_this_machine_takes(clock: Clock) -> None:
    run = made_up_run(networks=40, cores=2)
    assert run.seconds_left == pytest.approx((40 * 100 + 14) / 2)
    for number in range(20):
        run.start(number)
        clock.now += 25
        run.finish(number)
    # A quarter of the model's, but for what is not known yet.
    assert run.seconds_left == pytest.approx((20 * 27 + 14) / 2, rel=0.05)


def test_a_plain_run_has_a_line_at_each_tenth_of_the_work(clock: Clock) -> None:
    run = made_up_run(networks=100, cores=1)
    lines, said = Lines(run), []
    for number in range(100):
        run.start(number)
        for _ in range(10):
            clock.now += 5
            said.append(lines.due())
        run.finish(number)
    found = [line for line in said if line]
    assert len(found) == 9
    assert "11 of 100 networks, 0 of 1 kernel; about " in found[0]
    assert "left; now width 2,048, size 64, relu (" in found[0]


def test_a_plain_run_says_at_least_every_ten_minutes_that_it_goes_on(clock: Clock) -> None:
    run = made_up_run()
    lines = Lines(run)
    run.start(0)
    said = []
    for _ in range(3600):
        clock.now += 1
        said.append(lines.due())
    assert len([line for line in said if line]) == 6
    assert "now width 1, size 64, relu (longer than expected)" in str(next(filter(None, said)))


def test_the_panel_shows_bars_running_jobs_and_the_time_left(clock: Clock) -> None:
    run = made_up_run()
    for number in (0, 1):
        run.start(number)
    clock.now += 25
    run.finish(0)
    clock.now += 5
    console = Console(file=io.StringIO(), force_terminal=True, width=100, record=True)
    console.print(drawn(run))
    text = console.export_text()
    networks, kernels, charts, running, last = text.splitlines()
    assert networks.split()[0] == "networks"
    assert networks.rstrip().endswith("1/4")
    assert kernels.rstrip().endswith("0/1")
    assert charts.rstrip().endswith("0/1")
    assert running.split("  ")[1:3] == ["width 2, size 64, relu", "30 s"]
    assert " %, " in running
    assert last.startswith("About ")


def test_the_panel_names_a_few_of_many_running_jobs(clock: Clock) -> None:
    run = made_up_run(networks=100, cores=100)
    for number in range(100):
        run.start(number)
    console = Console(file=io.StringIO(), force_terminal=True, width=60, record=True)
    console.print(drawn(run))
    lines = console.export_text().splitlines()
    assert len(lines) == 3 + 8 + 2
    assert lines[-2] == "  and 92 more"
    assert all(len(line) <= 60 for line in lines)


def test_the_panel_leaves_nothing_behind() -> None:
    stream = io.StringIO()
    panel = Panel(made_up_run(), stream)
    panel._console = Console(file=stream, force_terminal=True, width=80)
    panel.draw()
    assert "\x1b[?25l" in stream.getvalue()
    panel.clear()
    panel.draw()
    panel.end()
    written = stream.getvalue()
    # The cursor is shown again, and the lines are erased.
    assert written.rfind("\x1b[?25h") > written.rfind("\x1b[?25l")
    assert written.rstrip("\x1b[?25h").endswith("\x1b[2K")
    panel.draw()
    assert stream.getvalue() == written


def test_a_running_job_says_how_far_its_log_says_it_is(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run = Run({0: network(64, 100.0, log)}, 2, Pace())
    assert run.how_far(run.jobs[0], 25.0) == "about 25 %, 1 min left"
    log.write_text("width 64, 64 images, 20 epochs each: seeds, 3 of 10, 1 min 10 s left\n")
    assert run.how_far(run.jobs[0], 25.0) == "seeds, 3 of 10, 1 min left"


def test_the_time_left_of_a_network_is_what_its_log_says(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run = Run({0: network(64, 1000.0, log)}, 2, Pace())
    run.start(0)
    assert run.seconds_left == pytest.approx(1000, abs=5)
    log.write_text("width 64: seeds, 3 of 10, 1 min 10 s left\n")
    assert run.seconds_left == pytest.approx(70, abs=5)


def test_progress_that_a_log_states_ages(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("ntk, 60,000 images: factorization, 2,479 of 4,930, 50 s left\n")
    now = time.time()
    os.utime(log, (now - 30, now - 30))
    assert last_line(log, 60.0) == "factorization, 2,479 of 4,930, 20 s left"
    os.utime(log, (now - 58, now - 58))
    assert last_line(log, 60.0) == "factorization, 2,479 of 4,930"
    # Of a run before.
    assert last_line(log, 10.0) == ""


@pytest.mark.parametrize("content", [b"", b"a warning\n", b"error: x\n", b"\xff\xfe of : \n"])
def test_other_lines_of_a_log_are_no_progress(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log").write_bytes(content)
    assert last_line(tmp_path / "log", 10.0) == ""
    assert last_line(tmp_path / "missing", 10.0) == ""
