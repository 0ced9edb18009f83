"""How close are finite networks to their infinite-width limit, on real images?"""

from snakemake.utils import min_version

min_version("9.13")


configfile: f"{workflow.basedir}/config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/one_run.smk"
include: "workflow/rules/requests.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/network.smk"
include: "workflow/rules/kernel.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/charts.smk"


report: "workflow/report/workflow.rst"


localrules:
    all,
    data,
    networks,
    kernels,
    tables,
    partial_tables,
    figures,
    evidence,


rule all:
    default_target: True
    input:
        TABLES,
        CALIBRATION,
        FIGURES,


rule data:
    input:
        PREPARED,


rule networks:
    input:
        NETWORK_SHARDS,


rule kernels:
    input:
        KERNEL_SHARDS,


rule tables:
    input:
        TABLES,
        CALIBRATION,


rule partial_tables:
    input:
        f"{RESULTS}/partial/nn.parquet",
        f"{RESULTS}/partial/kernel.parquet",


rule figures:
    input:
        FIGURES,


rule evidence:
    input:
        EVIDENCE_TABLE,
