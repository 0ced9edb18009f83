"""One solve of one kernel, in a process of its own, and the rate of matrix products.

    python -m benchmarks.solves exact --dataset mnist --prepared data/prepared/mnist \\
        --kind ntk --depth 3 --size 4000 --scratch /tmp
    python -m benchmarks.solves rate --rows 2048 8192

Prints what was measured, and the peak memory of the process, as one line of JSON. The variables
that bound the thread pools must be set before the process starts.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ntk_mnist.architecture import infinite
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.data.inputs import Dataset, load
from ntk_mnist.infinite_width.recursion import KINDS
from ntk_mnist.kernels.solution import Solution
from ntk_mnist.kernels.solver import Services
from ntk_mnist.kernels.solvers import SOLVERS
from ntk_mnist.neural_tangents_compat import predict
from ntk_mnist.runtime import threads
from ntk_mnist.settings import Architecture, Inputs, Solve
from ntk_mnist.store.checkpoint import Checkpoint
from ntk_mnist.store.progress import Progress, Stage

__all__ = ["SOLVES"]

TIMES = (*Solve().times, inf)


class TimedCheckpoint(Checkpoint):
    """A checkpoint that counts the seconds in which it writes."""

    seconds = 0.0
    during_factorization = 0.0

    def __setitem__(self, name: str, array: NDArray[Any]) -> None:
        """Store an array."""
        started = time.perf_counter()
        super().__setitem__(name, array)
        took = time.perf_counter() - started
        self.seconds += took
        if "tile=" in name:
            self.during_factorization += took


class TimedStages:
    """Counts the seconds of each stage of a solve; it is called as its progress."""

    def __init__(self) -> None:
        # Of training is the stage of seeds.
        of_solve: list[Stage] = [stage for stage in Stage if stage is not Stage.SEEDS]
        self.seconds = dict.fromkeys(of_solve, 0.0)
        self._last = time.perf_counter()

    def __call__(self, stage: Stage, done: int, total: int) -> None:
        """Count the time since the last call."""
        now = time.perf_counter()
        self.seconds[stage] += now - self._last
        self._last = now


def rate(rows: Sequence[int]) -> float:
    """The best rate of float32 products of square matrices of these numbers of rows, flop/s.

    Of XLA's and of BLAS's, with all threads.
    """
    by_xla = jax.jit(lambda a, b: a @ b)
    best = 0.0
    with threadpool_limits(threads(), "blas"):
        for n in rows:
            a = np.ones((n, n), np.float32)
            at_device = jnp.array(a)
            for product in (
                lambda a=at_device: by_xla(a, a).block_until_ready(),
                lambda a=a: a @ a,
            ):
                product()
                for _ in range(3):
                    started = time.perf_counter()
                    for _ in range(repeats := (max(rows) // n) ** 2):
                        product()
                    best = max(best, 2 * n**3 * repeats / (time.perf_counter() - started))
    return best


def architecture(depth: int) -> Architecture:
    """That of all solves, with as many hidden layers."""
    return Architecture(depth=depth, activation="relu", W_std=1.6**0.5, b_std=0.1**0.5)


def exact(
    network: Architecture, kind: str, dataset: Dataset, scratch: Path
) -> dict[str, float | None]:
    """One exact solve, as a cell does it."""
    stages = TimedStages()

    def progress(kind: str) -> Progress:
        return stages

    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        checkpoint = TimedCheckpoint(Path(folder) / "checkpoint", {})
        services = Services(checkpoint=lambda kind: checkpoint, progress=progress)
        solution, seconds = solve("exact", network, kind, dataset, services)
    stages.seconds[Stage.FACTORIZATION] -= checkpoint.during_factorization
    return {
        "seconds": seconds,
        "test_accuracy": dataset.accuracy(solution.test[-1], dataset.test_labels),
        "residual": solution.residual,
        "jitter": solution.jitter,
        "prediction_error": float(solution.errors[-1]),
        "largest_time_error": float(solution.errors[-2]),
        "log_marginal_likelihood": solution.log_marginal_likelihood,
        "log_marginal_likelihood_error": solution.log_marginal_likelihood_error,
        "checkpoint_seconds": checkpoint.seconds,
        **{f"seconds: {stage.value}": took for stage, took in stages.seconds.items()},
    }


def spectral(
    network: Architecture, kind: str, dataset: Dataset, scratch: Path
) -> dict[str, float | None]:
    """One solve by diagonalization, as a cell does it."""
    solution, seconds = solve("spectral", network, kind, dataset, Services())
    return {
        "seconds": seconds,
        "test_accuracy": dataset.accuracy(solution.test[-1], dataset.test_labels),
        "residual": solution.residual,
    }


def solve(
    solver: str, network: Architecture, kind: str, dataset: Dataset, services: Services
) -> tuple[Solution, float]:
    """The solution of one kernel at all times, and its wall time."""
    started = time.perf_counter()
    solutions = SOLVERS[solver](services).solutions(network, (kind,), dataset, TIMES, 0.0)
    (solution,) = solutions
    return solution, time.perf_counter() - started


def by_hand(
    network: Architecture, kind: str, dataset: Dataset, scratch: Path
) -> dict[str, float | None]:
    """``neural_tangents.predict`` at t = ∞, in float64."""
    # The machine's memory, less what others need; beyond it, fail rather than swap.
    limit = int(0.95 * memory_bytes())
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    jax.config.update("jax_enable_x64", True)
    train, test = (
        dataset.inputs(images, np.float64) for images in (dataset.train_images, dataset.test_images)
    )
    train_targets = dataset.targets(dataset.train_labels)
    started = time.perf_counter()
    predict_fn = predict.gradient_descent_mse_ensemble(
        infinite(network), train, train_targets, diag_reg=0.0
    )
    predictions = np.asarray(predict_fn(None, test, get=kind))
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "test_accuracy": dataset.accuracy(predictions, dataset.test_labels)}


def memory_bytes() -> int:
    """Of the machine."""
    line = Path("/proc/meminfo").read_text().splitlines()[0]
    return int(line.split()[1]) * 1024


#: The ways to solve, by their names in the table of results.
SOLVES: Mapping[str, Callable[[Architecture, str, Dataset, Path], dict[str, float | None]]] = {
    "exact": exact,
    "spectral": spectral,
    "neural-tangents": by_hand,
}


def main() -> None:
    """Measure one thing, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    of_rate = commands.add_parser("rate")
    of_rate.add_argument("--rows", type=int, nargs="+", required=True)
    for solver in SOLVES:
        of_solve = commands.add_parser(solver)
        of_solve.add_argument("--dataset", choices=list(CATALOGUE), required=True)
        of_solve.add_argument("--prepared", type=Path, required=True)
        of_solve.add_argument("--kind", choices=KINDS, required=True)
        of_solve.add_argument("--depth", type=int, required=True, help="hidden layers")
        of_solve.add_argument("--size", type=int, required=True)
        of_solve.add_argument("--scratch", type=Path, required=True, help="of the checkpoint")
    options = parser.parse_args()
    if options.what == "rate":
        found: dict[str, float | None] = {"rate": rate(options.rows)}
    else:
        inputs = Inputs(dataset=options.dataset, test_size=CATALOGUE[options.dataset].test_size)
        dataset = load(CATALOGUE[options.dataset], inputs, options.prepared, options.size)
        network = architecture(options.depth)
        found = SOLVES[options.what](network, options.kind, dataset, options.scratch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(found | {"peak_gb": peak / 1e9}))


if __name__ == "__main__":
    main()
