"""The exact solve of both kernels at growing training-set sizes, beside neural-tangents by hand.

    python benchmarks/exact_solve.py

Each solve is a process of its own: MNIST, three hidden ReLU layers, W_std² = 1.6, b_std² = 0.1, all
10,000 test images, every time of the default experiment, checkpoint included. Before it, another
process measures the rate of float32 matrix products of 8,192 and of a tile's rows, of which the
better counts; the factorization is held against it without the time in which it is written to disk.
A spectral solve has one thread, as its cell.
``neural_tangents.predict`` gets the limit at t = ∞ only, in float64, and the machine's memory.
Writes ``results/exact_solve.{csv,md,png}``.
"""

import argparse
import json
import math
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from math import inf
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ntk_mnist.architecture import Architecture
from ntk_mnist.checkpoint import Checkpoint

SIZES = (4000, 8000, 16000, 32000, 60000)
KINDS = ("nngp", "ntk")
TIMES = [*(10.0**k for k in range(1, 8)), inf]
ARCHITECTURE = Architecture(depth=3, activation="relu", W_std=1.6**0.5, b_std=0.1**0.5)
PREPARED = Path("data/prepared/mnist")
RESULTS = Path(__file__).with_name("results")
#: Twice the size to which cells are diagonalized, to see why.
_LARGEST_DIAGONALIZED = 8000
#: neural-tangents is not tried beyond the size at which it failed.
_SECONDS = 1800


class TimedCheckpoint(Checkpoint):
    """Says how long it took to write."""

    seconds = 0.0
    during_factorization = 0.0

    def __setitem__(self, name: str, array: NDArray[Any]) -> None:
        """Put an array."""
        started = time.perf_counter()
        super().__setitem__(name, array)
        took = time.perf_counter() - started
        self.seconds += took
        if "tile=" in name:
            self.during_factorization += took


