"""Charts of the tables, one a module.

A chart is a module of this package, named in :data:`CHARTS`, that declares

    TABLES: tuple[str, ...]        the names of the tables that it draws,
    SECTION: str                   the part of a report that it belongs to,
    CAPTION: str                   one or two sentences for the report, to which
                                   ``captions`` adds how networks and kernels were made,
    draw(tables, layout) -> Figure from data frames by the names of their tables, for a page.

Snakemake needs the first three while it plans. They are read from the source, as importing a chart
would import Altair and pandas.
"""

from ntk_mnist.registries import names_in

__all__ = ["CHARTS", "LIKE_FOR_LIKE", "OF_EPOCHS", "tables_of"]

#: The charts, as a page shows them: names of modules and, with their endings, of files.
CHARTS: tuple[str, ...] = (
    "comparison",
    "gap_to_infinite_width",
    "accuracy_map",
    "learning_curves",
    "convergence",
    "distance_map",
    "accuracy",
    "dynamics",
    "kernel_drift",
    "calibration",
    "evidence",
    "signal_propagation",
    "reproduction",
)
#: Charts of networks that are trained as the kernels are, and of others.
LIKE_FOR_LIKE: tuple[str, ...] = (
    "convergence",
    "distance_map",
    "accuracy",
    "dynamics",
    "kernel_drift",
)
OF_EPOCHS: tuple[str, ...] = (
    "comparison",
    "gap_to_infinite_width",
    "accuracy_map",
    "learning_curves",
)


def tables_of(chart: str) -> tuple[str, ...]:
    """The names of the tables that a chart draws.

    Raises:
        LookupError: the chart's module does not declare them.
    """
    return names_in(f"charts.{chart}.TABLES")
