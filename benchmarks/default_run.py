"""The default experiment against the notebook's own procedure, and where its time goes.

    PYTHONPATH=src python benchmarks/default_run.py

Wants ``data/prepared/mnist`` (``snakemake data``). Every figure is the median of rounds in which
all of them are measured one after another. Writes ``results/default_run.md``, ``default_run.csv``
and ``gantt.png``, the cells of the last warm run over time.

- notebook: ``notebook.py``, networks and kernels in one process, without its plots;
- cold, warm: ``snakemake`` from the prepared arrays to the rendered charts, without and with the
  compiled programs of an earlier run;
- nothing to do, and an empty Snakefile;
- an added width of 96, and its six cells' own time;
- one seed of the smallest cell, and five;
- a cell from the start of its process to its first training step or first tile, and ``import
  jax``;
- training steps and, of the same shapes on as many threads, the matrix products that they take.
"""

import argparse
import ast
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import altair as alt
import pandas as pd

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
PREPARED = REPOSITORY / "data/prepared/mnist"
ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "PYTHONPATH": str(REPOSITORY / "src"),
}
CELL = (
    "--threads 1 --dataset mnist --prepared data/prepared/mnist --test-size 1000 --size 64"
    " --compiled data/compiled"
    ' --architecture {"depth":2,"activation":"relu","W_std":1.0,"b_std":0.0}'
)
NETWORK = (
    f"network {CELL} --width 64 --seed 0 --output cell.parquet --training"
    ' {"parameterization":"glorot","optimizer":"momentum","step_size":0.001,"mass":0.9,'
    '"epochs":20,"batch_size":64}'
)
KERNEL = f"kernel {CELL} --kinds nngp ntk --times 10 --diag-reg 0 --output cell.parquet"
WIDTH = "{network: {widths: [64, 96, 128, 256, 512, 1024, 2048]}}\n"
SEEDS = "{network: {seeds: [0, 1, 2, 3, 4]}}\n"
SMALLEST = [f"results/ntk_mnist/nn/width=64/size=64/seed={seed}.parquet" for seed in range(5)]

# What a cell does between the start of its process and the end, as the command line runs it.
STAGES = """
import os, runpy, sys, time
os._exit = sys.exit
marks = [("python", time.time())]
import jax
marks.append(("import jax", time.time()))
import ntk_mnist.commands.{command} as cell
marks.append(("import the rest", time.time()))
from ntk_mnist.programs import KeptPrograms
load, write = KeptPrograms._load, cell.write
def timed_load(*a):
    marks.append(("read the data", time.time()))
    program = load(*a)
    marks.append(("load the program", time.time()))
    return program
def timed_write(*a):
    marks.append(("compute", time.time()))
    write(*a)
    marks.append(("write", time.time()))
KeptPrograms._load, cell.write = timed_load, timed_write
sys.argv = ["python -m ntk_mnist"] + sys.argv[1:]
try:
    runpy.run_module("ntk_mnist", run_name="__main__")
except SystemExit:
    print(repr(marks))
"""

# Seconds of a training step, and of the matrix products of its shapes.
STEPS = """
import os, sys, time
os.environ["NPROC"] = sys.argv[2]
import jax, numpy as np
from ntk_mnist import network
from ntk_mnist.architecture import Architecture
width, classes, pixels, batch = int(sys.argv[1]), 10, 784, 64
training = network.Training("glorot", "momentum", 0.001, 0.9, 1, batch)
rng = np.random.RandomState(0)
images = network._padded(
    rng.randint(0, 255, (2048, pixels)).astype(np.uint8), rng.randint(0, 10, 2048).astype(np.uint8)
)
order = network._pad_rows(network.batch_order(2048, batch, 20, 0), 4096)
program = network._program(Architecture(2, "relu", 1.0, 0.0), training, width, classes, 255)
arguments = np.array([0, 0], np.uint32), images, images, order
compiled = program.lower(*arguments, np.int32(1)).compile()
def run(steps):
    started = time.perf_counter()
    jax.block_until_ready(compiled(*arguments, np.int32(steps)))
    return time.perf_counter() - started
normal = lambda *shape: jax.random.normal(jax.random.PRNGKey(0), shape)
x, h, d = normal(batch, pixels), normal(batch, width), normal(batch, width)
w1, w2 = normal(pixels, width), normal(width, width)
products = [
    (lambda a, b: a @ b, x, w1), (lambda a, b: a @ b, h, w2), (lambda a, b: a.T @ b, h, d),
    (lambda a, b: a @ b.T, d, w2), (lambda a, b: a.T @ b, x, d),
]
def product(f, a, b):
    g = jax.jit(f)
    g(a, b).block_until_ready()
    started = time.perf_counter()
    for _ in range(50):
        r = g(a, b)
    r.block_until_ready()
    return (time.perf_counter() - started) / 50
run(1)
rounds = [((run(150) - run(50)) / 100, sum(product(*p) for p in products)) for _ in range(5)]
step, matrices = (sorted(values)[2] for values in zip(*rounds))
flops = 2 * batch * (2 * pixels * width + 3 * width**2)
print(step, matrices, flops)
"""


