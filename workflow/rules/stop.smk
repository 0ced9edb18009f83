"""Ctrl-C, `kill` and a closed terminal end a run on this machine within seconds, with one line."""

import logging
import select
import signal
import threading
import time
from contextlib import suppress

import psutil

#: For which jobs may end in order, and after which none is waited for.
SECONDS_TO_END, SECONDS_TO_WAIT = 5, 10
#: For which an error is held back: it may be of a signal that comes just now.
SECONDS_TO_NOTICE = 0.1
STOPPED_BY = []


def stop(number, _):
    """End the jobs and then this process. Snakemake itself would wait for the running cells.

    Finished cells and seeds are complete on disk. The lock of the run ends with the process. A
    second signal kills.
    """
    # Nothing about the jobs that fail now.
    logging.disable()
    waited = SECONDS_TO_END if STOPPED_BY else 0
    STOPPED_BY.append(number)
    end_terminal()
    # Those of a --logger, which may have hidden the cursor.
    for handler in workflow.logger_manager.get_log_handlers():
        with suppress(Exception):
            handler.close()
    jobs = set(psutil.Process().children(recursive=True))
    while jobs and waited < SECONDS_TO_WAIT:
        for job in jobs:
            with suppress(psutil.NoSuchProcess):
                job.terminate() if waited < SECONDS_TO_END else job.kill()
        jobs = set(psutil.wait_procs(jobs, timeout=0.2)[1])
        jobs |= set(psutil.Process().children(recursive=True))
        waited += 0.2
    print(
        f"Stopped by {signal.Signals(number).name}. What is finished is kept; the same command"
        " continues.",
        file=sys.stderr,
        flush=True,
    )
    os._exit(128 + number)


def is_not_of_a_stop(record):
    """Whether a message is to be shown: no error of a job that ends with the run.

    A terminal signals Snakemake and its jobs at once, and a job may end before Snakemake's main
    thread calls the handler.
    """
    return (
        record.levelno < logging.ERROR
        or not select.select([RECEIVED], [], [], SECONDS_TO_NOTICE)[0]
    )


def stop_on_signals():
    """Have each signal stop the run, except one that it was told to ignore (nohup)."""
    # Python writes the number of each signal there at once, whatever the main thread does.
    signal.set_wakeup_fd(SIGNALLED, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


# Another workflow that uses this one as a module decides for itself. Jobs of a cluster are
# cancelled by Snakemake, from when the run starts.
STOPS = OWN_RUN and threading.current_thread() is threading.main_thread()
if STOPS:
    RECEIVED, SIGNALLED = os.pipe()
    os.set_blocking(SIGNALLED, False)
    stop_on_signals()
    logger.addFilter(is_not_of_a_stop)


def stop_when_started():
    """Replace the handlers that Snakemake's scheduler has set, or leave a cluster's jobs to it."""
    if STOPS and workflow.local_exec:
        stop_on_signals()
    elif STOPS:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
