"""The series against quadrature in two dimensions, written apart, and against closed forms."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from ntk_mnist.infinite_width import mehler
from ntk_mnist.infinite_width.duals import DUALS
from ntk_mnist.infinite_width.mehler import mehler_dual
from ntk_mnist.infinite_width.pairs import Dual, DualPairs, Pairs
from ntk_mnist.infinite_width.recursion import KINDS, InfiniteNetwork

pytestmark = pytest.mark.slow

Matrix = NDArray[np.float64]

#: Each activation and its derivative.
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (expit, lambda z: expit(z) * expit(-z)),
    "softplus": (lambda z: np.logaddexp(z, 0), expit),
    "silu": (lambda z: z * expit(z), lambda z: expit(z) * (1 + z * expit(-z))),
}
#: Those with a closed form, as a series.
AS_SERIES = {
    "erf": mehler_dual(jax.scipy.special.erf, symmetric=True),
    "sin": mehler_dual(jnp.sin, symmetric=True),
    "gelu": mehler_dual(lambda x: jax.nn.gelu(x, approximate=False)),
}
#: The trapezoidal rule converges geometrically for a function that is analytic.
STEP = 0.06
NODES = STEP * np.arange(-200, 201)
WEIGHTS = np.exp(-(NODES**2) / 2) / np.exp(-(NODES**2) / 2).sum()
#: What the quadrature itself loses.
ROUNDING = 2e-14


def quadrature(f: Callable[[Any], Any], g: Callable[[Any], Any], gap: float, sign: int) -> float:
    """E[f(u) g(v)] for u and v of variance 1 and correlation ±(1 − gap), by the half angle."""
    cosine, sine = np.sqrt(1 - gap / 2), np.sqrt(gap / 2)
    x, y = cosine * NODES[:, None], sine * NODES
    return float(WEIGHTS @ (f(x + y) * g(sign * (x - y))) @ WEIGHTS)


@cache
def moments(f: Callable[[Any], Any], a: float, b: float, gap: float, sign: int) -> float:
    root1, root2 = np.sqrt(a), np.sqrt(b)
    return quadrature(lambda z: f(root1 * z), lambda z: f(root2 * z), gap, sign)


def half_distance(f: Callable[[Any], Any], a: float, b: float, gap: float) -> float:
    """E[(f(u) − f(v))²] / 2 at a positive correlation."""
    cosine, sine = np.sqrt(1 - gap / 2), np.sqrt(gap / 2)
    x, y = cosine * NODES[:, None], sine * NODES
    difference = f(np.sqrt(a) * (x + y)) - f(np.sqrt(b) * (x - y))
    return float(WEIGHTS @ difference**2 @ WEIGHTS) / 2


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is traced once for each shape, and not for each call."""
    return jax.jit(function)


def dual_of(dual: Dual, a: Any, b: Any, correlation: Any, gap: Any) -> DualPairs:
    """The dual of lists of pairs."""
    with jax.enable_x64(True):
        values = np.broadcast_arrays(a, b, correlation, gap)
        pairs = Pairs(*(jnp.asarray(value, jnp.float64) for value in values))
        return DualPairs(*map(np.asarray, compiled(dual.pairs)(pairs)))  # type: ignore[arg-type]


def kernels_of(network: InfiniteNetwork, x: Matrix) -> Any:
    """Both kernels of inputs with one another, by one program."""
    program = jax.jit(lambda inputs: network(inputs))  # noqa: PLW0108  (a callable tuple)
    return program(x)


def error_of(dual: Dual, a: float) -> float:
    assert dual.error is not None
    with jax.enable_x64(True):
        return float(compiled(dual.error)(jnp.float64(a)))


