"""How close are finite neural networks to their infinite-width limit, on real images?"""

from snakemake.utils import min_version

min_version("9.13")


configfile: f"{workflow.current_basedir.get_path_or_uri(secret_free=True)}/config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/streams.smk"
include: "workflow/rules/requests.smk"
include: "workflow/rules/one_run.smk"
include: "workflow/rules/terminal.smk"
include: "workflow/rules/stop.smk"
include: "workflow/rules/dates.smk"
include: "workflow/rules/accept.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/cells.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/comparison.smk"
include: "workflow/rules/reproduction.smk"
include: "workflow/rules/reports.smk"
include: "workflow/rules/charts.smk"
include: "workflow/rules/page.smk"
include: "workflow/rules/headline.smk"


onstart:
    refuse_a_second_run()
    stop_when_started()
    accept_if_touched()
    show_run()


onsuccess:
    end_terminal()
    say_results()


onerror:
    end_terminal()
    say_where_it_says_more(log)


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
        MAIN_TABLES,
        FIGURES,
        PAGE,


rule data:
    input:
        PREPARED,


rule networks:
    input:
        lambda _: shards("network"),


rule kernels:
    input:
        lambda _: shards("kernel"),


rule tables:
    input:
        MAIN_TABLES,


rule partial_tables:
    input:
        expand(f"{RESULTS}/partial/{{table}}.parquet", table=TABULATED),


rule figures:
    input:
        FIGURES,


# It runs whenever it is asked for, to print.
rule evidence:
    input:
        EVIDENCE_FIGURES,
        table=f"{RESULTS}/evidence.parquet",
    log:
        f"{RESULTS}/logs/likeliest.log",
    conda:
        "environment.yml"
    message:
        "Naming the likeliest architectures"
    shell:
        "python -m ntk_mnist evidence --table {input.table} 2> {log}"
