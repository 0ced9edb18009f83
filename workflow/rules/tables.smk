"""Shards of the grid, as one table each."""


localrules:
    network_table,
    kernel_table,
    evidence_table,
    calibration_table,
    partial_network_table,
    partial_kernel_table,


rule network_table:
    input:
        NETWORK_SHARDS,
        because=stale_table(f"{RESULTS}/nn.parquet", NETWORK_SHARDS, f"{RESULTS}/nn"),
    output:
        f"{RESULTS}/nn.parquet",
    log:
        f"{RESULTS}/logs/nn.log",
    conda:
        "../../environment.yml"
    params:
        shards=subpath(input[0], ancestor=3),
        grid=NETWORK_GRID,
    message:
        "Tabulating the networks"
    shell:
        "python -m ntk_mnist tabulate --shards {params.shards} {params.grid}"
        " --output {output} 2> {log}"


rule kernel_table:
    input:
        KERNEL_SHARDS,
        because=stale_table(
            f"{RESULTS}/kernel.parquet", KERNEL_SHARDS, f"{RESULTS}/kernel"
        ),
    output:
        f"{RESULTS}/kernel.parquet",
    log:
        f"{RESULTS}/logs/kernel.log",
    conda:
        "../../environment.yml"
    params:
        shards=subpath(input[0], parent=True),
        grid=KERNEL_GRID,
    message:
        "Tabulating the kernels"
    shell:
        "python -m ntk_mnist tabulate --shards {params.shards} {params.grid}"
        " --output {output} 2> {log}"


use rule kernel_table as evidence_table with:
    input:
        EVIDENCE_SHARDS,
        because=stale_table(EVIDENCE_TABLE, EVIDENCE_SHARDS, f"{RESULTS}/evidence"),
    output:
        EVIDENCE_TABLE,
    log:
        f"{RESULTS}/logs/evidence.log",
    params:
        shards=subpath(input[0], ancestor=3),
        grid=EVIDENCE_GRID,
    message:
        "Putting the architectures in order of their marginal likelihood"


rule calibration_table:
    input:
        kernels=f"{RESULTS}/kernel.parquet",
        because=stale_calibration,
    output:
        CALIBRATION,
    log:
        f"{RESULTS}/logs/calibration.log",
    conda:
        "../../environment.yml"
    message:
        "Tabulating the calibration"
    shell:
        "python -m ntk_mnist calibrate --kernels {input.kernels} --output {output} 2> {log}"


# Asked for by name only: what stands of the grid, with a row of nulls for each missing cell.
# No shard is an input, so that none is made.
use rule network_table as partial_network_table with:
    input:
        because=stale_table(
            f"{RESULTS}/partial/nn.parquet", NETWORK_SHARDS, f"{RESULTS}/nn"
        ),
    output:
        f"{RESULTS}/partial/nn.parquet",
    log:
        f"{RESULTS}/logs/partial/nn.log",
    params:
        shards=f"{RESULTS}/nn",
        grid=f"--partial {NETWORK_GRID}",


use rule kernel_table as partial_kernel_table with:
    input:
        because=stale_table(
            f"{RESULTS}/partial/kernel.parquet", KERNEL_SHARDS, f"{RESULTS}/kernel"
        ),
    output:
        f"{RESULTS}/partial/kernel.parquet",
    log:
        f"{RESULTS}/logs/partial/kernel.log",
    params:
        shards=f"{RESULTS}/kernel",
        grid=f"--partial {KERNEL_GRID}",
