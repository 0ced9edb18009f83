"""Whether a published number is one that our runs would give."""

import numpy as np
import pytest

from ntk_mnist.comparison.published import beside


def test_the_interval_is_that_of_one_more_run() -> None:
    # Of normal runs, 95 % of further runs fall into it, whatever the mean and the spread.
    rng = np.random.default_rng(0)
    runs = rng.normal(0.7, 0.05, (4000, 5))
    verdicts = [beside(run[0], 12, run[1:], random=True).verdict for run in runs]
    assert verdicts.count("within") / len(verdicts) == pytest.approx(0.95, abs=0.012)
    assert set(verdicts) == {"within", "differs"}


def test_its_ends_are_those_of_students_t_by_hand() -> None:
    # t of 0.975 and 2 degrees of freedom is 4.3027; the standard deviation of 1, 2, 3 is 1.
    found = beside(9.0, 3, [1.0, 2.0, 3.0], random=True)
    assert found.ours == 2
    assert found.high - 2 == pytest.approx(4.3027 * (1 + 1 / 3) ** 0.5, rel=1e-4)
    assert found.low + found.high == pytest.approx(4)
    assert found.verdict == "differs"


@pytest.mark.parametrize(
    ("ours", "verdict"), [(0.9104, "equal"), (0.9095, "equal"), (0.9106, "differs")]
)
def test_one_run_is_equal_to_the_published_decimals_or_differs(ours: float, verdict: str) -> None:
    found = beside(0.910, 3, [ours], random=False)
    assert found.verdict == verdict
    assert np.isnan([found.low, found.high]).all()


def test_of_one_run_that_is_random_nothing_follows() -> None:
    assert beside(0.910, 3, [0.8], random=True).verdict == "one run"
    assert beside(0.910, 3, [0.9101], random=True).verdict == "equal"
