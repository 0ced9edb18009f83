"""Words that charts and the headline share."""

import pytest

from ntk_mnist.charts.findings import signed, slopes_in_words, unlike


def test_slopes_that_were_not_fitted_are_not_told() -> None:
    unknown = {"slope": None, "low": None, "high": None, "smallest_width": 64}
    assert slopes_in_words([unknown]) == {}
    one = {"slope": -0.5, "low": -0.55, "high": -0.45, "smallest_width": 64}
    assert slopes_in_words([one, unknown]) == {64: "−0.50 (± 0.05)"}


@pytest.mark.parametrize(
    ("value", "words"), [(-0.0004, "0.000"), (-0.0006, "−0.001"), (0.0, "0.000"), (0.3, "0.300")]
)
def test_what_rounds_to_0_has_no_sign(value: float, words: str) -> None:
    assert signed(value, 3) == words


def test_networks_are_unlike_the_limit_by_their_loss_and_while_they_have_not_fitted() -> None:
    assert unlike("squared_error", "ntk", [0.99, 1.0]) == []
    assert unlike("squared_error", "standard", []) == []
    assert unlike("cross_entropy", "glorot_uniform", [0.5, 1.0]) == [
        "the networks' loss is the cross-entropy, the kernels' the squared error",
        "the networks' Glorot initialization has another limit",
        "some networks have not fitted their training sets (train accuracy 0.50 … 1.00)",
    ]
    assert unlike("squared_error", "ntk", [0.5, 0.501]) == [
        "networks have not fitted their training sets (train accuracy 0.50)"
    ]


def test_real_valued_targets_are_fitted_once_the_train_error_is_a_hundredth_of_the_test_error() -> (
    None
):
    assert unlike("squared_error", "ntk", [], [0.001, 0.0099], 1.0) == []
    assert unlike("squared_error", "ntk", [], [0.001, 0.02], 1.0) == [
        "networks have not fitted their training sets (train squared error 0.001 … 0.02)"
    ]
