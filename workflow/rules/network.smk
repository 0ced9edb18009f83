"""A network cell: one width, one training-set size, one seed."""


rule network:
    input:
        # Pinned by checksum, whenever it was made.
        ancient(PREPARED),
    output:
        f"{RESULTS}/nn/width={{width}}/size={{size}}/seed={{seed}}.parquet",
    params:
        prepared=f"data/prepared/{DATASET}",
        test_size=config["test_size"],
        architecture=json.dumps(ARCHITECTURE),
        training=json.dumps(TRAINING),
    log:
        f"{RESULTS}/logs/nn/width={{width}}/size={{size}}/seed={{seed}}.log",
    threads: lambda wildcards: 2 if int(wildcards.width) >= 1024 else 1
    message:
        "Training width {wildcards.width} on {wildcards.size} images, seed {wildcards.seed}"
    shell:
        "{CLI} network --threads {threads} --dataset {DATASET} --prepared {params.prepared}"
        " --test-size {params.test_size} --width {wildcards.width} --size {wildcards.size}"
        " --seed {wildcards.seed} --architecture {params.architecture:q}"
        " --training {params.training:q} --output {output} 2> {log}"
