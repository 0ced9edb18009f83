"""Everything about an experiment as one page."""

import shlex


localrules:
    page,


rule page:
    input:
        tables=page_tables,
        figures=page_figures,
        because=page_because,
    output:
        PAGE,
    log:
        f"{RESULTS}/logs/page.log",
    conda:
        "../../environment.yml"
    params:
        experiment=lambda _: EXPERIMENT.to_json(),
        command=shlex.join(["snakemake", *sys.argv[1:]]),
    message:
        "Writing the page"
    shell:
        "python -m ntk_mnist page --experiment {params.experiment:q} --tables {input.tables}"
        " --figures {input.figures} --data data --command {params.command:q}"
        " --output {output} 2> {log}"
