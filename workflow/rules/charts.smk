"""The tables, drawn."""


localrules:
    chart,


rule chart:
    input:
        tables=chart_tables,
        because=chart_because,
    output:
        html=report(
            f"{RESULTS}/figures/{{figure}}.html",
            caption="../report/figure.rst",
            category=report_category,
            labels=report_labels("interactive"),
        ),
        png=f"{RESULTS}/figures/{{figure}}.png",
        svg=report(
            f"{RESULTS}/figures/{{figure}}.svg",
            caption="../report/figure.rst",
            category=report_category,
            labels=report_labels("print"),
        ),
        # For a journal, in two columns and in one.
        pdf=f"{RESULTS}/figures/{{figure}}.pdf",
        column=f"{RESULTS}/figures/{{figure}}.column.pdf",
    log:
        f"{RESULTS}/logs/figures/{{figure}}.log",
    conda:
        "../../environment.yml"
    params:
        stem=subpath(output.png, strip_suffix=".png"),
        caption=lambda wildcards: caption_of(wildcards.figure, EXPERIMENT),
    message:
        "Drawing {wildcards.figure}"
    shell:
        "python -m ntk_mnist chart --name {wildcards.figure} --tables {input.tables}"
        " --data data --output {params.stem} 2> {log}"
