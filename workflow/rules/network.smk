"""A network cell: one width, one training-set size, one seed."""


rule network:
    input:
        unpack(network_inputs),
    output:
        NETWORK_SHARD,
    log:
        f"{RESULTS}/logs/nn/width={{width}}/size={{size}}/seed={{seed}}.log",
    conda:
        "../../environment.yml"
    threads: lambda wildcards: network_threads(int(wildcards.width))
    resources:
        mem_mb=lambda wildcards: network_memory_mb(
            int(wildcards.width),
            NETWORK["depth"],
            int(wildcards.size),
            CATALOGUE[DATASET].pixels,
        ),
    params:
        dataset=DATASET,
        # Of the cell, where {threads} would be scaled down to the machine.
        threads=lambda wildcards: network_threads(int(wildcards.width)),
        prepared=f"data/prepared/{DATASET}",
        test_size=config["test_size"],
        architecture=json.dumps(ARCHITECTURE),
        training=json.dumps(TRAINING),
    message:
        "Training width {wildcards.width} on {wildcards.size} images, seed {wildcards.seed}"
    shell:
        "python -m ntk_mnist network --threads {params.threads} --dataset {params.dataset}"
        " --prepared {params.prepared} --test-size {params.test_size}"
        " --width {wildcards.width} --size {wildcards.size} --seed {wildcards.seed}"
        " --architecture {params.architecture:q} --training {params.training:q}"
        " --output {output} 2> {log}"
