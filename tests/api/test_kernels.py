"""Kernels and predictions on arrays, against neural-tangents and SciPy."""

from collections.abc import Iterator
from math import inf
from typing import Any

import jax
import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

import ntk_mnist as ntk
from ntk_mnist.neural_tangents_compat import stax

ARCHITECTURE = ntk.Architecture(activation="erf", depth=2, W_std=1.5, b_std=0.1)
RNG = np.random.default_rng(0)
X, Z = RNG.normal(size=(30, 5)), RNG.normal(size=(7, 5))
Y = np.arange(30) % 3


@pytest.fixture(scope="module")
def theta() -> Iterator[NDArray[np.float64]]:
    """The NTK of the training inputs and of all inputs with them, by neural-tangents."""
    dense = [stax.Dense(n, W_std=1.5, b_std=0.1) for n in (8, 8, 1)]
    _, _, kernel_fn = stax.serial(dense[0], stax.Erf(), dense[1], stax.Erf(), dense[2])
    with jax.enable_x64(True):
        yield np.asarray(kernel_fn(np.vstack([X, Z]), X, "ntk"))


def test_a_kernel_is_that_of_neural_tangents(theta: NDArray[np.float64]) -> None:
    found = ntk.kernel(Z, X, ARCHITECTURE)
    assert (found.shape, found.dtype.name) == ((7, 30), "float64")
    np.testing.assert_allclose(found, theta[30:], rtol=1e-12)
    itself = ntk.kernel(X, architecture=ARCHITECTURE)
    np.testing.assert_allclose(itself, theta[:30], rtol=1e-12)
    np.testing.assert_array_equal(itself, itself.T)
    assert (ntk.kernel(X, None, ARCHITECTURE, "nngp") < itself).all(where=np.eye(30, dtype=bool))


def test_predictions_are_those_of_gradient_flow(theta: NDArray[np.float64]) -> None:
    times = [inf, 3.0, 50.0]
    found = ntk.predict(X, Y, Z, ARCHITECTURE, times=times)
    assert (found.shape, found.dtype.name) == ((3, 7, 3), "float64")
    one_hot = np.eye(3)[Y]
    for time, prediction in zip(times, found, strict=True):
        decay = 0.0 if time == inf else scipy.linalg.expm(-time / one_hot.size * theta[:30])
        learned = scipy.linalg.solve(theta[:30], (np.eye(30) - decay) @ one_hot)
        np.testing.assert_allclose(prediction, theta[30:] @ learned, atol=1e-9)


def test_predictions_are_those_of_gradient_descent(theta: NDArray[np.float64]) -> None:
    (found,) = ntk.predict(X, Y, Z, ARCHITECTURE, times=[6.0], step_size=2.0)
    one_hot, a = np.eye(3)[Y], np.zeros((30, 3))
    for _ in range(3):
        a -= 2.0 / one_hot.size * (theta[:30] @ a - one_hot)
    np.testing.assert_allclose(found, theta[30:] @ a, atol=1e-12)


def test_real_valued_targets_are_as_they_are() -> None:
    targets = np.sin(X[:, 0])
    one, two = (ntk.predict(X, y, Z) for y in (targets, np.stack([targets, -targets], axis=1)))
    assert (one.shape, two.shape) == ((1, 7, 1), (1, 7, 2))
    np.testing.assert_allclose(two, np.concatenate([one, -one], axis=2), atol=1e-12)


@pytest.mark.slow
def test_images_are_divided_by_255_and_flattened() -> None:
    images = RNG.integers(256, size=(30, 2, 3, 1), dtype=np.uint8)
    found = ntk.predict(images, Y, images[:4], ARCHITECTURE)
    features = images.reshape(30, 6) / 255
    np.testing.assert_array_equal(found, ntk.predict(features, Y, features[:4], ARCHITECTURE))
    np.testing.assert_array_equal(
        ntk.kernel(images, images[:4]), ntk.kernel(features, features[:4])
    )


def test_lists_and_numpy_scalars_do() -> None:
    architecture = ntk.Architecture(depth=np.int64(1), W_std=np.float32(2))  # type: ignore[arg-type]
    found = ntk.predict(X.tolist(), Y.tolist(), Z.tolist(), architecture)
    plain = ntk.Architecture(depth=1, W_std=2.0)
    np.testing.assert_array_equal(found, ntk.predict(X, Y, Z, plain))


