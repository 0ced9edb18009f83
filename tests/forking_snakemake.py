"""A process that has imported Snakemake, and forks for each run of it: much of a plan is imports.

Of ntk_mnist it imports nothing, so that a run imports the package of its own checkout. A request is
a line of JSON on the standard input; the answer is a line with the exit status of the run.
"""

import json
import os
import sys

from snakemake.cli import main  # type: ignore[import-untyped]

__all__: list[str] = []


def become(arguments: list[str], folder: str, environment: dict[str, str], output: str) -> None:
    """Be the run of a command in a folder: ``output`` is the beginning of two files' names."""
    for stream, name in ((0, os.devnull), (1, f"{output}out"), (2, f"{output}err")):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = ["snakemake", *arguments]
    main()


if __name__ == "__main__":
    # Its own folder holds other modules of the tests.
    del sys.path[0]
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            become(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
