"""Published numbers, and ours beside them."""

if EXPERIMENT.published:

    localrules:
        reproduce,

    rule reproduce:
        input:
            tables=reproduced_tables,
            because=reproduction_because,
        output:
            f"{RESULTS}/reproduction.parquet",
        log:
            f"{RESULTS}/logs/reproduction.log",
        conda:
            "../../environment.yml"
        params:
            # By a function, as Snakemake takes braces in plain text for wildcards.
            published=lambda _: EXPERIMENT.published,
        message:
            "Setting published numbers beside ours"
        shell:
            "python -m ntk_mnist reproduce --published {params.published:q}"
            " --tables {input.tables} --output {output} 2> {log}"
