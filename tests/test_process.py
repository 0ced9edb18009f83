"""A command's standard streams, and its end on a signal."""

import errno
import io
import signal
import subprocess
import sys
from itertools import combinations

import pytest
from checkout import REPOSITORY

from ntk_mnist.process import tolerant

ENVIRONMENT = {"PYTHONPATH": str(REPOSITORY / "src")}
CLOSED = [set(some) for count in range(4) for some in combinations(("<", ">", "2>"), count)]


@pytest.mark.parametrize("closed", CLOSED, ids=lambda closed: " ".join(sorted(closed)) or "none")
def test_no_file_gets_the_number_of_a_closed_stream(closed: set[str]) -> None:
    program = (
        "import os, sys; from ntk_mnist import process; process.open_streams();"
        "print('out', flush=True); print('err', file=sys.stderr); sys.stdin.read();"
        "os._exit(os.open(os.devnull, os.O_RDONLY))"
    )
    redirections = " ".join(f"{sign}&-" for sign in closed)
    done = subprocess.run(
        ["bash", "-c", f'exec "$0" -c "$1" {redirections}', sys.executable, program],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode > 2
    assert done.stdout == ("" if ">" in closed else "out\n")
    assert done.stderr == ("" if "2>" in closed else "err\n")


def test_a_message_that_cannot_be_written_is_dropped() -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def flush(self) -> None:
            raise BrokenPipeError

    print("text", file=tolerant(Full()), flush=True)
    assert tolerant(Full()).writable()
    kept = io.StringIO()
    print("text", file=tolerant(kept), flush=True)
    assert kept.getvalue() == "text\n"


# Ready when it prints; then it runs, and may never return to Python, as compiled code.
PROGRAM = """
import signal, sys, time
from ntk_mnist import process
# Under nohup, the tests themselves ignore it.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
process.end_on_signals()
try:
    while True:
        try:
            print("ready", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            if not {compiled}:
                raise
except KeyboardInterrupt:
    print("removed", flush=True)
    process.end()
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("times", [1, 3])
def test_a_signal_ends_a_command_within_seconds_and_with_one_line(
    number: signal.Signals, compiled: bool, times: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(compiled=compiled)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    for _ in range(times):
        process.send_signal(number)
    out, error = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert out == ("ready\n" if compiled else "removed\n")
    assert error == f"stopped by {number.name}: run it again to continue\n"


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    program = (
        "import os, signal; from ntk_mnist import process;"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); process.end_on_signals();"
        "os.kill(os.getpid(), signal.SIGHUP); print('goes on', flush=True); os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "goes on\n"
