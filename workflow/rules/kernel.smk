"""A kernel cell: the infinite-width limit at one training-set size."""


rule kernel:
    input:
        unpack(kernel_inputs),
    output:
        KERNEL_SHARD,
    log:
        f"{RESULTS}/logs/kernel/size={{size}}.log",
    conda:
        "../../environment.yml"
    threads: kernel_threads()
    resources:
        mem_mb=lambda wildcards: kernel_memory_mb(
            int(wildcards.size), config["test_size"], len(KERNEL["kinds"])
        ),
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
        "python -m ntk_mnist kernel --threads {params.threads} --dataset {params.dataset}"
        " --prepared {params.prepared} --test-size {params.test_size} --size {wildcards.size}"
        " --architecture {params.architecture:q} --kinds {params.kinds}"
        " --times {params.times} --diag-reg {params.diag_reg} --output {output} 2> {log}"
