"""The tables, drawn."""


localrules:
    chart,


rule chart:
    input:
        networks=f"{RESULTS}/nn.parquet",
        kernels=f"{RESULTS}/kernel.parquet",
        because=stale_chart,
    output:
        html=report(
            f"{RESULTS}/figures/{{figure}}.html",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}", "form": "interactive"},
        ),
        png=f"{RESULTS}/figures/{{figure}}.png",
        svg=report(
            f"{RESULTS}/figures/{{figure}}.svg",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}", "form": "print"},
        ),
    log:
        f"{RESULTS}/logs/figures/{{figure}}.log",
    conda:
        "../../environment.yml"
    params:
        stem=subpath(output.png, strip_suffix=".png"),
    message:
        "Drawing {wildcards.figure}"
    shell:
        "python -m ntk_mnist chart --name {wildcards.figure} --networks {input.networks}"
        " --kernels {input.kernels} --output {params.stem} 2> {log}"
