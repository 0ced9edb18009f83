"""Networks against their infinite-width limit: distances, ensembles and how fast they converge."""


localrules:
    compare,


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
