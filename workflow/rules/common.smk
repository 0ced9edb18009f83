"""The checked config as an experiment, the paths of its files, and why a file is stale."""

import os
import re
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.settings.enums import RerunTrigger

RULES = Path(workflow.current_basedir.get_path_or_uri(secret_free=True))
SOURCE = RULES.parents[1] / "src"
sys.path.insert(0, str(SOURCE))

from ntk_mnist import UserError
from ntk_mnist.charts import CHARTS, LIKE_FOR_LIKE, OF_EPOCHS, tables_of
from ntk_mnist.charts.captions import caption_of, section_of
from ntk_mnist.data.catalogue import ARRAYS, RECORD, SOURCES
from ntk_mnist.data.own import files_of
from ntk_mnist.measures import COMPARISONS
from ntk_mnist.plan import stale
from ntk_mnist.plan.because import write_reasons
from ntk_mnist.plan.config import problems
from ntk_mnist.plan.config_sources import argument_faults, file_faults, option_faults
from ntk_mnist.plan.config_text import understood
from ntk_mnist.plan.experiment import TABLES, experiment_of
from ntk_mnist.plan.published import check_published, read_published


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


def published_faults():
    """The fault of the file of published numbers, or of what they are of; jobs need not look."""
    try:
        if workflow.is_main_process and config.get("published"):
            check_published(
                read_published(Path(config["published"])), experiment_of(config)
            )
    except UserError as fault:
        yield str(fault)


if faults := [*source_faults(), *problems(config)] or [*published_faults()]:
    raise WorkflowError("The configuration cannot run:", *faults)

# Every job runs this checkout's package on this very Python, whatever is activated.
os.environ |= {
    "PYTHONPATH": str(SOURCE),
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]),
}

EXPERIMENT = experiment_of(config)
RESULTS = f"results/{EXPERIMENT.name}"
DATASET = EXPERIMENT.dataset
DESCRIPTION = EXPERIMENT.description
ORIGINALS = [f"data/originals/{DATASET}/{name}" for name, _ in DESCRIPTION.files]
ORIGINALS_RECORD = f"data/originals/{DATASET}/{RECORD}"
# A dataset of the user's own is prepared from the user's files, which nothing here makes.
OWN_FILES = files_of(EXPERIMENT.inputs.dataset) if EXPERIMENT.own else []
PREPARED = [f"data/prepared/{EXPERIMENT.prepared}/{array}.npy" for array in ARRAYS]
PREPARED_RECORD = f"data/prepared/{EXPERIMENT.prepared}/{RECORD}"
TABULATED = [name for name in EXPERIMENT.tables if name in TABLES]
MAIN_TABLES = expand(f"{RESULTS}/{{table}}.parquet", table=EXPERIMENT.tables)
# The first says what made all of them.
FIGURE_ENDINGS = ["html", "png", "svg", "pdf", "column.pdf"]
FIGURE_FILES = f"{RESULTS}/figures/{{figure}}.{{ending}}"
UNLIKE = OF_EPOCHS if EXPERIMENT.training.like_for_like else LIKE_FOR_LIKE
FIGURES, EVIDENCE_FIGURES = [
    expand(FIGURE_FILES, figure=charts, ending=FIGURE_ENDINGS)
    for charts in (
        [
            chart
            for chart in CHARTS
            if set(tables_of(chart)) <= {*EXPERIMENT.tables} and chart not in UNLIKE
        ],
        [chart for chart in CHARTS if "evidence" in tables_of(chart)],
    )
]
FIGURE_NAMES = [Path(file).stem for file in FIGURES if file.endswith(".html")]
PAGE = f"{RESULTS}/index.html"
BECAUSE = Path(".snakemake/because")
# Of the cells that this run is asked for.
STALE_CELLS = []
# Why jobs are stale, by their files.
REASONS = {}
# Whether this process runs this workflow, and not a job of it or another workflow that uses it.
OWN_RUN = (
    workflow.is_main_process
    and Path(workflow.main_snakefile).resolve()
    == (RULES.parents[1] / "Snakefile").resolve()
)


def shards(table):
    return [f"{RESULTS}/{path}" for path, _ in EXPERIMENT.shards(table)]


def exist(files):
    return all(Path(file).exists() for file in files)


def forced(rule="", files=()):
    """Whether options force a run of anything, or perhaps of the jobs of a rule."""
    settings = workflow.dag_settings
    named = set(map(str, settings.forcerun))
    if not rule:
        return bool(settings.forceall or settings.forcetargets or named)
    # A module may have added words to the name of the rule.
    return settings.forceall or any(rule in name or name in files for name in named)


def because(files, found):
    """Inputs that make Snakemake run a job whose files are stale, and that say why.

    A job in a process of its own runs in any case.
    """
    if not workflow.is_main_process:
        return []
    REASONS.update(dict.fromkeys(files, found))
    return list(map(str, write_reasons(BECAUSE, list(map(Path, files)), found)))


def dated(files, made_again):
    """Inputs whose dates count only if they are made again: else they are compared by content."""
    return files if made_again else ancient(files)


def if_needed(files, found, sources, made_again):
    """The sources of a job that must run, and the files that say why.

    A job that need not run has no sources: if those were made again, Snakemake would run the job
    after them. So nothing reads them, which takes longer than the rest of a plan.
    """
    warn_of_other_triggers()
    needed = found or forced() or not exist(files)
    return {
        "sources": dated(sources, made_again()) if needed else [],
        "because": because(files, found),
    }


