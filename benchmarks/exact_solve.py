"""The exact solve of both kernels at growing training-set sizes, beside neural-tangents by hand.

    PYTHONPATH=src python -m benchmarks.exact_solve

Needs ``data/prepared/mnist`` (``snakemake data``). Each solve is a process of its own (``solves``):
three hidden ReLU layers, or seven at one size, W_std² = 1.6, b_std² = 0.1, all 10,000 test images,
every time of the default experiment, checkpoint included. Before it, another process measures the
rate of float32 matrix products of 8,192 and of a tile's rows, and the better rate counts. The
factorization is compared with it without the time in which it is written to disk. A spectral solve
has one thread, as its cell has. ``neural_tangents.predict`` computes the limit at t = ∞ only, in
float64, and may use the machine's memory.

The products that an exact solve cannot do without are n³/3 + n² m multiplications in float32 and as
many sums. Its target is 1.4 times the time of these alone, at the best rate of XLA and BLAS. With
``--before``, another checkout of the project is measured beside this one, up to 16,000 images.

Writes ``exact_solve.csv``, ``exact_solve.md`` and ``exact_solve.png``.
"""

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from benchmarks.checkout import prepared_arrays
from benchmarks.processes import RESULTS, VARIABLES, bounded, run
from ntk_mnist.data.catalogue import CATALOGUE
from ntk_mnist.settings import Inputs, Solve

SIZES = (4000, 8000, 16000, 32000, 60000)
#: Of the kernels of seven hidden layers.
DEEP_SIZES = (10000,)
_DEPTH, _DEEP = 3, 7
#: Rows of the matrices whose product rate is measured.
ROWS = (2048, 8192)
#: Twice the size to which cells are diagonalized, to see why.
_LARGEST_DIAGONALIZED = 8000
#: What ``neural_tangents.predict`` may take, seconds.
_PATIENCE = 1800
#: The largest size at which another checkout is measured.
_LARGEST_BEFORE = 16000
#: Of the time of an exact solve, in that of its products.
_TARGET = 1.4
#: Their names in the table.
_EXACT, _BEFORE = "exact", "exact, before"
_SOLVERS = [_EXACT, _BEFORE, "neural-tangents", "spectral"]


class Problem(NamedTuple):
    """What is solved.

    Attributes:
        dataset: its name.
        folder: has the prepared arrays, and gets the checkpoint.
        kind: of kernel.
        depth: number of hidden layers.
        size: of the training set.
    """

    dataset: str
    folder: Path
    kind: str
    depth: int
    size: int

    def names(self, solver: str) -> dict[str, Any]:
        """The columns that identify its row in the table."""
        return {"solver": solver, "kernel": self.kind, "depth": self.depth, "size": self.size}

    def command(self, solver: str) -> list[str]:
        """The process that solves it, in its folder."""
        command = [sys.executable, "-m", "benchmarks.solves", solver, "--dataset", self.dataset]
        command += ["--prepared", f"data/prepared/{self.dataset}", "--kind", self.kind]
        return [*command, "--depth", str(self.depth), "--size", str(self.size), "--scratch", "."]

    def solve(self, solver: str, threads: int, code: Path | None = None) -> dict[str, float]:
        """What the process of a solver measured: of this project, or of another checkout of it."""
        variables = bounded(threads)
        if code is not None:
            variables["PYTHONPATH"] = f"{code.resolve() / 'src'}:{code.resolve()}"
        done = run(self.folder, *self.command(solver), variables=variables)
        return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(description="Exact solves of growing training sets.")
    parser.add_argument("--dataset", choices=list(CATALOGUE), default=Inputs().dataset)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--deep", type=int, nargs="*", default=DEEP_SIZES, help="of seven layers")
    parser.add_argument("--kinds", choices=Solve().kinds, nargs="+", default=Solve().kinds)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="of matrix products")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="of what is written")
    parser.add_argument("--before", type=Path, help="another checkout, to compare with")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    # Beside the results, as the memory of some machines holds /tmp.
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        prepared_arrays(folder, options.dataset)
        problems = [
            Problem(options.dataset, folder, kind, depth, size)
            for depth, sizes in ((_DEPTH, options.sizes), (_DEEP, options.deep))
            for size in sizes
            for kind in options.kinds
        ]
        table = measure(problems, options.rows, options.before)
    table.to_csv(options.folder / "exact_solve.csv", index=False)
    (options.folder / "exact_solve.md").write_text(report(table))
    draw(table).save(options.folder / "exact_solve.png", ppi=150)


def measure(
    problems: Sequence[Problem], rows: Sequence[int], before: Path | None = None
) -> pd.DataFrame:
    """Each problem by every solver that can; a row each."""
    table: list[dict[str, Any]] = []
    # neural-tangents is not tried beyond the size at which it failed.
    failed = set()
    for problem in problems:
        table.append(problem.names(_EXACT) | exact(problem, rows))
        print(table[-1], flush=True)
        if before is not None and problem.size <= _LARGEST_BEFORE:
            table.append(problem.names(_BEFORE) | exact(problem, rows, before))
            print(table[-1], flush=True)
        if problem.size <= _LARGEST_DIAGONALIZED:
            table.append(problem.names("spectral") | problem.solve("spectral", threads=1))
            print(table[-1], flush=True)
        if problem.kind not in failed:
            table.append(problem.names("neural-tangents") | by_hand(problem))
            print(table[-1], flush=True)
            if "failed" in table[-1]:
                failed.add(problem.kind)
    return pd.DataFrame(table)


