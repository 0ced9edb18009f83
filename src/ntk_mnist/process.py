"""The process of a command: its standard streams, and its end on a signal."""

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any, NoReturn, TextIO, cast

__all__ = ["end", "end_on_signals", "open_streams", "tolerant"]

#: Interrupt (Ctrl-C), termination (`kill`, `scancel`) and hang-up (a closed terminal).
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Seconds in which a command may end in order.
_GRACE = 2.0
_in_order = threading.Event()


def open_streams() -> None:
    """Open the standard streams that are closed, and let no message fail a command.

    A file that is opened later would get the number of a closed stream, and with it whatever a
    library prints. A reader may be gone and a disk full: a result does not depend on its messages.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        mode = "w" if number else "r"
        try:
            os.fstat(number)
        except OSError:
            # The smallest number that is free: that of the stream.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
    sys.stdout, sys.stderr = tolerant(sys.stdout), tolerant(sys.stderr)


def tolerant(stream: TextIO) -> TextIO:
    """The same stream, except that what cannot be written is dropped."""
    return cast("TextIO", _Tolerant(stream))


class _Tolerant:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if that is possible."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, if that is possible."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def end_on_signals() -> None:
    """End the process within seconds of a signal, also while compiled code runs.

    Python handles a signal in the main thread, between two steps of Python; one compiled program
    may train a network for minutes. The main thread gets a KeyboardInterrupt, removes its
    unfinished files and calls :func:`end`. If it does not within the grace, it is in compiled code,
    and a second thread ends the process. A signal that the process was told to ignore (nohup) stays
    ignored.
    """
    received, signalled = os.pipe()
    os.set_blocking(signalled, False)
    # Python writes the number of each signal there at once, whatever the main thread does.
    signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    threading.Thread(target=_end_after, args=(received,), daemon=True).start()


def _interrupt(*_: object) -> NoReturn:
    for number in _SIGNALS:
        # Not SIG_IGN: Python prints a traceback for a signal that came just before.
        signal.signal(number, _ignore)
    raise KeyboardInterrupt


def _ignore(*_: object) -> None:
    pass


def _end_after(received: int) -> NoReturn:
    number = os.read(received, 1)[0]
    _in_order.wait(_GRACE)
    print(f"stopped by {signal.Signals(number).name}: run it again to continue", file=sys.stderr)
    sys.stderr.flush()
    os._exit(128 + number)


def end() -> NoReturn:
    """End in order, from the main thread that got a KeyboardInterrupt."""
    _in_order.set()
    while True:
        threading.Event().wait()
