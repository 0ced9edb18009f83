"""Which architectures are the likeliest, and in which words."""

import pandas as pd
import pytest
from charts.made_up_tables import EIGHT, KINDS, SIZES, evidence

from ntk_mnist.charts.likeliest import announcements, best_validated, ranked
from ntk_mnist.settings import Architecture

#: Without bias, and with the ``W_std`` of a depth.
SCALED = [Architecture(depth=depth, W_std=W_std) for depth in (3, 2) for W_std in (2.0, 1.0, 0.5)]


def of_one(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of one kernel and size."""
    return table[(table["kernel"] == "nngp") & (table["size"] == 128)].reset_index(drop=True)


def scaled() -> pd.DataFrame:
    """Two depths; of each, ``W_std`` only scales the kernel, and rounding differs."""
    table = of_one(evidence(SCALED))
    rounding = pd.Series([0.0, 3e-6, -2e-6] * 2)
    of_depth = table["depth"].map({3: 5000.0, 2: 4000.0})
    return table.assign(
        maximized_log_marginal_likelihood=of_depth + rounding,
        amplitude=3 / table["W_std"] ** (2 * (table["depth"] + 1)),
    )


def test_the_likeliest_is_first_and_others_are_so_many_nats_behind() -> None:
    rows = ranked(of_one(evidence(EIGHT)).sample(frac=1, random_state=0))
    assert list(rows["behind"]) == [10.0 * place for place in range(8)]
    assert list(rows["likeliest"]) == [True] + 7 * [False]


def test_each_kernel_and_size_has_a_line_and_a_winner_of_its_own() -> None:
    lines = list(announcements(evidence(EIGHT)))
    assert [line.partition(":")[0] for line in lines] == [
        f"Likeliest at size {size:,}, {kind.upper()}" for size in SIZES for kind in KINDS
    ]
    assert lines[0] == (
        "Likeliest at size 128, NNGP: erf, 2 hidden layers, W_std 1, b_std 0, amplitude 0.5;"
        " log marginal likelihood 5,000.0 nats, 10.0 nats ahead of the next"
    )
    assert "NTK: relu, 3 hidden layers, W_std 1.5, b_std 0" in lines[1]


def test_architectures_that_differ_in_amplitude_alone_are_equally_likely() -> None:
    rows = ranked(scaled())
    assert list(rows["likeliest"]) == 3 * [True] + 3 * [False]
    # Rounding does not decide their order.
    assert list(rows["W_std"]) == [0.5, 1.0, 2.0] * 2
    (line,) = announcements(scaled())
    assert line == (
        "Likeliest at size 128, NNGP: relu, 3 hidden layers, b_std 0, W_std 0.5, 1 or 2 alike"
        " (it only scales this kernel), amplitude 768, 3 or 0.0117;"
        " log marginal likelihood 5,000.0 nats, 1,000.0 nats ahead of the next"
    )


@pytest.mark.parametrize("error", [0.0, 6.0])
def test_a_difference_within_the_error_of_the_likelihoods_decides_nothing(error: float) -> None:
    rows = of_one(evidence(EIGHT[:3])).assign(log_marginal_likelihood_error=error)
    assert ranked(rows)["likeliest"].sum() == (2 if error else 1)
    (line,) = announcements(rows)
    assert ("W_std 1 or 1.5 alike, amplitude" in line) == bool(error)


def test_equally_likely_activations_are_named_without_the_word() -> None:
    rows = of_one(evidence(EIGHT[::4])).assign(log_marginal_likelihood_error=6.0)
    (line,) = announcements(rows)
    assert "2 hidden layers, W_std 1, b_std 0, erf or relu alike, amplitude 0.5 or 0.5" in line


def test_likeliest_architectures_that_differ_in_several_settings_are_all_named() -> None:
    rows = of_one(evidence(EIGHT[::7])).assign(log_marginal_likelihood_error=6.0)
    (line,) = announcements(rows)
    assert line == (
        "Likeliest at size 128, NNGP: erf, 2 hidden layers, W_std 1, b_std 0;"
        " or relu, 3 hidden layers, W_std 1.5, b_std 0 alike, amplitude 0.5 or 0.5;"
        " log marginal likelihood 5,000.0 nats"
    )


def test_one_architecture_is_ahead_of_none() -> None:
    (line,) = announcements(of_one(evidence()))
    assert line.endswith("amplitude 0.5; log marginal likelihood 5,000.0 nats")


def with_validation(table: pd.DataFrame) -> pd.DataFrame:
    """The least likely architecture has the best validation accuracy, and another one the same."""
    accuracy = pd.Series(0.5, index=table.index).where(table.index < 6, 0.931)
    return table.assign(
        test_accuracy=0.9,
        validation_size=10_000,
        validation_accuracy=accuracy,
        validation_mse=0.01 + 0.01 * (table.index == 6),
    )


def test_with_validation_images_the_best_on_these_is_named_with_the_test_accuracy_of_both() -> None:
    likeliest, best = announcements(with_validation(of_one(evidence(EIGHT))))
    assert likeliest.startswith("Likeliest at size 128, NNGP: erf, 2 hidden layers, W_std 1")
    # √(0.9 · 0.1 / 1000).
    assert likeliest.endswith("10.0 nats ahead of the next; test accuracy 0.900 ± 0.009")
    assert best == (
        "Best on 10,000 validation images at size 128, NNGP: relu, 3 hidden layers, W_std 1.5,"
        " b_std 0; validation accuracy 0.931, test accuracy 0.900 ± 0.009"
    )


def test_the_smaller_validation_error_decides_between_equal_accuracies() -> None:
    rows = ranked(with_validation(of_one(evidence(EIGHT))))
    (row,) = best_validated(rows).to_dict("records")
    assert row["validation_mse"] == 0.01
    assert row["W_std"] == 1.5


def test_without_validation_images_the_likelihood_alone_chooses_and_tells_no_test_accuracy() -> (
    None
):
    rows = of_one(evidence(EIGHT)).assign(test_accuracy=0.9)
    assert best_validated(rows).empty
    (line,) = announcements(rows)
    assert "test" not in line


def test_equally_likely_architectures_of_different_test_accuracy_are_all_told() -> None:
    table = with_validation(scaled()).assign(test_accuracy=[0.8, 0.9, 0.8, 0.1, 0.1, 0.1])
    line, _ = announcements(table)
    assert line.endswith("test accuracy 0.800 ± 0.013 or 0.900 ± 0.009")


def test_real_valued_targets_are_validated_by_their_squared_error() -> None:
    table = of_one(evidence(EIGHT)).assign(
        validation_size=50, validation_accuracy=None, test_accuracy=None, test_mse=0.25
    )
    table["validation_mse"] = [0.5 - 0.01 * place for place in range(len(table))]
    likeliest, validated = announcements(table)
    assert likeliest.endswith("; test squared error 0.25")
    assert "Best on 50 validation images" in validated
    assert validated.endswith("; validation squared error 0.43, test squared error 0.25")
    assert best_validated(table)["W_std"].item() == table["W_std"].iloc[-1]
