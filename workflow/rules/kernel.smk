"""A kernel cell: the infinite-width limit at one training-set size."""


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
    threads: threads_of(kernel_threads())
    resources:
        cpus_per_task=kernel_threads(),
        mem_mb=kernel_mem_mb,
        runtime=lambda wildcards, attempt: attempt * kernel_place(wildcards)[1],
        attempt=lambda wildcards, attempt: attempt,
    params:
        dataset=DATASET,
        # Of the cell, where {threads} would be scaled down to the machine.
        threads=kernel_threads(),
        prepared=f"data/prepared/{DATASET}",
        test_size=config["test_size"],
        architecture=json.dumps(ARCHITECTURE),
        kinds=KERNEL["kinds"],
        times=KERNEL["times"],
        diag_reg=KERNEL["diag_reg"],
    message:
        "Solving the kernels for {wildcards.size} images"
    shell:
        "python -m ntk_mnist kernel --attempt {resources.attempt} --threads {params.threads}"
        " --dataset {params.dataset}"
        " --prepared {params.prepared} --test-size {params.test_size} --size {wildcards.size}"
        " --architecture {params.architecture:q} --kinds {params.kinds}"
        " --times {params.times} --diag-reg {params.diag_reg} --compiled data/compiled"
        " --output {output} 2> {log}"