@cache
def warn_of_other_triggers():
    """Warn once if Snakemake compares more than dates, which is known when it plans."""
    if workflow.is_main_process and workflow.rerun_triggers != {RerunTrigger.MTIME}:
        logger.warning(
            "Without --rerun-triggers mtime (profiles/default has it), Snakemake runs cells again"
            " for nothing: this workflow itself compares what made each file."
        )


@cache
def stale_originals():
    return stale.stale_originals(Path(ORIGINALS_RECORD))


@cache
def fetch_runs():
    files = [*ORIGINALS, ORIGINALS_RECORD]
    return bool(forced("fetch", files) or stale_originals() or not exist(files))


def originals_because(_):
    return because(ORIGINALS, stale_originals())


@cache
def stale_arrays():
    return stale.stale_arrays(DATASET, DESCRIPTION.stated, Path(PREPARED_RECORD))


@cache
def prepare_runs():
    files = [PREPARED_RECORD, *PREPARED]
    forces = forced("prepare", files) or forced("fetch", ORIGINALS)
    return bool(forces or stale_arrays() or not exist(files))


def prepared_inputs(_):
    files = [PREPARED_RECORD, *PREPARED]
    if OWN_FILES:
        # Compared by content, whatever their dates are.
        return if_needed(files, stale_arrays(), OWN_FILES, lambda: False)
    return if_needed(files, stale_arrays(), ORIGINALS, fetch_runs)


def cell_files(cell):
    return [f"{RESULTS}/{cell.path(output)}" for output in cell.outputs]


@cache
def stale_cell(cell):
    return stale.stale_cell(cell, Path(RESULTS))


@cache
def cell_runs(cell):
    files = cell_files(cell)
    forces = forced(cell.KIND, files) or (forced() and prepare_runs())
    return bool(forces or stale_cell(cell) or not exist(files))


@cache
def cell_inputs(cell):
    if stale_cell(cell):
        STALE_CELLS.append(cell)
    return if_needed(cell_files(cell), stale_cell(cell), PREPARED, prepare_runs)


def stale_table(table, file):
    return stale.stale_table(EXPERIMENT, table, Path(RESULTS), Path(file))


@cache
def table_runs(table):
    file = f"{RESULTS}/{table}.parquet"
    cells = (cell for _, cell in EXPERIMENT.shards(table))
    rules = dict.fromkeys(COMPARISONS, "compare") | {"reproduction": "reproduce"}
    forces = forced(rules.get(table, "table"), [file])
    return bool(
        forces
        or not exist([file])
        or stale_table(table, file)
        or any(map(cell_runs, cells))
    )


def table_shards(wildcards):
    return [
        dated(f"{RESULTS}/{path}", cell_runs(cell))
        for path, cell in EXPERIMENT.shards(wildcards.table)
    ]


def table_because(wildcards):
    file = f"{RESULTS}/{wildcards.table}.parquet"
    return because([file], stale_table(wildcards.table, file))


def partial_table_because(wildcards):
    file = f"{RESULTS}/partial/{wildcards.table}.parquet"
    return because([file], stale_table(wildcards.table, file))


def compared_inputs(_):
    files = expand(f"{RESULTS}/{{table}}.parquet", table=COMPARISONS)
    found = [
        reason
        for table, file in zip(COMPARISONS, files)
        for reason in stale_table(table, file)
    ]
    # All are made of the same shards.
    shards = [
        dated(f"{RESULTS}/{path}", cell_runs(cell))
        for path, cell in EXPERIMENT.shards("distance")
    ]
    # The labels of the test images.
    labels = if_needed(files, found, PREPARED, prepare_runs)
    return labels | {"shards": shards}


def reproduced_tables(_):
    return [
        dated(f"{RESULTS}/{table}.parquet", table_runs(table))
        for table in EXPERIMENT.reproduced
    ]


def reproduction_because(_):
    file = f"{RESULTS}/reproduction.parquet"
    return because([file], stale_table("reproduction", file))


def chart_tables(wildcards):
    return [
        dated(f"{RESULTS}/{table}.parquet", table_runs(table))
        for table in tables_of(wildcards.figure)
    ]


def figure_files(figure):
    return expand(FIGURE_FILES, figure=figure, ending=FIGURE_ENDINGS)


@cache
def stale_chart(figure):
    tables = {name: Path(RESULTS, f"{name}.parquet") for name in tables_of(figure)}
    return stale.stale_chart(figure, tables, DATASET, Path(figure_files(figure)[0]))


def chart_because(wildcards):
    return because(figure_files(wildcards.figure), stale_chart(wildcards.figure))


@cache
def chart_runs(figure):
    files = figure_files(figure)
    return bool(
        forced("chart", files)
        or not exist(files)
        or stale_chart(figure)
        or any(map(table_runs, tables_of(figure)))
    )


def page_figures(_):
    return [
        dated(f"{RESULTS}/figures/{figure}.html", chart_runs(figure))
        for figure in FIGURE_NAMES
    ]


def page_tables(_):
    return [
        dated(file, table_runs(table))
        for table, file in zip(EXPERIMENT.tables, MAIN_TABLES)
    ]


def page_because(_):
    found = stale.stale_page(
        EXPERIMENT, EXPERIMENT.tables, FIGURE_NAMES, Path(RESULTS), Path(PAGE)
    )
    return because([PAGE], found)


# Cells of the grid alone: another would be computed on values that were not checked.
wildcard_constraints:
    architecture="|".join(map(re.escape, EXPERIMENT.values("architecture"))),
    width="|".join(EXPERIMENT.values("width")),
    size="|".join(EXPERIMENT.values("size")),
    draw="|".join(EXPERIMENT.values("draw")),
    table="|".join(TABLES),
    figure="|".join(CHARTS),
