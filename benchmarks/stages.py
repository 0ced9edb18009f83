"""The stages of a cell's process, from its start until its shards are written.

    python -m benchmarks.stages network --threads 1 --cell … --data data --output cell.parquet

The arguments are those of ``python -m ntk_mnist``, which runs as it always does; only its functions
that load a program and write a shard are wrapped in a clock. Prints the time at which each stage
ended, in seconds since the epoch, as one line of JSON.
"""

import importlib
import json
import os
import runpy
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

from ntk_mnist.runtime import bound_threads

__all__ = ["STAGES"]

#: In their order; the caller adds the end of the process.
STAGES = (
    "python",
    "import jax",
    "import the rest",
    "read the data",
    "load the program",
    "compute",
    "write",
)


def main(arguments: list[str]) -> None:
    """Run the command, and print when each stage ended."""
    ends = {"python": time.time()}
    # As the command line does before it imports JAX; cells of one thread are measured.
    bound_threads(1)
    import jax  # noqa: F401

    ends["import jax"] = time.time()
    command = vars(importlib.import_module(f"ntk_mnist.commands.{arguments[0]}"))
    ends["import the rest"] = time.time()

    stored_programs, write, leave = command["StoredPrograms"], command["write"], os._exit

    def timed_programs(*settings: Any) -> Callable[..., Any]:
        programs = stored_programs(*settings)

        def timed(*asked: Any) -> Any:
            # A program that is asked for again is in memory.
            ends.setdefault("read the data", time.time())
            program = programs(*asked)
            ends.setdefault("load the program", time.time())
            return program

        return timed

    def timed_write(*what: Any) -> None:
        ends.setdefault("compute", time.time())
        write(*what)
        ends["write"] = time.time()

    def timed_exit(code: int) -> NoReturn:
        print(json.dumps(ends), flush=True)
        leave(code)

    command |= {"StoredPrograms": timed_programs, "write": timed_write}
    vars(os)["_exit"] = timed_exit
    sys.argv = ["python -m ntk_mnist", *arguments]
    runpy.run_module("ntk_mnist", run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