@pytest.fixture
def few_terms(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the terms of a series, of which none is refused."""

    def set_terms(terms: int) -> None:
        monkeypatch.setattr(mehler, "_RULES", (mehler._Rule(256, terms),))
        monkeypatch.setattr(mehler, "_LARGEST", 1.0)

    return set_terms


def assert_is_right(
    activation: str,
    ours: DualPairs,
    place: int,
    case: tuple[float, float, float, int],
    claim: float,
) -> None:
    """Correlation and derivative of one pair are those of the quadrature, up to the claim."""
    function, slope = FUNCTIONS[activation]
    a, b, gap, sign = case
    scale = np.sqrt(moments(function, a, a, 0, 1) * moments(function, b, b, 0, 1))
    value = moments(function, a, b, gap, sign) / scale
    assert abs(ours.correlation[place] - value) < claim + ROUNDING
    scale = np.sqrt(moments(slope, a, a, 0, 1) * moments(slope, b, b, 0, 1))
    derivative = moments(slope, a, b, gap, sign)
    assert abs(ours.derivative[place] - derivative) < (claim + ROUNDING) * scale


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_the_error_is_within_the_claim_and_small_where_variances_are(activation: str) -> None:
    dual = DUALS[activation]
    cases = [
        (a, b, gap, sign)
        for a, b in ((0.3, 0.3), (0.3, 0.5), (0.05, 2.5), (1.0, 1.0), (1.7, 0.4), (2.5, 2.5))
        for gap, sign in ((0.0, 1), (0.0, -1), (0.01, 1), (0.01, -1), (0.3, 1), (1.0, 1))
    ]
    a, b, gap, sign = (np.array(column) for column in zip(*cases, strict=True))
    ours = dual_of(dual, a, b, sign * (1 - gap), gap)
    for i, (a_, b_, gap_, sign_) in enumerate(cases):
        claim = max(error_of(dual, a_), error_of(dual, b_))
        assert claim < (1e-12 if max(a_, b_) < 1.5 else 1e-8)
        assert_is_right(activation, ours, i, (a_, b_, gap_, sign_), claim)


@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize("a", [3.0, 5.0, 7.0])
def test_larger_rules_are_right_at_larger_variances(activation: str, a: float) -> None:
    dual, (function, _) = DUALS[activation], FUNCTIONS[activation]
    cases = [
        (b, gap, sign)
        for b in (a, 0.8 * a, 0.5)
        for gap, sign in ((0.0, 1), (1e-8, 1), (0.01, -1), (0.3, 1), (0.7, -1), (1.0, 1))
    ]
    b, gap, sign = (np.array(column) for column in zip(*cases, strict=True))
    ours = dual_of(dual, a, b, sign * (1 - gap), gap)
    with jax.enable_x64(True):
        second = float(dual.variance(jnp.float64(a)))
    claim = error_of(dual, a)
    assert claim < 1e-8
    assert second == pytest.approx(moments(function, a, a, 0, 1), rel=claim + ROUNDING)
    for i, (b_, gap_, sign_) in enumerate(cases):
        assert_is_right(activation, ours, i, (a, b_, gap_, sign_), claim)
        if b_ == a and gap_ and sign_ > 0 and gap_ < 1:
            less = half_distance(function, a, a, gap_) / moments(function, a, a, 0, 1)
            # The quadrature's difference of equal numbers loses some digits.
            assert ours.gap[i] == pytest.approx(less, rel=max(1e-6, 1e-16 / np.sqrt(gap_ * a)))


def test_small_variances_alone_take_the_smallest_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = np.array([0.5, 1.0, 2.5]), np.array([2.5, 0.3, 1.0])
    ours = dual_of(mehler_dual(jnp.tanh, symmetric=True), a, b, 0.4, 0.6)
    monkeypatch.setattr(mehler, "_RULES", mehler._RULES[:1])
    smallest = dual_of(mehler_dual(jnp.tanh, symmetric=True), a, b, 0.4, 0.6)
    for one, other in zip(ours, smallest, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_known_of_a_variance_does_not_depend_on_the_others() -> None:
    dual = DUALS["tanh"]
    assert dual.error is not None
    a = np.array([0.5, 2.5, 4.0, 7.0, 100.0])
    with jax.enable_x64(True):
        for known in (dual.variance, dual.error):
            together = np.asarray(known(jnp.asarray(a)))
            alone = [float(known(jnp.float64(value))) for value in a]
            np.testing.assert_allclose(together, alone, rtol=1e-14, atol=1e-14)
    pairs = dual_of(dual, a[:4], a[:4], 0.3, 0.7)
    for i, value in enumerate(a[:4]):
        one = dual_of(dual, value, value, 0.3, 0.7)
        claim = error_of(dual, value)
        assert pairs.correlation[i] == pytest.approx(float(one.correlation), rel=claim)


@pytest.mark.parametrize(
    ("terms", "a", "b", "gap"),
    [(24, 0.3, 0.5, 0.0), (40, 0.3, 0.5, 0.0), (80, 1.7, 1.7, 0.01), (80, 1.7, 1.7, 0.0)],
)
def test_a_claim_covers_a_series_that_is_too_short(
    few_terms: Callable[[int], None], terms: int, a: float, b: float, gap: float
) -> None:
    few_terms(terms)
    dual = mehler_dual(jnp.tanh)
    ours = dual_of(dual, a, b, 1 - gap, gap)
    claim = max(error_of(dual, a), error_of(dual, b))
    slope = FUNCTIONS["tanh"][1]
    scale = np.sqrt(moments(slope, a, a, 0, 1) * moments(slope, b, b, 0, 1))
    error = abs(float(ours.derivative) - moments(slope, a, b, gap, 1)) / scale
    assert error < claim + ROUNDING
    # At a correlation of 1 and equal variances, the tail itself is what is missing.
    if gap == 0 and a == b:
        assert error > claim / 10


@pytest.mark.parametrize("activation", AS_SERIES)
@pytest.mark.parametrize("a", [1e-8, 1e-3, 0.3, 1.0, 2.0])
def test_a_series_is_the_closed_form_even_where_two_inputs_are_parallel(
    activation: str, a: float
) -> None:
    gap = np.array([0.0, 1e-20, 1e-15, 1e-10, 1e-5, 0.01, 0.3, 1.0])
    series, closed = AS_SERIES[activation], DUALS[activation]
    for b in (a, 1.3 * a):
        for sign in (1, -1):
            found = dual_of(series, a, b, sign * (1 - gap), gap)
            known = dual_of(closed, a, b, sign * (1 - gap), gap)
            claim = max(error_of(series, a), error_of(series, b))
            assert claim < 1e-10
            np.testing.assert_allclose(found.correlation, known.correlation, atol=1e-14)
            np.testing.assert_allclose(found.derivative, known.derivative, atol=claim + 1e-14)
            if a == b and sign == 1:
                np.testing.assert_allclose(found.gap, known.gap, rtol=claim + 1e-12)


@pytest.mark.parametrize("activation", AS_SERIES)
def test_kernels_of_a_series_are_those_of_the_closed_form(activation: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(6, 20))
    x = np.concatenate([x, x[:2] + 1e-7 * rng.normal(size=(2, 20)), x[:1], -x[:1], 0 * x[:1]])
    with jax.enable_x64(True):
        for b_std in (0.0, 0.2):
            one, other = (
                kernels_of(InfiniteNetwork(dual, 4, 1.3, b_std), x)
                for dual in (AS_SERIES[activation], DUALS[activation])
            )
            for kind in KINDS:
                np.testing.assert_allclose(
                    getattr(one, kind), getattr(other, kind), rtol=1e-12, atol=1e-14
                )


@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize("gap", [1e-14, 1e-6, 1e-2])
def test_the_gap_is_known_to_a_small_relative_error(activation: str, gap: float) -> None:
    dual, (function, _) = DUALS[activation], FUNCTIONS[activation]
    variances = np.array([0.02, 0.3, 1.3])
    ours = dual_of(dual, variances, variances, 1 - gap, gap)
    for a, found in zip(variances, ours.gap, strict=True):
        expected = half_distance(function, a, a, gap) / moments(function, a, a, 0, 1)
        # The quadrature's difference of equal numbers loses some digits.
        assert found == pytest.approx(expected, rel=max(1e-12, 1e-16 / np.sqrt(gap * a)))


def test_a_deep_network_of_tanh_is_that_of_quadrature_layer_by_layer() -> None:
    depth, weights, biases = 50, 1.3**2, 0.1**2
    function, slope = FUNCTIONS["tanh"]
    x = np.random.default_rng(3).normal(size=(2, 30)) * 0.5
    with jax.enable_x64(True):
        ours = InfiniteNetwork(DUALS["tanh"], depth, weights**0.5, biases**0.5)(x, x, KINDS)
    a, b, q = (float(u @ v) / 30 for u, v in ((x[0], x[0]), (x[1], x[1]), (x[0], x[1])))
    ntk = 0.0
    for layer in range(depth + 1):
        a, b, q = (weights * value + biases for value in (a, b, q))
        ntk = weights * ntk + q
        if layer < depth:
            correlation = q / np.sqrt(a * b)
            gap, sign = 1 - abs(correlation), 1 if correlation > 0 else -1
            ntk *= moments(slope, a, b, gap, sign)
            q = moments(function, a, b, gap, sign)
            a, b = (moments(function, value, value, 0, 1) for value in (a, b))
    assert float(ours.nngp[0, 1]) == pytest.approx(q, rel=1e-11)
    assert float(ours.ntk[0, 1]) == pytest.approx(ntk, rel=1e-11)


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_the_order_of_a_pair_does_not_matter_and_equal_inputs_are_equal(activation: str) -> None:
    x = np.random.default_rng(0).normal(size=(5, 12)) * np.array([[1e-9, 0.1, 0.5, 1, 0]]).T
    x = np.concatenate([x, x[2:3]])
    with jax.enable_x64(True):
        network = InfiniteNetwork(DUALS[activation], 3, 1.2, 0.0)
        points = network.points(x)  # type: ignore[arg-type]
        kernels = network.between(points, points, KINDS)
        own = network.of_each(x, KINDS)  # type: ignore[arg-type]
    for kind in KINDS:
        kernel = np.asarray(kernels[kind])
        assert np.isfinite(kernel).all()
        scale = np.sqrt(np.outer(own[kind], own[kind]))
        np.testing.assert_allclose(kernel, kernel.T, atol=1e-14 * scale.max())
        np.testing.assert_allclose(np.diagonal(kernel), own[kind], rtol=1e-13)
        np.testing.assert_array_equal(kernel[2], kernel[5])
        assert (abs(kernel) <= scale * (1 + 1e-12)).all()


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_a_variance_is_known_or_refused_up_to_the_largest_number(activation: str) -> None:
    dual, (function, _) = DUALS[activation], FUNCTIONS[activation]
    assert dual.error is not None
    a = np.array([0.0, 1e-300, 1e-12, *np.geomspace(0.1, 1e4, 40), 1e10, 1e300, np.inf, np.nan])
    with jax.enable_x64(True):
        variances, errors = (np.asarray(f(jnp.asarray(a))) for f in (dual.variance, dual.error))
    refused = np.isnan(variances)
    np.testing.assert_array_equal(refused, np.isinf(errors))
    assert not refused[a <= 2.5].any()
    assert refused[~(a < 100)].all()
    assert (np.diff(refused.astype(int)) >= 0).all()
    for value, found, error in zip(a[~refused], variances[~refused], errors[~refused], strict=True):
        exact = moments(function, value, value, 0, 1)
        assert found == pytest.approx(exact, rel=error + ROUNDING, abs=1e-300)


def test_an_entry_of_a_refused_variance_is_not_a_number_and_no_other_is() -> None:
    x = np.ones((3, 4)) * np.array([[0.5, 1, 10]]).T
    with jax.enable_x64(True):
        kernels = InfiniteNetwork(DUALS["tanh"], 2, 1.0, 0.0)(x, x)
    for kind in KINDS:
        bad = np.isnan(np.asarray(getattr(kernels, kind)))
        assert bad[2].all()
        assert bad[:, 2].all()
        assert not bad[:2, :2].any()


def test_a_kink_is_refused_at_every_variance() -> None:
    dual = mehler_dual(jax.nn.relu)
    assert [error_of(dual, a) for a in (1e-6, 0.1, 1.0, 10.0)] == [np.inf] * 4
