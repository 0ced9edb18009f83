"""The checked config as an experiment, the paths of its files, and why a file is stale."""

import os
import re
import sys
import time
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.settings.enums import RerunTrigger

RULES = Path(workflow.current_basedir.get_path_or_uri(secret_free=True))
SOURCE = RULES.parents[1] / "src"
sys.path.insert(0, str(SOURCE))

from ntk_mnist.charts import CHARTS, caption_of, tables_of
from ntk_mnist.data.catalogue import ARRAYS, CATALOGUE, RECORD, SOURCES
from ntk_mnist.plan import stale
from ntk_mnist.plan.cells import KernelCell, NetworkCell
from ntk_mnist.plan.config import problems
from ntk_mnist.plan.config_sources import argument_faults, file_faults, option_faults
from ntk_mnist.plan.config_text import understood
from ntk_mnist.plan.experiment import TABLES, experiment_of


def source_faults():
    """Faults of the options and files that the config comes from; jobs need not look again."""
    if not workflow.is_main_process:
        return
    yield from option_faults(sys.argv[1:])
    yield from argument_faults(workflow.config_settings.config_args or ())
    for file in dict.fromkeys(map(os.path.relpath, workflow.configfiles)):
        # A module's settings are a part of another workflow's.
        yield from file_faults(
            Path(file), file, numbers=workflow.modifier.is_main_snakefile()
        )


config = understood(
    config,
    workflow.config_settings.config or {},
    workflow.config_settings.config_args or (),
)
if faults := [*source_faults(), *problems(config)]:
    raise WorkflowError("The configuration cannot run:", *faults)

# Every job runs this checkout's package on this very Python, whatever is activated.
os.environ |= {
    "PYTHONPATH": str(SOURCE),
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]),
}

EXPERIMENT = experiment_of(config)
RESULTS = f"results/{EXPERIMENT.name}"
DATASET = EXPERIMENT.inputs.dataset
ORIGINALS = [f"data/originals/{DATASET}/{name}" for name, _ in CATALOGUE[DATASET].files]
ORIGINALS_RECORD = f"data/originals/{DATASET}/{RECORD}"
PREPARED = [f"data/prepared/{DATASET}/{array}.npy" for array in ARRAYS]
PREPARED_RECORD = f"data/prepared/{DATASET}/{RECORD}"
MAIN_NAMES = [name for name in TABLES if name != "evidence"]
MAIN_TABLES = expand(f"{RESULTS}/{{table}}.parquet", table=MAIN_NAMES)
# The first says what made all of them.
FIGURE_ENDINGS = ["html", "png", "svg"]
FIGURE_FILES = f"{RESULTS}/figures/{{figure}}.{{ending}}"
FIGURES = expand(FIGURE_FILES, figure=CHARTS, ending=FIGURE_ENDINGS)
BECAUSE = Path(".snakemake/because")


def shards(table):
    return [f"{RESULTS}/{path}" for path, _ in EXPERIMENT.shards(table)]


def markers(files, found, made_from=()):
    """Inputs that make Snakemake run a job whose files are stale, and that say why.

    Each reason is a small file of that name, newer than what is stale, so that the plan shows
    `Updated input files: .snakemake/because/epochs was 20, is 30`. Files that are current but
    older than what they are made from, as after a copy, get a newer date, because Snakemake
    compares dates.
    """
    files = [file for file in map(Path, files) if file.exists()]
    if not found:
        dates = [
            Path(file).stat().st_mtime_ns for file in made_from if Path(file).exists()
        ]
        for file in files:
            if dates and file.stat().st_mtime_ns < max(dates):
                os.utime(file, ns=(max(dates), max(dates)))
    BECAUSE.mkdir(parents=True, exist_ok=True)
    made = [
        BECAUSE / re.sub(r"[^\w .,:=+()\[\]-]", "_", why)[:160] for why in found[:5]
    ]
    for marker in made:
        # Always another content: Snakemake takes a file whose content it knows for an old one.
        marker.write_text(str(time.time_ns()))
    for file in files if made else ():
        # Whatever clock dated the stale file, it is older than its marker.
        if file.stat().st_mtime_ns >= (date := made[0].stat().st_mtime_ns):
            os.utime(file, ns=(date - 10**9, date - 10**9))
    return [str(marker) for marker in made]


def if_needed(outputs, found):
    """The arrays or originals as inputs of a job that must run, and the markers that say why.

    A job that need not run has no sources: if those were made again, or only their dates changed,
    Snakemake would run the job after them; if they were `ancient`, it would pass over other jobs
    that must run.
    """
    warn_of_other_triggers()
    because = markers(outputs, found)
    forced = workflow.dag_settings.forceall or workflow.dag_settings.forcerun
    needed = because or forced or not all(Path(file).exists() for file in outputs)
    sources = ORIGINALS if PREPARED_RECORD in outputs else PREPARED
    return {"sources": sources if needed else [], "because": because}


@cache
def warn_of_other_triggers():
    """Warn once if Snakemake compares more than dates, which is known when it plans."""
    if workflow.is_main_process and workflow.rerun_triggers != {RerunTrigger.MTIME}:
        logger.warning(
            "Without --rerun-triggers mtime (profiles/default has it), Snakemake runs cells again"
            " for nothing: this workflow itself compares what made each file."
        )


def stale_originals(_):
    return markers(ORIGINALS, stale.stale_originals(Path(ORIGINALS_RECORD)))


def prepared_inputs(_):
    found = stale.stale_arrays(DATASET, Path(PREPARED_RECORD))
    return if_needed([PREPARED_RECORD, *PREPARED], found)


@cache
def cell_inputs(cell):
    files = [f"{RESULTS}/{cell.path(output)}" for output in cell.OUTPUTS]
    return if_needed(files, stale.stale_cell(cell, Path(RESULTS)))


def stale_table(wildcards):
    file = f"{RESULTS}/{wildcards.table}.parquet"
    found = stale.stale_table(EXPERIMENT, wildcards.table, Path(RESULTS), Path(file))
    return markers([file], found, made_from=shards(wildcards.table))


def stale_partial_table(wildcards):
    file = f"{RESULTS}/partial/{wildcards.table}.parquet"
    found = stale.stale_table(EXPERIMENT, wildcards.table, Path(RESULTS), Path(file))
    return markers([file], found)


def chart_tables(wildcards):
    return [f"{RESULTS}/{table}.parquet" for table in tables_of(wildcards.figure)]


def stale_chart(wildcards):
    tables = {Path(table).stem: Path(table) for table in chart_tables(wildcards)}
    files = expand(FIGURE_FILES, figure=wildcards.figure, ending=FIGURE_ENDINGS)
    found = stale.stale_chart(wildcards.figure, tables, DATASET, Path(files[0]))
    return markers(files, found, made_from=tables.values())


# Cells of the grid alone: another would be computed on values that were not checked.
wildcard_constraints:
    architecture="|".join(map(re.escape, EXPERIMENT.values("architecture"))),
    width="|".join(EXPERIMENT.values("width")),
    size="|".join(EXPERIMENT.values("size")),
    table="|".join(TABLES),
    figure="|".join(CHARTS),
