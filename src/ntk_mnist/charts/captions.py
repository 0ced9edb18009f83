"""Captions of the charts in a report: what a chart shows, and how that was trained and solved.

Snakemake asks for them while it plans, so that this module imports neither pandas nor Altair.
"""

from collections.abc import Iterable

from ntk_mnist.charts import tables_of
from ntk_mnist.charts.findings import LOSSES
from ntk_mnist.charts.labels import counted, decimal, time_label
from ntk_mnist.measures import COMPARISONS
from ntk_mnist.plan.experiment import Experiment
from ntk_mnist.registries import text_in

__all__ = ["caption_of", "kernels_in_words", "networks_in_words", "section_of"]

#: Settings in words.
_PARAMETERIZATIONS = {
    "glorot": "Glorot-normal weights",
    "glorot_uniform": "Glorot-uniform weights",
    "standard": "standard parameterization",
    "ntk": "NTK parameterization",
}
_OPTIMIZERS = {"adam": "Adam", "gradient_descent": "full-batch gradient descent"}


def section_of(chart: str) -> str:
    """The part of a report that a chart belongs to.

    Raises:
        LookupError: the chart's module does not declare one.
    """
    return text_in(f"charts.{chart}.SECTION")


def caption_of(chart: str, experiment: Experiment) -> str:
    """The caption of a chart in a report of an experiment.

    Args:
        chart: its name.
        experiment: whose tables it draws.

    Raises:
        LookupError: the chart's module does not declare one.
    """
    tables = {*tables_of(chart)}
    if "reproduction" in tables:
        tables |= {*experiment.reproduced}
    parts = [text_in(f"charts.{chart}.CAPTION")]
    if tables & {"network", *COMPARISONS} and experiment.networks:
        parts.append(networks_in_words(experiment))
    # The distances are from kernels too.
    if tables & {"kernel", "calibration", "evidence", *COMPARISONS}:
        parts.append(kernels_in_words(experiment, evidence="evidence" in tables))
    return " ".join(parts)


def networks_in_words(experiment: Experiment) -> str:
    """How the networks of an experiment are trained: loss, optimizer, steps and seeds; a sentence.

    Args:
        experiment: with networks.
    """
    training = experiment.training
    optimizer = _OPTIMIZERS.get(training.optimizer, training.optimizer)
    if training.optimizer in ("momentum", "nesterov"):
        optimizer += f" {decimal(training.mass)}"
    words = [
        _PARAMETERIZATIONS.get(training.parameterization, training.parameterization),
        LOSSES[training.loss],
        optimizer,
        f"step size {decimal(training.step_size)}",
    ]
    if training.like_for_like:
        words.append(f"steps up to the time {time_label(max(experiment.solve.times))}")
    else:
        batches = (
            ""
            if training.optimizer == "gradient_descent"
            else f" in batches of {training.batch_size:,}"
        )
        words.append(f"{counted(training.epochs, 'epoch')}{batches}")
        words += _ends(training.until_train_accuracy, training.until_train_loss)
    if training.centred:
        words.append("centred at the start")
    seeds = counted(len(experiment.seeds), "seed")
    draws = _draws(group.draws for group in experiment.groups)
    return f"Networks: {', '.join(words)}; {seeds}{draws}."


def kernels_in_words(experiment: Experiment, *, evidence: bool = False) -> str:
    """How the kernels of an experiment are solved; a sentence.

    Args:
        experiment: its settings.
        evidence: whether the kernels are those of the evidence, of one draw and at infinite time.
    """
    solve, training = experiment.solve, experiment.training
    kinds = " and ".join(kind.upper() for kind in solve.kinds)
    if evidence:
        how = "gradient flow to t = ∞"
    elif training.like_for_like and experiment.networks:
        how = f"gradient descent, step size {decimal(training.step_size)}"
        how += f", up to the time {time_label(max(solve.times))}, and t = ∞"
    else:
        how = "gradient flow to t = ∞"
        if solve.times:
            how = f"gradient flow, times up to {time_label(max(solve.times))}, and t = ∞"
    regularization = (
        f", {decimal(solve.diag_reg)} of the mean diagonal added to it" if solve.diag_reg else ""
    )
    draws = "" if evidence else _draws(group.draws for group in experiment.groups)
    return f"Kernels: {kinds}, squared error, {how}{regularization}{draws}."


def _ends(accuracy: float, loss: float) -> Iterable[str]:
    """What ends training by epochs before the last one."""
    ends = []
    if accuracy > 0:
        ends.append(f"train accuracy {decimal(accuracy)}")
    if loss > 0:
        ends.append(f"train loss {decimal(loss)}")
    return [f"at most, or until {' or '.join(ends)}"] if ends else []


def _draws(draws: Iterable[tuple[int, ...]]) -> str:
    """How many draws of training images there are, if more than one."""
    counts = sorted({len(each) for each in draws})
    if counts[-1] < 2:
        return ""
    number = f"{counts[-1]} draws" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} draws"
    return f"; {number} of training images"
