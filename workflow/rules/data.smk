"""The dataset: its original files, and the arrays that cells read."""


localrules:
    fetch,
    prepare,


if ORIGINALS:

    rule fetch:
        output:
            ORIGINALS,
        params:
            folder=f"data/originals/{DATASET}",
            sources=config["sources"][DATASET],
        log:
            f"data/logs/fetch.{DATASET}.log",
        message:
            f"Fetching {CATALOGUE[DATASET].title}"
        # Seen as it happens, for its progress bar and its remedies.
        shell:
            "{CLI} fetch --dataset {DATASET} --sources {params.sources:q}"
            " --output {params.folder} 2>&1 | tee {log} >&2"


rule prepare:
    input:
        ORIGINALS,
    output:
        PREPARED,
    params:
        originals=f"data/originals/{DATASET}",
        folder=f"data/prepared/{DATASET}",
    log:
        f"data/logs/prepare.{DATASET}.log",
    message:
        f"Preparing {CATALOGUE[DATASET].title}"
    shell:
        "{CLI} prepare --dataset {DATASET} --originals {params.originals}"
        " --output {params.folder} 2> {log}"
