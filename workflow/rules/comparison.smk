"""Networks against their infinite-width limit: distances, ensembles and how fast they converge."""

from ntk_mnist.charts.findings import findings
from ntk_mnist.store.shards import rows_of


localrules:
    compare,


def say_findings():
    """Say at the end of a run what its comparison found."""
    names = ("convergence", "ensemble")
    files = [f"{RESULTS}/{name}.parquet" for name in names]
    if not (EXPERIMENT.training.like_for_like and workflow.is_main_process):
        return
    # Of a run that was asked for something else, they may be of before.
    if exist(files) and not any(map(stale_table, names, files)):
        for line in findings(*map(rows_of, map(Path, files))):
            logger.info(line)


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


if EXPERIMENT.training.like_for_like:

    rule compare:
        input:
            unpack(compared_inputs),
        output:
            expand(f"{RESULTS}/{{table}}.parquet", table=COMPARISONS),
        log:
            f"{RESULTS}/logs/compare.log",
        conda:
            "../../environment.yml"
        params:
            experiment=lambda _: EXPERIMENT.to_json(),
            results=RESULTS,
        message:
            "Comparing networks with their infinite-width limit"
        shell:
            "python -m ntk_mnist compare --results {params.results} --data data"
            " --experiment {params.experiment:q} --output {output} 2> {log}"
