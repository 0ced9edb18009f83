"""Which architectures of the evidence are the likeliest, or best on validation images, in words.

For some activations (relu, abs) and no bias, ``W_std`` only scales the kernel. At their best
amplitudes such architectures are equally likely, and none of them is the winner alone.

Without validation images, the likelihood alone chooses, and no test accuracy is told.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from ntk_mnist.charts.labels import decimal
from ntk_mnist.charts.observations import ARCHITECTURE, kernels_in, setting_in_words
from ntk_mnist.comparison.binomial import standard_error

__all__ = ["announcements", "best_validated", "ranked"]

# Of a sum of the logarithms of thousands of eigenvalues, each known to a few digits less than
# float64 has.
_ROUNDING = 1e-7


def ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """The architectures of one kernel and size, the likeliest first.

    Those that differ by rounding alone are in the order of their settings.

    Args:
        rows: of the evidence, a row an architecture.

    Returns:
        The rows with the columns ``behind``, by how many nats each is less likely than the
        likeliest at the best amplitude of either, and ``likeliest``, whether that is within the
        error of the two.
    """
    at_best, error = (
        rows["maximized_log_marginal_likelihood"],
        rows["log_marginal_likelihood_error"],
    )
    first = int(at_best.argmax())
    highest = float(at_best.iloc[first])
    behind = highest - at_best
    within = error + float(error.iloc[first]) + _ROUNDING * abs(highest)
    found = rows.assign(behind=behind, likeliest=behind <= within)
    # Rounding does not decide the order.
    steps = (behind / (_ROUNDING * max(abs(highest), 1.0))).round()
    found = found.assign(step=steps).sort_values(["step", *ARCHITECTURE])
    return found.drop(columns="step").reset_index(drop=True)


def best_validated(rows: pd.DataFrame) -> pd.DataFrame:
    """The row with the best validation accuracy; of several, that with the smallest squared error.

    Real-valued targets have no accuracy, so that the squared error alone decides.

    Args:
        rows: of the evidence, one kernel and size, a row an architecture.

    Returns:
        One row; none if there are no validation images.
    """
    order = ["validation_accuracy", "validation_mse", *ARCHITECTURE]
    validated = rows.dropna(subset=["validation_mse"])
    return validated.sort_values(order, ascending=[False, *[True] * (len(order) - 1)]).head(1)


def announcements(evidence: pd.DataFrame) -> Iterator[str]:
    """A line for each size and kernel that names the likeliest architecture, or several.

    With validation images, a second line names the best one on these, and both lines have the test
    accuracy and its binomial standard error, or the squared error of real-valued targets.
    """
    for size in sorted(evidence["size"].unique()):
        of_size = evidence[evidence["size"] == size]
        for kind in kernels_in(of_size):
            rows = ranked(of_size[of_size["kernel"] == kind])
            best, others = rows[rows["likeliest"]], rows[~rows["likeliest"]]
            line = (
                f"Likeliest at size {size:,}, {kind.upper()}: {_named(best)};"
                f" log marginal likelihood {_nats(best['maximized_log_marginal_likelihood'].max())}"
            )
            if not others.empty:
                line += f", {_nats(others['behind'].min())} ahead of the next"
            validated = best_validated(rows)
            if validated.empty:
                yield line
                continue
            yield f"{line}; {_tested(best)}"
            row = validated.iloc[0]
            yield (
                f"Best on {row['validation_size']:,} validation images at size {size:,}, "
                f"{kind.upper()}: {_settings(row.to_dict())}; validation "
                f"{_score(row, 'validation')}, {_tested(validated)}"
            )


def _tested(rows: pd.DataFrame) -> str:
    """The test accuracy of each row, once if they agree, with its binomial standard error.

    Without classes, the squared error.
    """
    if rows["test_accuracy"].isna().all():
        words = (f"{error:.4g}" for error in rows["test_mse"])
        return f"test squared error {_either(dict.fromkeys(words))}"
    words = (
        f"{accuracy:.3f} ± {standard_error(accuracy, images):.3f}"
        for accuracy, images in zip(rows["test_accuracy"], rows["test_size"], strict=True)
    )
    return f"test accuracy {_either(dict.fromkeys(words))}"


def _score(row: pd.Series, part: str) -> str:
    if pd.isna(row[f"{part}_accuracy"]):
        return f"squared error {row[f'{part}_mse']:.4g}"
    return f"accuracy {row[f'{part}_accuracy']:.3f}"


def _settings(row: Mapping[Any, Any]) -> str:
    return ", ".join(setting_in_words(name, row[name]) for name in ARCHITECTURE)


def _named(best: pd.DataFrame) -> str:
    """The architectures and their amplitudes, in the same order."""
    values = {name: list(best[name].unique()) for name in ARCHITECTURE}
    varied = [name for name, found in values.items() if len(found) > 1]
    amplitudes = f"amplitude {_either(decimal(a, 3) for a in best['amplitude'])}"
    if len(varied) > 1:
        each = map(_settings, best.to_dict("records"))
        return f"{_either(each, '; or ', '; ')} alike, {amplitudes}"
    shared = [
        setting_in_words(name, values[name][0]) for name in ARCHITECTURE if name not in varied
    ]
    if not varied:
        return ", ".join([*shared, amplitudes])
    (name,) = varied
    either = _either(v if isinstance(v, str) else decimal(v, 6) for v in values[name])
    alike = either if name == "activation" else f"{name} {either}"
    return ", ".join([*shared, f"{alike} alike{_why_alike(best, name)}", amplitudes])


def _why_alike(best: pd.DataFrame, varied: str) -> str:
    """Why architectures that differ in one setting are equally likely, if that is ``W_std``'s."""
    if varied != "W_std" or best["b_std"].any():
        return ""
    # The weights of each hidden layer and of the readout scale the kernel by W_std².
    scaled = best["amplitude"] * best["W_std"] ** (2 * (best["depth"] + 1))
    return " (it only scales this kernel)" if scaled.max() < 1.001 * scaled.min() else ""


def _either(words: Iterable[str], last: str = " or ", between: str = ", ") -> str:
    *first, final = words
    return f"{between.join(first)}{last}{final}" if first else final


def _nats(value: float) -> str:
    return f"{value:,.1f} nats"
