"""What a person reads of a run, in place of Snakemake's block a job.

Snakemake's own output comes back with --verbose, --printshellcmds, --debug-dag and --quiet, or with
a --logger that writes to the terminal; its log file in .snakemake/log always has everything.
"""

import time
from contextlib import suppress

from snakemake.common import NOTHING_TO_BE_DONE_MSG
from snakemake.logging import ColorizingTextHandler

from ntk_mnist.plan.cost import START_SECONDS
from ntk_mnist.plan.disk import disk_bytes
from ntk_mnist.store.records import was_made_of
from ntk_mnist.store.shards import TableError, about
from ntk_mnist.terminal.before import Planned, before
from ntk_mnist.terminal.estimate import Pace, Work
from ntk_mnist.terminal.handler import Milestones, Terminal
from ntk_mnist.terminal.run import Job, Run
from ntk_mnist.terminal.words import cell_words, counted, duration

# Of this machine and this folder.
PACE = Path(".snakemake/pace.json")
# Of a table or chart: start, read, write.
SECONDS_OF_OTHERS = 4
# Their jobs print to the terminal themselves.
TALKING = frozenset({"fetch", "evidence", "partial_table"})
# Of jobs without wildcards.
WORDS = {"page": "the page", "compare": "comparisons", "reproduce": "published numbers"}
ARCHITECTURES = [a for group in EXPERIMENT.groups for a in group.architectures]
# Of this workflow's own run: what follows it, and what shows it if Snakemake's handler does not.
FOLLOWS, SHOWS = [], []


def cell_of(job):
    """The cell of a job, or None."""
    if job.rule.name in ("network", "kernel"):
        return EXPERIMENT.cell(job.rule.name, job.wildcards)


def to_compute(cell):
    """A cell, of a network only with the seeds that it is to train."""
    lacks_seeds = cell.KIND == "network" and any(
        reason.startswith("seed") for reason in stale_cell(cell)
    )
    if not lacks_seeds:
        return cell
    try:
        has = about(Path(cell_files(cell)[0])).seeds
    except TableError:
        return cell
    lacking = tuple(seed for seed in cell.seeds if seed not in has)
    return msgspec.structs.replace(cell, seeds=lacking or cell.seeds)


@cache
def made_of_before(table):
    """The record of a table as it is before the run."""
    try:
        return about(Path(RESULTS, f"{table}.parquet")).made
    except TableError:
        return {}


def reasons_of(job):
    """Why a job runs, in words; none if it only follows others."""
    cell, files = cell_of(job), list(map(str, job.output))
    if found := next(filter(None, map(REASONS.get, files)), ()):
        return list(found)
    if cell and not any(map(exist, ([file] for file in files))):
        known = was_made_of(made_of_before(cell.outputs[0]), cell.path(cell.outputs[0]))
        return ["deleted" if known else "added"]
    if not exist(files):
        return ["files are missing"] if cell else []
    return ["forced"] if workflow.dag.reason(job).forced else []


def planned_job(job):
    """A job as the terminal shows it."""
    cell, rule = cell_of(job), job.rule.name
    names = job.wildcards_dict
    what = names.get("figure") or names.get("table") or WORDS.get(rule, DATASET)
    seconds, threads, start = SECONDS_OF_OTHERS, 1, SECONDS_OF_OTHERS
    if cell:
        cell = to_compute(cell)
        what = cell_words(cell, ARCHITECTURES)
        seconds, threads, start = cell.seconds, cell.threads, START_SECONDS
    log = Path(str(job.log[0])) if job.log else None
    return Planned(
        Job(rule, what, Work(rule, seconds, threads, start), log),
        reasons_of(job),
        len(getattr(cell, "seeds", ())),
        disk_bytes(cell) if cell else 0,
    )


def jobs_at_once():
    """Cores of this machine or jobs of a cluster, and what they are in words."""
    if nodes := workflow.resource_settings.nodes:
        return nodes, f"up to {nodes:,} jobs of a cluster at once"
    cores = workflow.resource_settings.cores or 1
    return cores, counted(cores, "cores")


def say_plan():
    """What is to run, for how long and why. Snakemake knows its jobs now."""
    if workflow.touch:
        return
    jobs = [job for job in workflow.dag.needrun_jobs() if not job.rule.norun]
    planned = {workflow.dag.jobid(job): planned_job(job) for job in jobs}
    pace, (cores, where) = Pace.read(PACE), jobs_at_once()
    for line in before([*planned.values()], cores, pace, RESULTS, where):
        logger.info(line)
    if workflow.dryrun:
        logger.info(
            "Nothing runs now (-n). Each job with its command: -n --printshellcmds"
        )
        return
    return Run({i: plan.job for i, plan in planned.items()}, cores, pace)


def say_up_to_date():
    logger.info("Everything is up to date; nothing is to run.")
    say_results()


def show_run():
    """Show the run, from when it has begun."""
    for follows in FOLLOWS:
        if follows.run:
            for shows in SHOWS:
                shows.begin(follows.run)


def end_terminal():
    """Leave the terminal as it was, and keep how long cells take here."""
    for shows in SHOWS:
        shows.end()
    for follows in FOLLOWS:
        if follows.run:
            with suppress(OSError):
                follows.run.pace.write(PACE)


def say_where():
    """The files to open, of those that the run was asked for."""
    asked_for = {job.rule.name for job in workflow.dag.jobs}
    if not workflow.is_main_process:
        return
    for follows in FOLLOWS:
        if follows.run:
            logger.info(f"Took {duration(time.monotonic() - follows.run.started)}.")
    index = Path(RESULTS, "index.html")
    if "chart" in asked_for:
        logger.info(f"Open {index if index.exists() else f'{RESULTS}/figures/'}")
    elif asked_for & {"table", "compare", "reproduce"}:
        logger.info(f"Tables: {RESULTS}/*.parquet")


def say_results():
    """What a run found, and where; also if everything is up to date."""
    say_headline()
    say_where()


def say_where_it_says_more(log):
    """What a run that failed has left."""
    logger.info(
        "Stopped by a failure. What is finished is kept; the same command continues."
        f" Everything that Snakemake said: {log[0] if isinstance(log, list) and log else log}"
    )


# Another workflow that uses this one as a module decides for itself.
if OWN_RUN:
    said = workflow.output_settings
    as_it_is = said.verbose or said.printshellcmds or said.debug_dag or said.quiet
    for place, handler in enumerate(logger.handlers):
        if type(handler) is ColorizingTextHandler and not as_it_is:
            ours = (str(RULES), str(SOURCE), str(RULES.parents[1] / "Snakefile"))
            logger.handlers[place] = Terminal(
                handler,
                logger.info,
                ours,
                show_logs=said.show_failed_logs,
                talking=TALKING,
            )
            SHOWS.append(logger.handlers[place])
    FOLLOWS.append(Milestones(say_plan, NOTHING_TO_BE_DONE_MSG, say_up_to_date))
    logger.addHandler(FOLLOWS[0])
