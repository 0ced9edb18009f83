"""A kernel cell: the infinite-width limit at one training-set size; and the evidence for others."""


rule kernel:
    input:
        unpack(kernel_inputs),
    output:
        left_alone(KERNEL_SHARD),
    log:
        f"{RESULTS}/logs/kernel/size={{size}}.log",
    # The longest first, so that none is left to run alone in the end.
    priority: kernel_work
    group:
        lambda wildcards: kernel_place(wildcards)[0]
    conda:
        "../../environment.yml"
    threads: lambda wildcards: threads_of(kernel_cell(wildcards).threads)
    resources:
        cpus_per_task=lambda wildcards: kernel_cluster_threads(
            kernel_cell(wildcards).size
        ),
        mem_mb=kernel_mem_mb,
        runtime=lambda wildcards, attempt: attempt * kernel_place(wildcards)[1],
        attempt=lambda wildcards, attempt: attempt,
    params:
        dataset=DATASET,
        # Of the cell, where {threads} would be all there are in a batch; an exact one takes those.
        threads=lambda wildcards, threads: min(kernel_cell(wildcards).threads, threads),
        solver=lambda wildcards: kernel_cell(wildcards).solver,
        size=lambda wildcards: kernel_cell(wildcards).size,
        prepared=f"data/prepared/{DATASET}",
        test_size=config["test_size"],
        architecture=lambda wildcards: json.dumps(kernel_cell(wildcards).architecture),
        kinds=lambda wildcards: kernel_cell(wildcards).kinds,
        times=lambda wildcards: kernel_cell(wildcards).times,
        diag_reg=KERNEL["diag_reg"],
    message:
        "Solving the kernels for {wildcards.size} images"
    shell:
        "python -m ntk_mnist kernel --attempt {resources.attempt} --threads {params.threads}"
        " --dataset {params.dataset}"
        " --prepared {params.prepared} --test-size {params.test_size} --size {params.size}"
        " --architecture {params.architecture:q} --kinds {params.kinds}"
        " --times {params.times} --diag-reg {params.diag_reg} --solver {params.solver}"
        " --compiled data/compiled --checkpoint data/checkpoints/{output}"
        # How far it is goes to the terminal and into the log.
        " --output {output} 2>&1 | tee {log} >&2"


# Another architecture's NNGP, for its marginal likelihood.
use rule kernel as evidence_cell with:
    output:
        left_alone(EVIDENCE_SHARD),
    log:
        f"{RESULTS}/logs/evidence/depth={{depth}}/W_std={{W_std}}/b_std={{b_std}}.log",
    message:
        "Solving the NNGP of depth {wildcards.depth}, W_std {wildcards.W_std}, b_std {wildcards.b_std}"
