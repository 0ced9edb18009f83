"""Networks against their infinite-width limit: distances, ensembles and how fast they converge."""

if set(COMPARISONS) <= set(EXPERIMENT.tables):

    localrules:
        compare,

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
            results=subpath(output[0], parent=True),
        message:
            "Comparing networks with their infinite-width limit"
        shell:
            "python -m ntk_mnist compare --results {params.results} --data data"
            " --experiment {params.experiment:q} --output {output} 2> {log}"
