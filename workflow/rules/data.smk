"""The dataset: its original files, and the arrays that cells read."""

import msgspec


localrules:
    prepare,


if ORIGINALS:

    localrules:
        fetch,

    rule fetch:
        input:
            because=originals_because,
        output:
            ORIGINALS,
            ORIGINALS_RECORD,
        log:
            f"data/logs/fetch.{DATASET}.log",
        conda:
            "../../environment.yml"
        params:
            dataset=DATASET,
            # By a function, as Snakemake takes braces in plain text for wildcards.
            sources=lambda _: list(
                config.get("sources", {}).get(DATASET, SOURCES[DATASET])
            ),
            folder=subpath(output[0], parent=True),
        message:
            f"Fetching {DESCRIPTION.title}"
        # The progress bar goes to the terminal, errors to the log.
        shell:
            "python -m ntk_mnist fetch --dataset {params.dataset} --sources {params.sources:q}"
            " --output {params.folder} 2> {log}"


rule prepare:
    input:
        unpack(prepared_inputs),
    output:
        PREPARED,
        PREPARED_RECORD,
    log:
        f"data/logs/prepare.{EXPERIMENT.prepared}.log",
    conda:
        "../../environment.yml"
    params:
        dataset=EXPERIMENT.inputs.dataset,
        # By a function, as Snakemake takes braces in plain text for wildcards.
        own=lambda _: msgspec.json.encode(EXPERIMENT.own).decode(),
        originals=ORIGINALS,
        folder=subpath(output[0], parent=True),
    message:
        f"Preparing {DESCRIPTION.title}"
    shell:
        "python -m ntk_mnist prepare --dataset {params.dataset:q} --own {params.own:q}"
        " --originals {params.originals} --output {params.folder} 2> {log}"
