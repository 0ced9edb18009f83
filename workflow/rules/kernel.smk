"""A kernel cell: the infinite-width limit at one training-set size."""


rule kernel:
    input:
        # Pinned by checksum, whenever it was made.
        ancient(PREPARED),
    output:
        f"{RESULTS}/kernel/size={{size}}.parquet",
    params:
        prepared=f"data/prepared/{DATASET}",
        test_size=config["test_size"],
        architecture=json.dumps(ARCHITECTURE),
        kinds=KERNEL["kinds"],
        times=KERNEL["times"],
        diag_reg=KERNEL["diag_reg"],
    log:
        f"{RESULTS}/logs/kernel/size={{size}}.log",
    threads: lambda wildcards: 2 if int(wildcards.size) >= 1024 else 1
    message:
        "Solving the kernels for {wildcards.size} images"
    shell:
        "{CLI} kernel --threads {threads} --dataset {DATASET} --prepared {params.prepared}"
        " --test-size {params.test_size} --size {wildcards.size}"
        " --architecture {params.architecture:q} --kinds {params.kinds}"
        " --times {params.times} --diag-reg {params.diag_reg} --output {output} 2> {log}"