def main() -> None:
    """Measure in rounds, and write."""
    parser = argparse.ArgumentParser(description="The default experiment against the notebook.")
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    measured: defaultdict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="ntk-mnist-default-") as name:
        folder = Path(name)
        lay_out(folder)
        for _ in range(rounds):
            for what, seconds in one_round(folder).items():
                measured[what].append(seconds)
                print(f"{what}: {seconds:.2f}", flush=True)
    table = pd.DataFrame(
        {"what": what, "median": statistics.median(values), "min": min(values), "max": max(values)}
        for what, values in measured.items()
    )
    RESULTS.mkdir(exist_ok=True)
    table.to_csv(RESULTS / "default_run.csv", index=False)
    (RESULTS / "default_run.md").write_text(report(table.set_index("what")["median"], rounds))


def lay_out(folder: Path) -> None:
    """Put the workflow and the prepared arrays into ``folder``."""
    for name in ("Snakefile", "workflow", "src", "config", "profiles", "environment.yml"):
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    shutil.copytree(PREPARED, folder / "data/prepared/mnist")
    (folder / "width.yaml").write_text(WIDTH)
    (folder / "seeds.yaml").write_text(SEEDS)
    (folder / "empty").mkdir()
    (folder / "empty/Snakefile").write_text("rule all:\n    input: []\n")


def one_round(folder: Path) -> dict[str, float]:
    """Everything once."""
    notebook = str(REPOSITORY / "benchmarks/notebook.py")
    seconds = {"notebook": run(folder, sys.executable, notebook, "data/prepared/mnist")}
    shutil.rmtree(folder / "data/compiled", ignore_errors=True)
    for what in ("cold", "warm"):
        shutil.rmtree(folder / "results", ignore_errors=True)
        seconds[what] = run(folder, "snakemake")
    gantt(folder).save(RESULTS / "gantt.png", ppi=150)
    seconds["nothing to do"] = run(folder, "snakemake")
    seconds["empty Snakefile"] = run(folder / "empty", "snakemake", "--cores", "2")
    seconds["added width"] = run(folder, "snakemake", "--configfile", "width.yaml")
    cells = [
        spans(folder, log) for log in (folder / "results/ntk_mnist/logs/nn/width=96").rglob("*.log")
    ]
    seconds["its six cells"] = max(end for _, end in cells) - min(start for start, _ in cells)
    for what, targets in (("one seed", SMALLEST[:1]), ("five seeds", SMALLEST)):
        shutil.rmtree(folder / "results")
        seconds[what] = run(folder, "snakemake", *targets, "--configfile", "seeds.yaml")
    seconds["import jax"] = run(folder, sys.executable, "-c", "import jax")
    for command, words in (("network", NETWORK), ("kernel", KERNEL)):
        marks = stages(folder, command, words)
        before = 0.0
        for stage, at in marks:
            seconds[f"{command}: {stage}"] = at - before
            before = at
        seconds[f"{command}: to its first step"] = dict(marks)["load the program"]
    for width, threads in ((1024, 1), (2048, 1), (2048, 2)):
        said = output(folder, sys.executable, "-c", STEPS, str(width), str(threads))
        step, products, flops = map(float, said.split())
        name = f"width {width}, {threads} thread{'s' * (threads > 1)}"
        seconds[f"{name}: step, ms"] = 1e3 * step
        seconds[f"{name}: its products, ms"] = 1e3 * products
        seconds[f"{name}: fraction of the products' rate"] = products / step
        seconds[f"{name}: Gflop/s"] = flops / step / 1e9
    return seconds