def exact(problem: Problem, rows: Sequence[int], code: Path | None = None) -> dict[str, float]:
    """The exact solve with all cores, and how it compares with its products of matrices."""
    command = (sys.executable, "-m", "benchmarks.solves", "rate", "--rows", *map(str, rows))
    cores = os.cpu_count() or 1
    measured = run(problem.folder, *command, variables=bounded(cores)).stdout
    rate: float = json.loads(measured.splitlines()[-1])["rate"]
    found = problem.solve("exact", cores, code)
    factorization = problem.size**3 / 3
    products = factorization + problem.size**2 * CATALOGUE[problem.dataset].test_size
    return found | {
        "rate": rate,
        "of_products": found["seconds"] / (products / rate),
        "fraction_of_rate": factorization / found["seconds: factorization"] / rate,
    }


def by_hand(problem: Problem) -> dict[str, Any]:
    """``neural_tangents.predict``, with all cores; or why it failed, which is a result too."""
    try:
        done = subprocess.run(
            problem.command("neural-tangents"),
            cwd=problem.folder,
            env=os.environ | VARIABLES,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {_PATIENCE} s"}
    if done.returncode == -signal.SIGKILL:
        return {"failed": "killed: out of memory"}
    if done.returncode:
        errors = [
            line for line in done.stderr.splitlines() if "Error" in line or "EXHAUSTED" in line
        ]
        return {"failed": (errors or [f"exit status {done.returncode}"])[-1][:120]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def draw(table: pd.DataFrame) -> alt.HConcatChart:
    """Time and memory against n, of three hidden layers."""
    shown = table[table["seconds"].notna() & (table["depth"] == _DEPTH)]
    shown = shown.assign(name=shown["kernel"].str.upper())
    sizes = sorted(set(table["size"].tolist()))
    base = alt.Chart(shown).encode(
        alt.X(
            "size:Q",
            title="Training-set size",
            scale=alt.Scale(type="log", base=2, domain=[sizes[0], sizes[-1]], nice=False),
            axis=alt.Axis(values=sizes, format=","),
        ),
        alt.Color("name:N", title="Kernel", scale=alt.Scale(range=["#440154", "#21918c"])),
        alt.StrokeDash(
            "solver:N",
            title="Solver",
            scale=alt.Scale(
                domain=_SOLVERS,
                range=[[1, 0], [8, 2], [5, 3], [2, 2]],
            ),
        ),
    )
    panels = []
    for column, title in (("seconds", "Time, s"), ("peak_gb", "Peak memory, GB")):
        scale = alt.Scale(type="log", nice=False, padding=10)
        y = alt.Y(f"{column}:Q", title=title, scale=scale, axis=alt.Axis(format="~r"))
        lines = base.encode(y).mark_line()
        shape = alt.Shape("solver:N", title="Solver", scale=alt.Scale(domain=_SOLVERS))
        points = base.encode(y, shape).mark_point(filled=True, size=60)
        points = points.encode(strokeDash=alt.value([1, 0]))
        panels.append((lines + points).properties(width=260, height=240))
    return alt.hconcat(*panels).configure(background="white")


def report(table: pd.DataFrame) -> str:
    """The table for the README of the benchmarks."""
    rates = table["rate"].dropna() / 1e9
    lines = [
        f"Float32 matrix products of this machine, before each exact solve: {rates.min():.0f} to "
        f"{rates.max():.0f} GFLOP/s.",
        f"The time of an exact solve is given in seconds and in that of its products alone, "
        f"of which the target at 60,000 is {_TARGET}; the rate is that of the factorization, and "
        "the bound that on the error of a prediction at the worst finite time.",
        "",
        "| n | layers | kernel | solver | time, s | / products | peak, GB | residual | bound | "
        "of the product rate | test accuracy | checkpoint |",
        "|--:|--:|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in table.to_dict("records"):
        kernel = str(row["kernel"]).upper()
        name = f"| {row['size']:,} | {row['depth']} | {kernel} | {row['solver']} "
        if isinstance(row.get("failed"), str):
            lines.append(f"{name}| {row['failed']} | | | | | | | |")
        elif row["solver"] in (_EXACT, _BEFORE):
            checkpoint = row["checkpoint_seconds"] / row["seconds"]
            lines.append(
                f"{name}| {row['seconds']:.1f} | {row['of_products']:.2f} | "
                f"{row['peak_gb']:.2f} | {row['residual']:.1e} | "
                f"{row['largest_time_error']:.0e} | {row['fraction_of_rate']:.2f} | "
                f"{row['test_accuracy']:.4f} | {checkpoint:.1%} |"
            )
        else:
            residual = "" if math.isnan(row["residual"]) else f"{row['residual']:.1e}"
            lines.append(
                f"{name}| {row['seconds']:.1f} | | {row['peak_gb']:.2f} | {residual} | | | "
                f"{row['test_accuracy']:.4f} | |"
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
