"""What came out, at the end of a run."""

from ntk_mnist.charts.headline import COLUMNS, headline
from ntk_mnist.store.shards import rows_of


def current_headline():
    """The answer of the experiment, from the tables that show it; empty if one of them does not.

    Of a run that was asked for something else, tables may be of before.
    """
    names = [name for name in EXPERIMENT.tables if name in COLUMNS]
    files = [f"{RESULTS}/{name}.parquet" for name in names]
    if not exist(files) or any(map(stale_table, names, files)):
        return headline({})
    return headline(
        {name: rows_of(Path(file), COLUMNS[name]) for name, file in zip(names, files)}
    )


def say_headline():
    """Say at the end of a run what came out, and what to beware of."""
    if not workflow.is_main_process:
        return
    found = current_headline()
    for line in found.lines:
        logger.info(line)
    for line in found.warnings:
        logger.warning(line)
