"""The command line: ``python -m ntk_mnist COMMAND …``, one command a rule.

Only the command that is asked for is imported, and only after the thread pools are
bounded, so that a job pays for nothing else. ``python -m ntk_mnist COMMAND --help``
describes each.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from ntk_mnist import UserError

COMMANDS = {
    "fetch": "put the original files of a dataset into a folder, each checked",
    "prepare": "turn the original files into arrays that a cell can memory-map",
    "network": "train one finite network and write its shard",
    "kernel": "solve the infinite-width kernels at one training-set size and write their shard",
    "tabulate": "aggregate shards into one table",
    "calibrate": "unfold the calibration in the kernel table into a table of its own",
    "chart": "render one chart of the tables as HTML, PNG and SVG",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m ntk_mnist", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        command.add_argument(
            "--threads", type=int, default=1, help="of XLA; decides the last bits of a cell"
        )
        if name in arguments[:1]:
            _bound_threads(arguments)
            module = importlib.import_module(f"ntk_mnist.commands.{name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _bound_threads(arguments: Sequence[str]) -> None:
    """Bound the pools of XLA, OpenBLAS and OpenMP; they are read when these are imported.

    XLA has as many threads as the cell asks for, the others one: LAPACK's bits depend on the
    count, and small diagonalizations gain nothing from a second.
    """
    early = argparse.ArgumentParser(add_help=False)
    early.add_argument("--threads", type=int, default=1)
    threads = early.parse_known_args(arguments)[0].threads
    os.environ["NPROC"] = str(threads)
    # On a GPU, a cell takes what it uses and no more, so that several share a card.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"


class _NoPandas:
    """Hides pandas from pyarrow, which imports it only to ask whether a list is one of its own.

    That takes as long as all else of a cell's start but JAX.
    """

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """Refuse pandas, and leave the rest to others."""
        if name == "pandas":
            raise ModuleNotFoundError("a cell does without pandas", name=name)


if __name__ == "__main__":
    if sys.argv[1:2] in (["network"], ["kernel"]):
        sys.meta_path.insert(0, _NoPandas())
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # All is written; to take JAX down in order takes a third of a second.
    os._exit(code)
