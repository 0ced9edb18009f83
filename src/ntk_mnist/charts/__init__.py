"""Charts of the tables, one a module.

A chart is a module of this package, named in :data:`CHARTS`, that declares

    TABLES: tuple[str, ...]        the names of the tables that it draws,
    CAPTION: str                   one or two sentences for the report,
    draw(tables) -> Figure         from data frames by the names of their tables.

Snakemake needs the first two while it plans. They are read from the source, as importing a chart
would import Altair and pandas.
"""

from ntk_mnist.registries import names_in, text_in

__all__ = ["CHARTS", "LIKE_FOR_LIKE", "OF_EPOCHS", "caption_of", "tables_of"]

#: The charts: names of modules and, with their endings, of files.
CHARTS: tuple[str, ...] = (
    "comparison",
    "gap_to_infinite_width",
    "calibration",
    "evidence",
    "signal_propagation",
    "convergence",
    "accuracy",
    "dynamics",
    "kernel_drift",
    "reproduction",
)
#: Charts of networks that are trained as the kernels are, and of others.
LIKE_FOR_LIKE: tuple[str, ...] = ("convergence", "accuracy", "dynamics", "kernel_drift")
OF_EPOCHS: tuple[str, ...] = ("comparison", "gap_to_infinite_width")


def tables_of(chart: str) -> tuple[str, ...]:
    """The names of the tables that a chart draws.

    Raises:
        LookupError: the chart's module does not declare them.
    """
    return names_in(f"charts.{chart}.TABLES")


def caption_of(chart: str) -> str:
    """The caption of a chart in Snakemake's report.

    Raises:
        LookupError: the chart's module does not declare one.
    """
    return text_in(f"charts.{chart}.CAPTION")
