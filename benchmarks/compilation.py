"""Programs at LLVM's O2, as this package compiles them, against XLA's own O3.

    PYTHONPATH=src python -m benchmarks.compilation

Networks of the default training, and kernels of three hidden layers, of made-up images. Each round
compiles a program at both levels, in turn, and runs it some times, of which the shortest counts.
Needs a CPU. Writes ``compilation.csv`` and ``compilation.md``.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np
import pandas as pd

from benchmarks.processes import RESULTS
from benchmarks.steps import made_up_images
from ntk_mnist.architecture import ACTIVATIONS
from ntk_mnist.compilation import Lower, Programs, compiler_options
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.infinite_width.recursion import KINDS
from ntk_mnist.kernels.gram import gram
from ntk_mnist.networks.training import Trainer
from ntk_mnist.settings import Architecture, Inputs, Training

#: XLA's options by level. Each column of seconds has the level in its name.
LEVELS: dict[str, dict[str, Any]] = {"O3": {}, "O2": compiler_options()}
_EPOCHS = 2
_RUNS = 3
#: What is done by a program, and the bits that it gives.
Work: TypeAlias = Callable[[Programs], bytes]


class Program(NamedTuple):
    """One program, compiled and run.

    Attributes:
        compiling: seconds of all processors together.
        running: seconds of the shortest run.
        result: the bits of what it computed.
    """

    compiling: float
    running: float
    result: bytes


def measured(work: Work, options: dict[str, Any]) -> Program:
    """Some work by a program that is compiled with these options."""
    compiled: dict[tuple[object, ...], Callable[..., Any]] = {}
    spent = []

    def programs(computes: tuple[object, ...], lower: Lower) -> Callable[..., Any]:
        if computes not in compiled:
            lowered, started = lower(), time.process_time()
            compiled[computes] = lowered.compile(options)
            spent.append(time.process_time() - started)
        return compiled[computes]

    result, running = work(programs), []
    for _ in range(_RUNS):
        started = time.perf_counter()
        work(programs)
        running.append(time.perf_counter() - started)
    return Program(sum(spent), min(running), result)


def networks(width: int, dataset: Dataset) -> Work:
    """Train a network."""

    def work(programs: Programs) -> bytes:
        trainer = Trainer(Architecture(), Training(epochs=_EPOCHS), width, dataset, programs)
        [found] = trainer(0).network
        return np.array([found.train_loss, found.test_loss]).tobytes()

    return work


def kernels(activation: str, dataset: Dataset) -> Work:
    """Both kernels of the training images."""

    def inputs(images: Any) -> Any:
        return dataset.inputs(images, np.float64)

    def work(programs: Programs) -> bytes:
        architecture = Architecture(activation=activation, depth=3)
        matrices = gram(architecture, dataset.train_images, None, KINDS, inputs, programs)
        return b"".join(matrices[kind].tobytes() for kind in KINDS)

    return work


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(description="Programs at two levels of optimization.")
    parser.add_argument("--widths", type=int, nargs="*", default=[64, 1024])
    parser.add_argument(
        "--activations",
        nargs="*",
        choices=list(ACTIVATIONS),
        default=["relu", "erf", "gelu", "tanh", "sigmoid", "silu"],
    )
    parser.add_argument("--size", type=int, default=1024, help="of the training set")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dataset", choices=list(CATALOGUE), default=Inputs().dataset)
    parser.add_argument("--folder", type=Path, default=RESULTS, help="of what is written")
    options = parser.parse_args()
    if jax.local_devices()[0].platform != "cpu":
        parser.error("both levels are of a CPU; set JAX_PLATFORMS=cpu")
    images = made_up_images(options.dataset, options.size, Inputs().test_size)
    all_work = {f"network of width {w:,}": networks(w, images) for w in options.widths}
    all_work |= {f"kernels of {name}": kernels(name, images) for name in options.activations}
    rows = []
    for name, work in all_work.items():
        # Neither level always comes first.
        turns = [list(LEVELS)[:: (-1) ** turn] for turn in range(options.rounds)]
        rounds = [{level: measured(work, LEVELS[level]) for level in turn} for turn in turns]
        row: dict[str, Any] = {"program": name}
        for level in LEVELS:
            of_level = [each[level] for each in rounds]
            row[f"compiling_{level}"] = median(program.compiling for program in of_level)
            row[f"running_{level}"] = median(program.running for program in of_level)
        row["same_bits"] = len({each[level].result for each in rounds for level in LEVELS}) == 1
        rows.append(row)
        print(row, flush=True)
    table = pd.DataFrame(rows)
    options.folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.folder / "compilation.csv", index=False)
    (options.folder / "compilation.md").write_text(report(table, options.rounds, options.size))


def report(table: pd.DataFrame, rounds: int, size: int) -> str:
    """The table for the README of the benchmarks."""
    lines = [
        f"Medians of {rounds} round{'s' * (rounds > 1)}: seconds of all processors in which a "
        f"program is compiled, and seconds in which it runs on {size:,} images. The aim is to "
        "compile faster, to run no slower, and to give the same bits.",
        "",
        "| program | compiled at O3 | at O2 | ratio | run at O3 | at O2 | ratio | same bits |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    for row in table.to_dict("records"):
        cells = [str(row["program"])]
        for column in ("compiling", "running"):
            usual, ours = row[f"{column}_O3"], row[f"{column}_O2"]
            cells += [f"{usual:.2f}", f"{ours:.2f}", f"{ours / usual:.2f}"]
        cells.append("yes" if row["same_bits"] else "no")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
