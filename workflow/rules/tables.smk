"""Shards of the grid, as one table each."""


localrules:
    network_table,
    kernel_table,


rule network_table:
    input:
        NETWORK_SHARDS,
        because=stale_table(f"{RESULTS}/nn.parquet", NETWORK_SHARDS),
    output:
        f"{RESULTS}/nn.parquet",
    log:
        f"{RESULTS}/logs/nn.log",
    conda:
        "../../environment.yml"
    params:
        shards=subpath(input[0], ancestor=3),
        widths=NETWORK["widths"],
        sizes=config["sizes"],
        seeds=NETWORK["seeds"],
    message:
        "Tabulating the networks"
    shell:
        "python -m ntk_mnist tabulate --shards {params.shards} --widths {params.widths}"
        " --sizes {params.sizes} --seeds {params.seeds} --output {output} 2> {log}"


rule kernel_table:
    input:
        KERNEL_SHARDS,
        because=stale_table(f"{RESULTS}/kernel.parquet", KERNEL_SHARDS),
    output:
        f"{RESULTS}/kernel.parquet",
    log:
        f"{RESULTS}/logs/kernel.log",
    conda:
        "../../environment.yml"
    params:
        shards=subpath(input[0], parent=True),
        sizes=config["sizes"],
    message:
        "Tabulating the kernels"
    shell:
        "python -m ntk_mnist tabulate --shards {params.shards} --sizes {params.sizes}"
        " --output {output} 2> {log}"