def run(folder: Path, *command: str) -> float:
    """Seconds of a command's process."""
    started = time.perf_counter()
    output(folder, *command)
    return time.perf_counter() - started


def output(folder: Path, *command: str) -> str:
    """What a command prints; its failure ends everything."""
    done = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-5000:]}")
    return done.stdout


def stages(folder: Path, command: str, words: str) -> list[tuple[str, float]]:
    """Seconds since the start of a cell's process at which its stages end."""
    program = STAGES.replace("{command}", command)
    started = time.time()
    said = output(folder, sys.executable, "-c", program, *words.split())
    marks = ast.literal_eval(said.splitlines()[-1])
    return [*((stage, at - started) for stage, at in marks), ("end", time.time() - started)]


def spans(folder: Path, log: Path) -> tuple[float, float]:
    """When a cell began, which opened its empty log, and when its shard was written."""
    results = folder / "results/ntk_mnist"
    shard = (results / log.relative_to(results / "logs")).with_suffix(".parquet")
    return log.stat().st_mtime, shard.stat().st_mtime


def gantt(folder: Path) -> alt.Chart:
    """The cells of a run over time."""
    logs = folder / "results/ntk_mnist/logs"
    cells = [*(logs / "nn").rglob("*.log"), *(logs / "kernel").rglob("*.log")]
    rows = sorted(
        (*spans(folder, log), str(log.relative_to(logs).with_suffix(""))) for log in cells
    )
    first = rows[0][0]
    lanes: list[float] = []
    data = []
    for start, end, name in rows:
        lane = next((i for i, free in enumerate(lanes) if free <= start + 0.05), len(lanes))
        lanes[lane : lane + 1] = [end]
        kind = "kernel" if name.startswith("kernel") else name.split("/")[1]
        data.append({"start": start - first, "end": end - first, "lane": lane + 1, "cell": kind})
    widths = sorted({row["cell"] for row in data} - {"kernel"}, key=lambda w: int(w.split("=")[1]))
    return (
        alt.Chart(pd.DataFrame(data), title="Cells of the default run, by the core they ran on")
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("start", title="seconds"),
            x2="end",
            y=alt.Y("lane:O", title=None),
            color=alt.Color("cell", title=None, sort=[*widths, "kernel"]).scale(scheme="viridis"),
        )
        .properties(width=700, height=120)
    )


def report(median: "pd.Series[float]", rounds: int) -> str:
    """The tables for the README of the benchmarks."""
    ratios = [
        ("default run, cold / notebook", median["cold"] / median["notebook"], "≤ 0.5"),
        ("default run, warm / notebook", median["warm"] / median["notebook"], "≤ 0.4"),
        (
            "nothing to do − an empty Snakefile, s",
            median["nothing to do"] - median["empty Snakefile"],
            "≤ 1",
        ),
        ("added width − its six cells, s", median["added width"] - median["its six cells"], "≤ 8"),
        ("five seeds / one seed", median["five seeds"] / median["one seed"], "< 2"),
    ]
    for cell in ("network", "kernel"):
        fixed = median[f"{cell}: to its first step"] / median["import jax"]
        ratios.append((f"{cell} cell to its first step / import jax", fixed, "≤ 1.5"))
    rates = [what for what in median.index if "fraction" in what]
    ratios += [(f"step, {what}", median[what], "≥ 0.7") for what in rates]
    lines = [f"Medians of {rounds} round{'s' * (rounds > 1)}.", ""]
    lines += ["| ratio | measured | target |", "|---|---|---|"]
    lines += [f"| {what} | {value:.2f} | {target} |" for what, value, target in ratios]
    lines += ["", "| figure | median |", "|---|---|"]
    lines += [f"| {what} | {value:.2f} |" for what, value in median.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
