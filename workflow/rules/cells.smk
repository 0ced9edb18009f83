"""The cells: a network cell a width and size, a kernel cell a size, of each architecture."""

if EXPERIMENT.networks:

    include: "networks.smk"


rule kernel:
    input:
        unpack(of_cell("kernel", cell_inputs)),
    output:
        [
            keep_on_retry(f"{RESULTS}/{EXPERIMENT.kernels[0].pattern(name)}")
            for name in EXPERIMENT.kernels[0].outputs
        ],
    log:
        f"{RESULTS}/logs/{EXPERIMENT.kernels[0].pattern('kernel')}".replace(
            ".parquet", ".log"
        ),
    priority: of_cell("kernel", lambda cell: cell.seconds)
    group:
        of_cell("kernel", group)
    conda:
        "../../environment.yml"
    threads: counted_threads("kernel")
    resources:
        cpus_per_task=of_cell("kernel", lambda cell: cell.cluster_threads),
        mem_mb=of_attempt("kernel", memory),
        runtime=of_attempt("kernel", minutes),
        attempt=lambda wildcards, attempt: attempt,
    params:
        # Of the cell, as {threads} would be all that there are in a batch; an exact cell takes those.
        threads=lambda wildcards, threads: min(
            EXPERIMENT.cell("kernel", wildcards).threads, threads
        ),
        cell=of_cell("kernel", lambda cell: cell.to_json()),
    message:
        "Solving the kernels, size {wildcards.size}, {wildcards.architecture}"
    shell:
        "python -m ntk_mnist kernel --threads {params.threads} --cell {params.cell:q}"
        " --attempt {resources.attempt} --data data --output {output} 2> {log}"
