"""The config, checked before any job is planned, and the paths that it names."""

import json
import os
import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))

from ntk_mnist.config import problems
from ntk_mnist.datasets import ARRAYS, CATALOGUE

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
NETWORK_SHARDS = expand(
    f"{RESULTS}/nn/width={{width}}/size={{size}}/seed={{seed}}.parquet",
    width=NETWORK["widths"],
    size=config["sizes"],
    seed=NETWORK["seeds"],
)
KERNEL_SHARDS = expand(f"{RESULTS}/kernel/size={{size}}.parquet", size=config["sizes"])
TABLES = [f"{RESULTS}/nn.parquet", f"{RESULTS}/kernel.parquet"]
FIGURES = expand(
    f"{RESULTS}/figures/{{figure}}.{{ending}}",
    figure=["comparison", "gap_to_infinite_width"],
    ending=["html", "png", "svg"],
)


wildcard_constraints:
    width=r"[1-9][0-9]*",
    size=r"[1-9][0-9]*",
    seed=r"0|[1-9][0-9]*",
    figure="comparison|gap_to_infinite_width",
