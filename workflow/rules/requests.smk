"""What a cell requests of the machine or of a cluster, as functions of wildcards."""

from ntk_mnist.plan.submissions import Submissions, memory_mb

SUBMISSIONS = Submissions(EXPERIMENT.batch_minutes)


def of_cell(kind, value):
    """A function of wildcards: a value of the cell that they name."""
    return lambda wildcards: value(EXPERIMENT.cell(kind, wildcards))


def of_attempt(kind, value):
    """A function of wildcards and the attempt: a value of the cell that they name."""
    return lambda wildcards, attempt: value(EXPERIMENT.cell(kind, wildcards), attempt)


def batched():
    """Whether the profile asks for batches of cells; known only after the rules are read."""
    return "cells" in workflow.group_settings.group_components


def counted_threads(kind):
    """Threads that Snakemake counts for a cell.

    Inside a batch on a cluster, all that there are: its cells run one after another.
    """
    return of_cell(
        kind, lambda cell: workflow.cores if workflow.remote_exec else cell.threads
    )


def memory(cell, attempt):
    return memory_mb(cell, batched(), attempt)


def minutes(cell, attempt):
    return attempt * SUBMISSIONS.of(cell, batched()).minutes


def group(cell):
    """The cell's batch as a group of Snakemake's, if the profile asks for batches."""
    batch = SUBMISSIONS.of(cell, batched()).batch
    if batch:
        # A group of the profile's kind `cells`: put together although nothing links its cells.
        workflow.parent_groupids[batch] = "cells"
    return batch


def keep_on_retry(shard):
    """An output that Snakemake does not delete before a job in a batch on a cluster.

    A second attempt at a batch starts all of its cells; those that are finished find their shard.
    """
    return update(shard) if workflow.remote_exec else shard
