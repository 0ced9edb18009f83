"""The config, checked before any job is planned, and the paths that it names."""

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from snakemake.exceptions import WorkflowError

SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))

from ntk_mnist import provenance
from ntk_mnist.config import problems
from ntk_mnist.cost import kernel_solver, kernel_threads, network_threads
from ntk_mnist.datasets import ARRAYS, CATALOGUE
from ntk_mnist.staleness import digest, reasons

with (Path(workflow.basedir) / "workflow/schemas/config.schema.yaml").open() as stream:
    faults = problems(config, yaml.safe_load(stream))
if faults:
    raise WorkflowError("The configuration cannot run:", *faults)

# Every job runs this checkout's package on this very Python, whatever is activated.
os.environ |= {
    "PYTHONPATH": str(SOURCE),
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]),
}

DATASET = config["dataset"]
NETWORK = config["network"]
KERNEL = config["kernel"]
RESULTS = f"results/{config['experiment']}"

ARCHITECTURE = {key: NETWORK[key] for key in ("depth", "activation", "W_std", "b_std")}
TRAINING = {
    "parameterization": NETWORK["parameterization"],
    "optimizer": NETWORK["optimizer"]["name"],
    "step_size": NETWORK["optimizer"]["step_size"],
    "mass": NETWORK["optimizer"]["mass"],
    "epochs": NETWORK["epochs"],
    "batch_size": NETWORK["batch_size"],
}

ORIGINALS = [f"data/originals/{DATASET}/{name}" for name, _ in CATALOGUE[DATASET].files]
PREPARED = [f"data/prepared/{DATASET}/{array}.npy" for array in ARRAYS]
PREPARED_RECORD = f"data/prepared/{DATASET}/made.json"
NETWORK_SHARD = f"{RESULTS}/nn/width={{width}}/size={{size}}/seed={{seed}}.parquet"
KERNEL_SHARD = f"{RESULTS}/kernel/size={{size}}.parquet"
NETWORK_SHARDS = expand(
    NETWORK_SHARD,
    width=NETWORK["widths"],
    size=config["sizes"],
    seed=NETWORK["seeds"],
)
KERNEL_SHARDS = expand(KERNEL_SHARD, size=config["sizes"])
SIZES = " ".join(map(str, config["sizes"]))
NETWORK_GRID = (
    f"--sizes {SIZES} --widths {' '.join(map(str, NETWORK['widths']))}"
    f" --seeds {' '.join(map(str, NETWORK['seeds']))}"
)
KERNEL_GRID = f"--sizes {SIZES}"
TABLES = [f"{RESULTS}/nn.parquet", f"{RESULTS}/kernel.parquet"]
CALIBRATION = f"{RESULTS}/calibration.parquet"
EVIDENCE = config["evidence"]
EVIDENCE_TABLE = f"{RESULTS}/evidence.parquet"
EVIDENCE_SHARD = (
    f"{RESULTS}/evidence/depth={{depth}}/W_std={{W_std}}/b_std={{b_std}}.parquet"
)
EVIDENCE_AXES = {key: EVIDENCE[key] for key in ("depth", "W_std", "b_std")}
EVIDENCE_SHARDS = expand(EVIDENCE_SHARD, **EVIDENCE_AXES)
EVIDENCE_GRID = " ".join(
    f"--{axis.replace('_', '-')}s {' '.join(map(str, values))}"
    for axis, values in EVIDENCE_AXES.items()
)
FIGURE_NAMES = ["comparison", "gap_to_infinite_width", "calibration"]
# The first says what made all of them.
FIGURE_ENDINGS = ["html", "png", "svg"]
FIGURES = expand(
    f"{RESULTS}/figures/{{figure}}.{{ending}}",
    figure=FIGURE_NAMES,
    ending=FIGURE_ENDINGS,
)

BECAUSE = Path(".snakemake/because")


def stale(files, wanted, made_from=()):
    """Inputs that make Snakemake run a job whose file is stale, and say why.

    One small file a reason, named after it and newer: so a stale job's reason reads
    `Updated input files: .snakemake/because/epochs was 20, is 30`. Of `files`, the first says
    what made them all. Where they are what `made_from` makes, but older, as after a copy, they
    are dated anew, since Snakemake goes by times.
    """
    files = [Path(file) for file in files]
    found = reasons(files[0], wanted)
    if not found:
        date_after(files, made_from)
    BECAUSE.mkdir(parents=True, exist_ok=True)
    markers = []
    for reason in found[:5]:
        marker = BECAUSE / re.sub(r"[^\w .,:=+()\[\]-]", "_", reason)[:160]
        # Unlike any content before it, as Snakemake takes a file of known content for old.
        marker.write_text(str(time.time_ns()))
        markers.append(str(marker))
    if markers:
        # The stale file is older than that, whatever clock dated it.
        date_before(files, Path(markers[0]))
    return markers


