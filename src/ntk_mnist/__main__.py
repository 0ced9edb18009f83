"""The command line: ``python -m ntk_mnist COMMAND …``, one command a rule.

Only the command that is asked for is imported, after the thread pools are bounded.
``python -m ntk_mnist COMMAND --help`` describes each.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from ntk_mnist import UserError, process
from ntk_mnist.runtime import bound_threads, ignore_settings, let_idle_threads_sleep

COMMANDS = {
    "fetch": "copy or download the original files of a dataset, and check them",
    "prepare": "convert the original files to arrays that a cell can memory-map",
    "network": "train the networks of one cell and write its shard",
    "kernel": "solve the kernels of one cell and write its shards",
    "tabulate": "aggregate the shards of a grid into one table",
    "compare": "compare networks with their infinite-width limit",
    "reproduce": "set published numbers beside ours",
    "reproductions": "write all published numbers and ours as one page",
    "chart": "draw one chart of the tables as HTML, PNG and SVG",
    "page": "write everything about an experiment as one page",
    "evidence": "name the likeliest architectures",
    "generate": "rewrite the files that follow from the declared settings and columns",
}
#: Commands that run a cell.
CELLS = ("network", "kernel")


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
            bound_threads(_threads(arguments))
            let_idle_threads_sleep()
            if ignored := ignore_settings():
                message = "not used, as a cell's record would not show it"
                print(f"{message}: {', '.join(ignored)}", file=sys.stderr)
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


def _threads(arguments: Sequence[str]) -> int:
    """The value of ``--threads``, before the command's own arguments are known."""
    early = argparse.ArgumentParser(prog="python -m ntk_mnist", add_help=False)
    early.add_argument("--threads", type=int, default=1)
    threads: int = early.parse_known_args(arguments)[0].threads
    return threads


#: What pyarrow imports if it can and a cell never calls: pandas, only to ask whether a list is one
#: of its own, and the file systems of clouds. They take longer than all else that a cell imports
#: beside JAX.
_UNUSED = {"pandas", *(f"pyarrow.{name}" for name in ("_azurefs", "_gcsfs", "_hdfs", "_s3fs"))}


class _WithoutUnused:
    """Hides from pyarrow what a cell does not use."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """Refuse these modules, and leave others to other finders."""
        if name in _UNUSED:
            raise ModuleNotFoundError(f"a cell does without {name}", name=name)


if __name__ == "__main__":
    process.open_streams()
    process.end_on_signals()
    if sys.argv[1:2] and sys.argv[1] in CELLS:
        sys.meta_path.insert(0, _WithoutUnused())
    try:
        code = main()
    except KeyboardInterrupt:
        process.end()
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is written; an orderly shutdown of JAX would take a third of a second.
    os._exit(code)
