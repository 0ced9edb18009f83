"""Shards of the grid, as one table each."""


localrules:
    network_table,
    kernel_table,


rule network_table:
    input:
        NETWORK_SHARDS,
    output:
        f"{RESULTS}/nn.parquet",
    params:
        shards=f"{RESULTS}/nn",
        widths=NETWORK["widths"],
        sizes=config["sizes"],
        seeds=NETWORK["seeds"],
    log:
        f"{RESULTS}/logs/nn.log",
    message:
        "Tabulating the networks"
    shell:
        "{CLI} tabulate --shards {params.shards} --widths {params.widths}"
        " --sizes {params.sizes} --seeds {params.seeds} --output {output} 2> {log}"


rule kernel_table:
    input:
        KERNEL_SHARDS,
    output:
        f"{RESULTS}/kernel.parquet",
    params:
        shards=f"{RESULTS}/kernel",
        sizes=config["sizes"],
    log:
        f"{RESULTS}/logs/kernel.log",
    message:
        "Tabulating the kernels"
    shell:
        "{CLI} tabulate --shards {params.shards} --sizes {params.sizes}"
        " --output {output} 2> {log}"