def rate() -> dict[str, float]:
    """Of float32 matrix products on this machine, flop/s."""
    import jax
    import jax.numpy as jnp

    best = 0.0
    for rows in (2048, 8192):
        a = jnp.ones((rows, rows), jnp.float32)
        product = jax.jit(lambda a, b: a @ b)
        product(a, a).block_until_ready()
        for _ in range(3):
            started = time.perf_counter()
            for _ in range(repeats := (8192 // rows) ** 2):
                product(a, a).block_until_ready()
            best = max(best, 2 * rows**3 * repeats / (time.perf_counter() - started))
    return {"rate": best}


def exact(kind: str, size: int) -> dict[str, Any]:
    """One solve, as a cell does it."""
    from ntk_mnist.exact_solve import exact_solve

    x, y, z, labels = images(size)
    stages: dict[str, float] = {}
    last = time.perf_counter()

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal last
        now = time.perf_counter()
        stages[stage] = stages.get(stage, 0.0) + now - last
        last = now

    with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
        kept = TimedCheckpoint(Path(folder) / "checkpoint", {})
        started = time.perf_counter()
        solution = exact_solve(
            *(ARCHITECTURE, kind, x, y, z, TIMES, 0.0),
            pixel_max=255,
            progress=progress,
            kept=kept,
        )
        seconds = time.perf_counter() - started
    stages["factorization"] -= kept.during_factorization
    return {
        "seconds": seconds,
        "test_accuracy": accuracy(solution.test[-1], labels),
        "residual": solution.residual,
        "jitter": solution.jitter,
        "prediction_error": solution.errors[-1],
        "largest_time_error": solution.errors[-2],
        "log_marginal_likelihood": solution.log_marginal_likelihood,
        "log_marginal_likelihood_error": solution.log_marginal_likelihood_error,
        "checkpoint_seconds": kept.seconds,
        **{f"seconds: {stage}": took for stage, took in stages.items()},
    }


def spectral(kind: str, size: int) -> dict[str, Any]:
    """One solve by diagonalization, as a cell does it."""
    from ntk_mnist.gradient_flow import spectral_solve
    from ntk_mnist.kernel import diagonal, gram

    x, y, z, labels = images(size)
    x, z = x / np.float64(255), z / np.float64(255)
    started = time.perf_counter()
    solution = spectral_solve(
        gram(ARCHITECTURE, x, None, (kind,))[kind],
        gram(ARCHITECTURE, z, x, (kind,))[kind],
        diagonal(ARCHITECTURE, z, (kind,))[kind],
        *(y, TIMES, 0.0),
    )
    return {
        "seconds": time.perf_counter() - started,
        "test_accuracy": accuracy(solution.test[-1], labels),
        "residual": solution.residual,
    }


def by_hand(kind: str, size: int) -> dict[str, Any]:
    """``neural_tangents.predict`` at t = ∞, in float64."""
    import jax

    from ntk_mnist.architecture import infinite
    from ntk_mnist.neural_tangents_compat import predict

    jax.config.update("jax_enable_x64", True)
    x, y, z, labels = images(size)
    x, z = x / np.float64(255), z / np.float64(255)
    started = time.perf_counter()
    predict_fn = predict.gradient_descent_mse_ensemble(infinite(ARCHITECTURE), x, y, diag_reg=0.0)
    predictions = np.asarray(predict_fn(None, z, get=kind))
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "test_accuracy": accuracy(predictions, labels)}


def images(size: int) -> tuple[NDArray[Any], ...]:
    """MNIST: training images as bytes and one-hot labels, test images and labels."""
    from ntk_mnist.datasets import load

    mnist = load("mnist", PREPARED, size, 10000)
    return (
        mnist.train_images,
        np.eye(10)[mnist.train_labels],
        mnist.test_images,
        mnist.test_labels,
    )


def accuracy(predictions: NDArray[np.float64], labels: NDArray[Any]) -> float:
    """Fraction of the test images."""
    return float(np.mean(predictions.argmax(axis=1) == labels))


def measured(*what: str) -> dict[str, Any]:
    """What a process of its own measured, with its peak memory; or what became of it."""
    command = [sys.executable, __file__, "--measure", *what]
    # As the command line bounds the threads of a cell; by hand there are no bounds.
    bounds = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    of_cell = {"spectral": bounds | {"NPROC": "1"}, "exact": bounds}
    environment = os.environ | of_cell.get(what[0], {})
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {_SECONDS} s"}
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "Error" in line or "EXHAUSTED" in line]
        if done.returncode == -signal.SIGKILL:
            said = ["killed: out of memory"]
        return {"failed": (said or [f"ended by {done.returncode}"])[-1][:120]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(what: list[str]) -> None:
    """In the process of its own."""
    match what:
        case ["rate"]:
            found = rate()
        case ["exact", kind, size]:
            found = exact(kind, int(size))
        case ["spectral", kind, size]:
            found = spectral(kind, int(size))
        case ["by hand", kind, size]:
            # The machine's memory, less what others need; beyond it, fail rather than swap.
            limit = int(0.95 * memory_bytes())
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
            found = by_hand(kind, int(size))
        case _:
            raise SystemExit(f"unknown: {what}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(found | {"peak_gb": peak / 1e9}))


def memory_bytes() -> int:
    """Of the machine."""
    line = Path("/proc/meminfo").read_text().splitlines()[0]
    return int(line.split()[1]) * 1024


def run() -> pd.DataFrame:
    """All sizes, both kernels, both ways; a row each."""
    rows = []
    failed = set()
    for size in SIZES:
        for kind in KINDS:
            best = measured("rate")["rate"]
            row = {"solver": "exact", "kernel": kind, "size": size, "rate": best}
            row |= measured("exact", kind, str(size))
            if "failed" not in row:
                work = (size - 512) ** 3 / 3
                row["fraction_of_rate"] = work / row["seconds: factorization"] / best
            rows.append(row)
            print(row, flush=True)
            if size <= _LARGEST_DIAGONALIZED:
                row = {"solver": "spectral", "kernel": kind, "size": size}
                rows.append(row | measured("spectral", kind, str(size)))
                print(rows[-1], flush=True)
            if kind not in failed:
                row = {"solver": "neural-tangents", "kernel": kind, "size": size}
                row |= measured("by hand", kind, str(size))
                if "failed" in row:
                    failed.add(kind)
                rows.append(row)
                print(row, flush=True)
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame) -> alt.HConcatChart:
    """Time and memory against n."""
    shown = table[table["seconds"].notna()].assign(name=lambda t: t["kernel"].str.upper())
    base = alt.Chart(shown).encode(
        alt.X(
            "size:Q",
            title="Training-set size",
            scale=alt.Scale(type="log", base=2, domain=[SIZES[0], SIZES[-1]], nice=False),
            axis=alt.Axis(values=list(SIZES), format=","),
        ),
        alt.Color("name:N", title="Kernel", scale=alt.Scale(range=["#440154", "#21918c"])),
        alt.StrokeDash(
            "solver:N",
            title="Solver",
            scale=alt.Scale(
                domain=["exact", "neural-tangents", "spectral"], range=[[1, 0], [5, 3], [2, 2]]
            ),
        ),
    )
    panels = []
    for column, title in (("seconds", "Time, s"), ("peak_gb", "Peak memory, GB")):
        scale = alt.Scale(type="log", nice=False, padding=10)
        y = alt.Y(f"{column}:Q", title=title, scale=scale, axis=alt.Axis(format="~r"))
        lines = base.encode(y).mark_line()
        points = base.encode(y).mark_point(filled=True).encode(strokeDash=alt.value([1, 0]))
        panels.append((lines + points).properties(width=260, height=240))
    return alt.hconcat(*panels).configure(background="white")


def written(table: pd.DataFrame) -> str:
    """The table in Markdown."""
    rates = table["rate"].dropna() / 1e9
    lines = [
        f"Float32 matrix products of this machine, before each exact solve: {rates.min():.0f} to "
        f"{rates.max():.0f} GFLOP/s.",
        "",
        "| n | kernel | solver | time, s | peak, GB | residual | of the product rate | "
        "test accuracy | checkpoint |",
        "|--:|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in table.to_dict("records"):
        name = f"| {row['size']:,} | {str(row['kernel']).upper()} | {row['solver']} "
        if isinstance(row.get("failed"), str):
            lines.append(f"{name}| {row['failed']} | | | | | |")
        elif row["solver"] == "exact":
            kept = row["checkpoint_seconds"] / row["seconds"]
            lines.append(
                f"{name}| {row['seconds']:.1f} | {row['peak_gb']:.2f} | {row['residual']:.1e} | "
                f"{row['fraction_of_rate']:.2f} | {row['test_accuracy']:.4f} | {kept:.1%} |"
            )
        else:
            residual = "" if math.isnan(row["residual"]) else f"{row['residual']:.1e}"
            lines.append(
                f"{name}| {row['seconds']:.1f} | {row['peak_gb']:.2f} | {residual} | | "
                f"{row['test_accuracy']:.4f} | |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", nargs="+", help="in the process of its own")
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    table = run()
    table.to_csv(RESULTS / "exact_solve.csv", index=False)
    (RESULTS / "exact_solve.md").write_text(written(table))
    draw(table).save(RESULTS / "exact_solve.png", ppi=150)


if __name__ == "__main__":
    main()
