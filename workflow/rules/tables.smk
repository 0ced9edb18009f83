"""Shards of a grid, as one table each."""


localrules:
    table,
    partial_table,


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
