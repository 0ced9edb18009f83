"""Standard streams that are closed (`snakemake >&-`) or whose reader is gone (`snakemake | head`).

A closed one is opened on nothing, for every job: else the next file that a job opens gets its
number, and what a library prints. What Snakemake cannot print stops no run.
"""

import logging

from snakemake.shell import shell

from ntk_mnist.process import tolerant

STREAMS = {0: ("stdin", "<"), 1: ("stdout", ">"), 2: ("stderr", "2>")}
# Snakemake's own log may have the number of a closed stream by now; jobs do not inherit it.
CLOSED = {
    number
    for number, (name, _) in STREAMS.items()
    if getattr(sys, f"__{name}__") is None
}
if CLOSED:
    while (nothing := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(nothing)
    for number in CLOSED:
        name, sign = STREAMS[number]
        setattr(sys, name, open(os.devnull, "w" if number else "r"))
    redirections = " ".join(
        f"{STREAMS[number][1]}{os.devnull}" for number in sorted(CLOSED)
    )
    # First what is Snakemake's own prefix.
    shell.prefix(f"set -euo pipefail; exec {redirections}; ")

for handler in logger.handlers:
    if type(handler) is not logging.FileHandler and hasattr(handler, "setStream"):
        handler.setStream(tolerant(handler.stream or sys.stderr))
sys.stdout, sys.stderr = tolerant(sys.stdout), tolerant(sys.stderr)
