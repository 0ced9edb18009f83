"""Shards of a grid, as one table each."""

from ntk_mnist.measures import FITTED
from ntk_mnist.store.shards import range_of


localrules:
    table,
    partial_table,


def say_how_well_networks_fit():
    """Warn at the end of a run if networks have not fitted their training sets."""
    file = Path(RESULTS, "network.parquet")
    # On the kernels' terms, networks are compared on the way too.
    if EXPERIMENT.training.like_for_like or not workflow.is_main_process:
        return
    if not file.exists():
        return
    lowest, highest = range_of(file, "train_accuracy")
    if lowest < FITTED:
        logger.warning(
            f"Networks have not fitted their training sets: train accuracy {lowest:.2f} to"
            f" {highest:.2f} in {file}. Their distance from the infinite-width limit is then partly"
            " that of training; config/width_convergence.yaml compares like for like."
        )


rule table:
    input:
        table_shards,
        because=table_because,
    output:
        f"{RESULTS}/{{table}}.parquet",
    log:
        f"{RESULTS}/logs/{{table}}.log",
    conda:
        "../../environment.yml"
    params:
        experiment=lambda _: EXPERIMENT.to_json(),
        results=subpath(output[0], parent=True),
    message:
        "Tabulating {wildcards.table}"
    shell:
        "python -m ntk_mnist tabulate --table {wildcards.table} --results {params.results}"
        " --experiment {params.experiment:q} --output {output} 2> {log}"


# Only if asked for by name: the rows that exist, and a row of nulls for each that is missing. No
# shard is an input, so that none is made.
rule partial_table:
    input:
        because=partial_table_because,
    output:
        f"{RESULTS}/partial/{{table}}.parquet",
    log:
        f"{RESULTS}/logs/partial/{{table}}.log",
    conda:
        "../../environment.yml"
    params:
        experiment=lambda _: EXPERIMENT.to_json(),
        results=subpath(output[0], ancestor=2),
    message:
        "Tabulating {wildcards.table} in part"
    shell:
        "python -m ntk_mnist tabulate --partial --table {wildcards.table}"
        " --results {params.results} --experiment {params.experiment:q} --output {output} 2> {log}"
