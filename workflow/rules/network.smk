"""A network cell: one width, one training-set size, one seed."""


rule network:
    input:
        unpack(network_inputs),
    output:
        left_alone(NETWORK_SHARD),
    log:
        f"{RESULTS}/logs/nn/width={{width}}/size={{size}}/seed={{seed}}.log",
    # The longest first, so that none is left to run alone in the end.
    priority: network_work
    group:
        lambda wildcards: network_place(wildcards)[0]
    conda:
        "../../environment.yml"
    threads: lambda wildcards: threads_of(network_threads(int(wildcards.width)))
    resources:
        cpus_per_task=lambda wildcards: network_threads(int(wildcards.width)),
        mem_mb=network_mem_mb,
        runtime=lambda wildcards, attempt: attempt * network_place(wildcards)[1],
        attempt=lambda wildcards, attempt: attempt,
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
        "python -m ntk_mnist network --attempt {resources.attempt} --threads {params.threads}"
        " --dataset {params.dataset}"
        " --prepared {params.prepared} --test-size {params.test_size}"
        " --width {wildcards.width} --size {wildcards.size} --seed {wildcards.seed}"
        " --architecture {params.architecture:q} --training {params.training:q}"
        " --compiled data/compiled"
        " --output {output} 2> {log}"
