"""``snakemake``, and ``python`` for its jobs, as forks of processes that have their libraries.

Started with the folder of their sockets, the name of the program, and its arguments.
"""

import json
import os
import socket
import sys

__all__: list[str] = []

#: Commands that do without pandas.
_CELLS = ("network", "kernel")


def main(sockets: str, program: str, arguments: list[str]) -> None:
    """Pass a run on, and end as it ends."""
    if program == "snakemake":
        forking, module = "snakemake", "snakemake"
    elif arguments[:2] == ["-m", "ntk_mnist"]:
        arguments = arguments[2:]
        forking, module = "cells" if arguments[0] in _CELLS else "others", "ntk_mnist"
    else:
        os.execv(sys.executable, [sys.executable, *arguments])
    request = {
        "module": module,
        "arguments": arguments,
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "python": f"{sockets}/python",
    }
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"{sockets}/forking {forking}")
        socket.send_fds(connection, [b" "], [0, 1, 2])
        connection.sendall(json.dumps(request).encode())
        connection.shutdown(socket.SHUT_WR)
        status = int(connection.recv(16))
    if status < 0:
        os.kill(os.getpid(), -status)
    os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
