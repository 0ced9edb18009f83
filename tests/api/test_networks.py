"""Networks on arrays: what is returned, and that they approach the predictions of their limit."""

import numpy as np
import pytest

import ntk_mnist as ntk

ARCHITECTURE = ntk.Architecture(activation="erf", depth=1, W_std=1.5, b_std=0.1)
RNG = np.random.default_rng(0)
X, Z = RNG.normal(size=(30, 5)), RNG.normal(size=(7, 5))
Y, LABELS = np.arange(30) % 3, np.arange(7) % 3


@pytest.mark.slow
def test_a_wider_network_is_nearer_to_its_limit() -> None:
    limit = ntk.predict(X, Y, Z, ARCHITECTURE, times=[10.0], step_size=1.0)
    distances = [
        np.std(ntk.train(X, Y, Z, ARCHITECTURE, times=[10.0], width=width).predictions - limit)
        for width in (16, 4096)
    ]
    # By width^-1/2, it falls to a sixteenth.
    assert distances[1] < distances[0] / 4


def test_each_time_is_measured_in_the_order_of_the_times() -> None:
    late, early = (
        ntk.train(X, Y, Z, ARCHITECTURE, times=times, width=64, y_test=LABELS, linearized=True)
        for times in ([20, 2], [2, 20])
    )
    assert late.predictions.dtype == np.float32
    assert late.predictions.shape == (2, 7, 3)
    np.testing.assert_array_equal(late.times, [20, 2])
    for one, other in zip(late, early, strict=True):
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(one, other[::-1])
    assert late.train_loss[0] < late.train_loss[1]
    assert late.test_accuracy is not None
    right = late.predictions.argmax(axis=2) == LABELS
    np.testing.assert_array_equal(late.test_accuracy, right.mean(axis=1))


def test_real_valued_targets_and_tests_without_labels_have_no_accuracy() -> None:
    of_targets = ntk.train(
        X, np.sin(X[:, 0]), Z, ARCHITECTURE, times=[2.0], step_size=0.5, width=64
    )
    assert of_targets.predictions.shape == (1, 7, 1)
    assert (
        of_targets.train_accuracy is of_targets.test_accuracy is of_targets.linearizations is None
    )
    unlabelled = ntk.train(X, Y, Z, ARCHITECTURE, times=[2.0], width=64)
    assert unlabelled.train_accuracy is not None
    assert unlabelled.test_accuracy is None


@pytest.mark.slow
def test_whole_numbers_beyond_32_bits_are_features_too() -> None:
    whole = np.round(X * 1e12).astype(np.int64)
    one, other = (
        ntk.train(x, Y, x[:5], ARCHITECTURE, times=[2e-11], step_size=1e-11, width=8)
        for x in (whole, whole.astype(float))
    )
    np.testing.assert_array_equal(one.predictions, other.predictions)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"width": 0}, "width: 0 is too small; allowed: 1 or more"),
        ({"seed": -1}, "seed: -1 is too small; allowed: 0 or more"),
        ({"times": []}, "times: the list is empty; "),
        ({"times": 10.0}, "times: 10.0 is not a list; give a list of times, as [10.0]"),
        ({"times": [np.inf]}, "times[0]: inf is not a finite number"),
        ({"times": [2.5]}, "times: 2.5 is not a whole number of steps of training.step_size, 1"),
        ({"step_size": 1000.0, "times": [1000.0]}, "set training.step_size to "),
        ({"y_test": LABELS[:3]}, "x_test has 7 rows and y_test 3; each row needs its label"),
    ],
)
def test_a_wrong_argument_gets_one_line(wrong: dict[str, object], said: str) -> None:
    arguments = {"times": [10.0], "width": 8, **wrong}
    with pytest.raises(ntk.UserError) as error:
        ntk.train(X, Y, Z, ARCHITECTURE, **arguments)  # type: ignore[arg-type]
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1