def date_after(files, earlier):
    """Date those of `files` that are older than one of `earlier` like the youngest of them."""
    times = [Path(file).stat().st_mtime_ns for file in earlier if Path(file).exists()]
    for file in filter(Path.exists, files):
        if times and file.stat().st_mtime_ns < max(times):
            os.utime(file, ns=(max(times), max(times)))


def date_before(files, later):
    """Date those of `files` that are not older than `later` one second earlier than it."""
    time_ns = later.stat().st_mtime_ns
    for file in filter(Path.exists, files):
        if file.stat().st_mtime_ns >= time_ns:
            os.utime(file, ns=(time_ns - 10**9, time_ns - 10**9))


def if_needed(sources, outputs, wanted):
    """`sources` as inputs of a job that must run, and why it must if its files are stale.

    Files that need nothing ask for no sources: were those made again, or their dates changed,
    Snakemake would make the files after them, or, were they `ancient`, pass over other jobs
    that must run. Of `outputs`, the first says what made them all.
    """
    because = stale(outputs, wanted)
    forced = workflow.dag_settings.forceall or workflow.dag_settings.forcerun
    needed = because or forced or not all(Path(file).exists() for file in outputs)
    return {"sources": sources if needed else [], "because": because}


def prepared_inputs(_):
    return if_needed(
        ORIGINALS, [PREPARED_RECORD, *PREPARED], provenance.of_prepared(DATASET)
    )


def network_inputs(wildcards):
    settings = {
        "dataset": DATASET,
        "width": int(wildcards.width),
        "size": int(wildcards.size),
        "seed": int(wildcards.seed),
        "test_size": config["test_size"],
        "threads": network_threads(int(wildcards.width)),
        **ARCHITECTURE,
        **TRAINING,
    }
    return if_needed(
        PREPARED, [NETWORK_SHARD.format(**wildcards)], provenance.of_network(settings)
    )


class KernelCell(NamedTuple):
    """What a kernel cell computes, or one of evidence."""

    shard: str
    size: int
    architecture: dict[str, Any]
    kinds: list[str]
    times: list[float]

    @property
    def solver(self):
        return kernel_solver(self.size)

    @property
    def threads(self):
        return kernel_threads(self.size)


def kernel_cell(wildcards):
    if "size" in wildcards.keys():
        shard, size = KERNEL_SHARD.format(**wildcards), int(wildcards.size)
        return KernelCell(shard, size, ARCHITECTURE, KERNEL["kinds"], KERNEL["times"])
    shard, size = EVIDENCE_SHARD.format(**wildcards), EVIDENCE["size"]
    of_grid = {
        axis: next(v for v in values if str(v) == wildcards[axis])
        for axis, values in EVIDENCE_AXES.items()
    }
    return KernelCell(shard, size, ARCHITECTURE | of_grid, ["nngp"], [])


def kernel_inputs(wildcards):
    cell = kernel_cell(wildcards)
    settings = {
        "dataset": DATASET,
        "size": cell.size,
        "test_size": config["test_size"],
        **cell.architecture,
        "kinds": sorted(cell.kinds),
        "times": sorted(cell.times),
        "diag_reg": KERNEL["diag_reg"],
        "solver": cell.solver,
    }
    # An exact solve's numbers do not hang on them.
    if cell.solver == "spectral":
        settings["threads"] = cell.threads
    return if_needed(PREPARED, [cell.shard], provenance.of_kernel(settings))


def stale_table(table, shards, folder):
    """For a function of wildcards, as Snakemake asks for it only when it plans the table."""
    return lambda _: stale(
        [table],
        provenance.of_table(
            {str(Path(s).relative_to(folder)): digest(Path(s)) for s in shards}
        ),
        made_from=shards,
    )


def stale_calibration(_):
    kernels = f"{RESULTS}/kernel.parquet"
    wanted = provenance.of_calibration(digest(Path(kernels)))
    return stale([CALIBRATION], wanted, made_from=[kernels])


def stale_chart(wildcards):
    tables = {Path(table).stem: digest(Path(table)) for table in TABLES}
    return stale(
        [f"{RESULTS}/figures/{wildcards.figure}.{ending}" for ending in FIGURE_ENDINGS],
        provenance.of_chart(wildcards.figure, tables),
        made_from=TABLES,
    )


# Cells of the grid alone: another would be trained on what was never checked.
wildcard_constraints:
    width="|".join(map(str, NETWORK["widths"])),
    size="|".join(map(str, config["sizes"])),
    seed="|".join(map(str, NETWORK["seeds"])),
    depth="|".join(map(str, EVIDENCE["depth"])),
    W_std="|".join(re.escape(str(value)) for value in EVIDENCE["W_std"]),
    b_std="|".join(re.escape(str(value)) for value in EVIDENCE["b_std"]),
    figure="|".join(FIGURE_NAMES),