def test_a_singular_kernel_is_regularized_and_said() -> None:
    twice, labels = np.vstack([X, X]), np.tile(Y, 2)
    with pytest.warns(UserWarning, match=r"singular to working precision: diag_reg was raised"):
        found = ntk.predict(twice, labels, Z, ARCHITECTURE)
    np.testing.assert_allclose(found, ntk.predict(X, Y, Z, ARCHITECTURE), atol=1e-6)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "kind": ({"kind": "ntkk"}, "kind: 'ntkk' is unknown; allowed: nngp, ntk"),
    "activation": (
        {"architecture": ntk.Architecture(activation="elu")},
        "activation: 'elu' is unknown; allowed: relu, erf, gelu, ",
    ),
    "depth": (
        {"architecture": ntk.Architecture(depth=0)},
        "depth: 0 is too small; allowed: 1 or more",
    ),
    "no number": (
        {"architecture": ntk.Architecture(W_std=np.nan)},
        "W_std: nan is not a finite number",
    ),
    "list": (
        {"architecture": ntk.Architecture(depth=[1, 2])},  # type: ignore[arg-type]
        "depth: [1, 2] is a list; an architecture has one value",
    ),
    "no architecture": ({"architecture": "erf"}, "architecture is of the type str; needed: "),
    "time": ({"times": [-1.0]}, "times[0]: -1.0 is too small; allowed: more than 0"),
    "steps": (
        {"times": [2.5], "step_size": 1.0},
        "times: 2.5 is not a whole number of steps of training.step_size, 1",
    ),
    "unstable": ({"times": [1e6], "step_size": 1e6}, "training.step_size 1e+06 is too large: "),
    "diag_reg": ({"diag_reg": -1.0}, "diag_reg: -1.0 is too small; allowed: 0 or more"),
    "shapes": ({"x_test": Z[:, :3]}, "x_train has rows of the shape (5,) and x_test of (3,)"),
    "rows": ({"y_train": Y[:-1]}, "x_train has 30 rows and y_train 29; each row needs its label"),
    "one-hot": ({"y_train": np.eye(3, dtype=int)[Y]}, "as argmax(axis=1) makes of one-hot rows"),
    "classes from 1": ({"y_train": Y + 1}, "y_train has no class 0; number the classes from 0 on"),
    "one class": ({"y_train": 0 * Y}, "y_train has one class alone; at least two are needed"),
    "NaN": ({"x_train": np.where(X[3, 1] == X, np.nan, X)}, "x_train has a value in row 3 that"),
    "text": ({"y_train": Y.astype(str)}, "y_train has the dtype <U"),
    "empty": ({"x_test": Z[:0]}, "x_test is empty; at least one row is needed"),
    "constant": ({"y_train": np.ones(30)}, "y_train has the same values in each row"),
    "dtype": (
        {"x_test": (Z > 0).astype(np.uint8)},
        "x_train has the dtype float64 and x_test uint8",
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_argument_gets_one_line(fault: str) -> None:
    wrong, said = WRONG[fault]
    with pytest.raises(ntk.UserError) as error:
        ntk.predict(**{"x_train": X, "y_train": Y, "x_test": Z, **wrong})
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_kernel_that_is_not_finite_or_not_known_gets_one_line() -> None:
    with pytest.raises(
        ntk.UserError, match=r"^the ntk has entries that are NaN or infinite: W_std"
    ):
        ntk.kernel(X, architecture=ntk.Architecture(depth=1000, W_std=1e3))
    with pytest.raises(ntk.UserError, match=r"^the kernel of tanh is not known at a variance of"):
        ntk.kernel(X, architecture=ntk.Architecture(activation="tanh", W_std=50.0))
    with pytest.raises(ntk.UserError, match=r"^x1 has rows of the shape \(5,\) and x2 of \(2,\)"):
        ntk.kernel(X, X[:, :2])


def test_gradient_descent_on_many_inputs_gets_one_line() -> None:
    many = np.arange(4097.0)
    with pytest.raises(ntk.UserError, match=r"^x_train has 4,097 rows, and gradient descent is"):
        ntk.predict(many, many, many, times=[1.0], step_size=1.0)
