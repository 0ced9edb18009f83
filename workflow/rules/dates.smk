"""No job of this workflow fails for the date of a file.

After a job, Snakemake compares the dates of its inputs and outputs, and deletes the outputs if an
input is newer: one that was copied from a machine whose clock is ahead, or that is on a server whose
clock is. Here no later plan asks for these dates, so that nothing is wrong.
"""

from snakemake.dag import DAG


def without_dates(check_output_mtime):
    """Snakemake's comparison, for the jobs of other workflows alone."""

    async def check(dag, job, *outputs):
        if Path(str(job.rule.snakefile)).parent != RULES:
            await check_output_mtime(dag, job, *outputs)

    return check


# No setting of Snakemake turns it off.
if hasattr(DAG, "check_output_mtime"):
    DAG.check_output_mtime = without_dates(DAG.check_output_mtime)
