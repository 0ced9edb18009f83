"""`snakemake --touch` accepts changes of code and libraries, without running the cells again."""

from ntk_mnist.plan.acceptance import accept, refusals


def accept_if_touched():
    """Make the stale shards of this run current, all or none.

    Raises:
        WorkflowError: a shard differs in more than code and libraries.
    """
    if not workflow.touch:
        return
    if refused := refusals(STALE_CELLS, Path(RESULTS)):
        raise WorkflowError(
            "Nothing is accepted: --touch accepts changes of code and libraries, and these shards"
            " differ in more. Name other targets, or run without --touch:",
            *refused[:10],
        )
    for line in accept(STALE_CELLS, Path(RESULTS)):
        logger.info(f"Accepted as it is: {line}")
