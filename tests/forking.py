"""A process that has imported libraries, and forks to run a module: much of a small run is imports.

Started with the address of a socket and the names of what to import, it answers until its standard
input ends. Of ntk_mnist it imports nothing, so that a run imports the package of its own checkout. A
run comes from ``forked.py`` with its standard streams. Where the environment decides what a library
is (JAX reads some variables when it is imported), the run becomes a process of its own.
"""

import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys

__all__: list[str] = []

#: Beginnings of the names of variables that libraries read when they are imported; a command sets
#: those that bound threads itself.
_READ_EARLY = ("JAX_", "XLA_", "NPY_", "MKL_CBWR", "OPENBLAS_CORETYPE", "LD_", "PYTHON")


def serve(address: str) -> None:
    """Answer each connection in a process of its own."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(64)
    print("listening", flush=True)
    # Who has answered leaves no trace.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
        connection, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            answer(connection)
            os._exit(0)
        connection.close()


def answer(connection: socket.socket) -> None:
    """Run what is asked for, and say how it ended."""
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb") as reader:
        request = json.loads(reader.read())
    if (child := os.fork()) == 0:
        connection.close()
        become(streams, **request)
    connection.sendall(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())


def become(
    streams: list[int],
    module: str,
    arguments: list[str],
    folder: str,
    environment: dict[str, str],
    python: str,
) -> None:
    """Be ``python -m`` with a module and its arguments, whose own jobs another Python runs."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    if _read_early(environment) != _read_early(dict(os.environ)):
        os.execve(sys.executable, [sys.executable, "-m", module, *arguments], environment)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = [module, *arguments]
    sys.executable = python
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        # Snakemake's last timer would keep an orderly end waiting for a second.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(end.code or 0))


def _read_early(environment: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(_READ_EARLY) and name != "PYTHONPATH"
    }


if __name__ == "__main__":
    # Its own folder holds other modules of the tests.
    del sys.path[0]
    for imported in sys.argv[2:]:
        importlib.import_module(imported)
    serve(sys.argv[1])
