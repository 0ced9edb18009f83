"""The cells of networks, one a width and size of each architecture."""


rule network:
    input:
        unpack(of_cell("network", cell_inputs)),
    output:
        # Not deleted before the job, which trains only the seeds that it lacks.
        [
            update(f"{RESULTS}/{EXPERIMENT.networks[0].pattern(name)}")
            for name in EXPERIMENT.networks[0].outputs
        ],
    log:
        f"{RESULTS}/logs/{EXPERIMENT.networks[0].pattern('network')}".replace(
            ".parquet", ".log"
        ),
    # The longest first, so that none is left to run alone at the end.
    priority: of_cell("network", lambda cell: cell.seconds)
    group:
        of_cell("network", group)
    conda:
        "../../environment.yml"
    threads: counted_threads("network")
    resources:
        cpus_per_task=of_cell("network", lambda cell: cell.cluster_threads),
        mem_mb=of_attempt("network", memory),
        runtime=of_attempt("network", minutes),
        attempt=lambda wildcards, attempt: attempt,
    params:
        # Of the cell: {threads} would be scaled down to the machine.
        threads=of_cell("network", lambda cell: cell.threads),
        cell=of_cell("network", lambda cell: cell.to_json()),
    message:
        "Training width {wildcards.width}, size {wildcards.size}, {wildcards.architecture}"
    shell:
        "python -m ntk_mnist network --threads {params.threads} --cell {params.cell:q}"
        " --attempt {resources.attempt} --data data --output {output} 2> {log}"
