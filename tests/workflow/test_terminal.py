"""What a person reads of a run: before, during and after it, in a pipe and on a terminal."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable

from checkout import CONFIG, Checkout, network_shard

BLOCK = re.compile(r"^(rule |localrule |Job \d+:|Reason:|job +count|\d+ of \d+ steps)", re.M)
LONG = CONFIG.replace("epochs: 2", "epochs: 200000")
SHOW_CURSOR, HIDE_CURSOR = b"\x1b[?25h", b"\x1b[?25l"


def on_a_terminal(
    checkout: Checkout, *words: str, until: Callable[[bytes], bool] = lambda _: False
) -> tuple[int, bytes]:
    """Run Snakemake on a pseudo terminal, with Ctrl-C when it has printed what is waited for.

    Returns:
        The exit status, and all that was printed.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        # The terminal is that of the process, which Ctrl-C reaches through it.
        ["setsid", "--ctty", "snakemake", *words, "--configfile", "tiny.yaml"],
        cwd=checkout.folder,
        env=checkout.environment | {"TERM": "xterm", "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    printed, stopped, end = b"", False, time.monotonic() + 300
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                printed += os.read(ours, 2**16)
            except OSError:
                # The last process that had the terminal is gone.
                break
        if not stopped and until(printed):
            os.write(ours, b"\x03")
            stopped = True
    os.close(ours)
    return process.wait(timeout=30), printed


def test_a_run_in_a_pipe_is_a_few_plain_lines_and_ends_with_what_to_open(fresh: Checkout) -> None:
    run = fresh.snakemake()
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
    lines = run.stderr.splitlines()
    assert len(lines) <= 40
    assert not BLOCK.search(run.stderr)
    assert "\x1b" not in run.stderr
    assert "To run: 4 networks and 2 kernels; then 3 tables, 5 charts and 1 page." in lines
    assert lines[-1] == "Open results/tiny/index.html"
    assert lines[-2].startswith("Took ")
    # Snakemake's own log has what the terminal has, and the rest.
    (log,) = (fresh.folder / ".snakemake/log").glob("*.log")
    assert BLOCK.search(log.read_text())
    assert "To run: 4 networks and 2 kernels" in log.read_text()


def test_a_plan_says_cells_time_disk_and_reasons_in_a_few_lines(done: Checkout) -> None:
    done.configure(
        CONFIG.replace("epochs: 2", "epochs: 3").replace("width: [8, 16]", "width: [8, 16, 32]")
    )
    (done.folder / "results/tiny/kernel").rename(done.folder / "kernels")
    plan = done.snakemake("--dry-run")
    assert plan.returncode == 0
    said = plan.stdout
    assert not BLOCK.search(said)
    assert "To run: 6 networks and 2 kernels; then 3 tables, 5 charts and 1 page." in said
    assert re.search(
        r"Time: about \d+ (s|min) on \d+ cores? \(as .*\)\. Disk: about \d+ kB in", said
    )
    for reason in (
        "4 networks: epochs was 2, is 3",
        "2 networks: added",
        "2 kernels: files are missing",
    ):
        assert f"  {reason}" in said
    assert "1 table: shards: 2 added" in said
    assert not re.search("[0-9a-f]{16}", said)
    assert len((plan.stdout + plan.stderr).splitlines()) < 20
    # Each job is a word away.
    blocks = done.snakemake("--dry-run", "--printshellcmds").stdout
    assert blocks.count("python -m ntk_mnist network") == 6
    assert "To run: 6 networks" in blocks


def test_a_second_run_and_a_plan_say_that_everything_is_up_to_date(done: Checkout) -> None:
    for words in ((), ("--dry-run",)):
        run = done.snakemake(*words)
        assert run.returncode == 0
        said = run.stdout + run.stderr
        assert said.count("Everything is up to date") == 1
        assert "Nothing to be done" not in said
        # What the end of the run said.
        assert said.count("have not fitted") == 1
        assert said.splitlines().count("Open results/tiny/index.html") == 1


def test_quiet_and_verbose_keep_their_meaning(done: Checkout) -> None:
    figure = done.folder / "results/tiny/figures/calibration.png"
    for words, blocks, ours in (
        (["--quiet", "all"], False, False),
        (["--quiet", "rules"], False, True),
        (["--verbose"], True, True),
    ):
        figure.unlink()
        said = done.snakemake("--nocolor", *words).stderr
        assert figure.exists()
        assert bool(re.search(r"^Job \d+: Drawing", said, re.M)) == blocks
        assert ("To run: 1 chart" in said) == ours


def test_a_failed_cell_shows_its_log_and_where_there_is_more(fresh: Checkout) -> None:
    fresh.configure(CONFIG.replace("step_size: 0.1", "step_size: 1.0e+30"))
    run = fresh.snakemake(network_shard(16, 96))
    assert run.returncode != 0
    lines = run.stderr.splitlines()
    place = lines.index("Failed: network, width 16, size 96, relu. Its log:")
    assert lines[place + 1].endswith("width=16,size=96.log:")
    assert lines[place + 2].startswith("error: width 16, size 96, seed 0 diverged")
    assert run.stderr.count("diverged") == 1
    assert "python -m ntk_mnist" not in run.stderr
    assert re.search(r"Everything that Snakemake said: .+\.snakemake\.log", run.stderr)
    assert len(lines) < 25


def test_a_terminal_shows_a_panel_that_is_gone_at_the_end(done: Checkout) -> None:
    for size in (64, 96):
        (done.folder / network_shard(8, size)).unlink()
    status, printed = on_a_terminal(done)
    assert status == 0, printed.decode()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed.decode())
    # How far the run is when the panel is first drawn depends on the machine.
    assert re.search(r"networks +[━╸╺]+ +[012]/2", text)
    assert re.search(r"^  \S.* +\d+ s  ", text, re.MULTILINE)
    assert re.search(r"About \d+ s left", text)
    assert not BLOCK.search(text)
    assert printed.rfind(SHOW_CURSOR) > printed.rfind(HIDE_CURSOR) > 0
    assert text.rstrip().endswith("Open results/tiny/index.html")


def test_ctrl_c_leaves_the_terminal_sane_and_one_line(fresh: Checkout) -> None:
    fresh.configure(LONG)
    status, printed = on_a_terminal(
        fresh, network_shard(16, 96), until=lambda said: b"width 16, size 96" in said
    )
    assert status == 130, printed.decode()
    assert printed.rfind(SHOW_CURSOR) > printed.rfind(HIDE_CURSOR) > 0
    last = printed[printed.rfind(SHOW_CURSOR) + len(SHOW_CURSOR) :].decode().splitlines()
    assert last == ["Stopped by SIGINT. What is finished is kept; the same command continues."]
    assert b"Traceback" not in printed
