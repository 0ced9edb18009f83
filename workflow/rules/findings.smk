"""What a run says at its end."""

from ntk_mnist.charts.findings import findings
from ntk_mnist.measures import FITTED
from ntk_mnist.store.shards import range_of, rows_of


def say_how_well_networks_fit():
    """Warn at the end of a run if networks have not fitted their training sets."""
    file = Path(RESULTS, "network.parquet")
    # On the kernels' terms, networks are compared on the way too.
    if EXPERIMENT.training.like_for_like or not workflow.is_main_process:
        return
    if not file.exists():
        return
    lowest, highest = range_of(file, "train_accuracy")
    if lowest is not None and lowest < FITTED:
        logger.warning(
            f"Networks have not fitted their training sets: train accuracy {lowest:.2f} to"
            f" {highest:.2f} in {file}. Their distance from the infinite-width limit is then partly"
            " that of training; config/width_convergence.yaml compares like for like."
        )


def say_findings():
    """Say at the end of a run what its comparison found."""
    names = ("convergence", "ensemble")
    files = [f"{RESULTS}/{name}.parquet" for name in names]
    if not (EXPERIMENT.training.like_for_like and workflow.is_main_process):
        return
    # Of a run that was asked for something else, they may be of before.
    if exist(files) and not any(map(stale_table, names, files)):
        for line in findings(*map(rows_of, map(Path, files))):
            logger.info(line)
