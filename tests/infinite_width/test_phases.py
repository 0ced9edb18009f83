"""Fixed points and the critical line against closed forms, SciPy and a deep network."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from ntk_mnist.infinite_width.duals import DUALS
from ntk_mnist.infinite_width.phases import critical_line, phase
from ntk_mnist.infinite_width.recursion import InfiniteNetwork


class One(NamedTuple):
    """The phase of one network."""

    variance: float
    slope: float
    correlation: float
    depth_scale: float


def of(activation: str, weights: float, biases: float) -> One:
    with jax.enable_x64(True):
        return One(*map(float, phase(DUALS[activation], weights, biases)))


def gaussian(f: Callable[[float], float], q: float) -> float:
    """E[f(√q z)] by SciPy."""

    def density(z: float) -> float:
        return f(math.sqrt(q) * z) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    return float(quad(density, -12, 12, epsabs=1e-13, epsrel=1e-13, limit=400)[0])


@pytest.mark.parametrize(("weights", "biases"), [(1.0, 0.5), (1.5, 0.1), (1.9, 2.0), (0.1, 1e-6)])
def test_relu_has_its_published_fixed_point_and_every_correlation_becomes_1(
    weights: float, biases: float
) -> None:
    found = of("relu", weights, biases)
    assert found.variance == pytest.approx(biases / (1 - weights / 2), rel=1e-12)
    assert found.slope == pytest.approx(weights / 2, rel=1e-14)
    assert found.correlation == 1
    assert found.depth_scale == pytest.approx(-1 / math.log(weights / 2), rel=1e-12)


def test_what_becomes_of_the_variance_of_relu_without_a_fixed_point_between() -> None:
    grows, vanishes, stays = of("relu", 2.5, 0.1), of("relu", 1.0, 0.0), of("relu", 2.0, 0.0)
    assert (grows.variance, vanishes.variance, stays.variance) == (math.inf, 0, 2)
    assert grows.slope == pytest.approx(1.25)
    for one in (grows, vanishes):
        assert math.isnan(one.correlation)
        assert one.depth_scale == math.inf
    assert stays.slope == 1
    assert stays.correlation == 1


@pytest.mark.parametrize(("weights", "biases"), [(0.5, 0.1), (1.5, 0.1), (3.0, 0.02), (5.0, 1.5)])
def test_erf_has_the_fixed_points_of_its_closed_form(weights: float, biases: float) -> None:
    # Williams 1997, eq. 11.
    def after(q: float) -> float:
        return weights * 2 / math.pi * math.asin(2 * q / (1 + 2 * q)) + biases

    q = brentq(lambda q: after(q) - q, 1e-12, 20, xtol=1e-15)
    found = of("erf", weights, biases)
    assert found.variance == pytest.approx(q, rel=1e-10)
    slope = weights * 4 / math.pi / math.sqrt(1 + 4 * q)
    assert found.slope == pytest.approx(slope, rel=1e-10)

    def correlation(c: float) -> float:
        return (weights * 2 / math.pi * math.asin(2 * q * c / (1 + 2 * q)) + biases) / q

    c = 1.0 if slope < 1 else brentq(lambda c: correlation(c) - c, 0, 1 - 1e-6, xtol=1e-14)
    assert found.correlation == pytest.approx(c, rel=1e-9)
    there = weights * 4 / math.pi / math.sqrt((1 + 2 * q) ** 2 - (2 * q * c) ** 2)
    assert found.depth_scale == pytest.approx(-1 / math.log(there), rel=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize(("weights", "biases"), [(1.2, 0.2), (2.5, 0.1), (5.0, 2.0)])
def test_tanh_has_the_fixed_point_and_slope_of_quadrature(weights: float, biases: float) -> None:
    def growth(q: float) -> float:
        return weights * gaussian(lambda z: math.tanh(z) ** 2, q) + biases - q

    q = brentq(growth, 1e-6, 8, xtol=1e-13)
    found = of("tanh", weights, biases)
    assert found.variance == pytest.approx(q, rel=1e-8)
    slope = weights * gaussian(lambda z: (1 - math.tanh(z) ** 2) ** 2, q)
    assert found.slope == pytest.approx(slope, rel=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("biases", [0.001, 0.05, 0.5, 2.0])
def test_the_critical_line_of_tanh_is_that_of_quadrature(biases: float) -> None:
    def weights(q: float) -> float:
        return 1 / gaussian(lambda z: (1 - math.tanh(z) ** 2) ** 2, q)

    def excess(q: float) -> float:
        return q - weights(q) * gaussian(lambda z: math.tanh(z) ** 2, q) - biases

    q = brentq(excess, 1e-4, 6, xtol=1e-13)
    with jax.enable_x64(True):
        found = [float(values[0]) for values in critical_line(DUALS["tanh"], np.array([q]))]
    assert found == pytest.approx([weights(q), biases], rel=1e-8)
    # On it, the slope is 1 and nothing falls exponentially.
    on_it = of("tanh", *found)
    assert on_it.slope == pytest.approx(1, abs=1e-7)
    assert on_it.depth_scale > 1e6


def test_the_critical_line_of_relu_is_at_a_weight_variance_of_2() -> None:
    with jax.enable_x64(True):
        weights, biases = critical_line(DUALS["relu"], np.array([0.01, 1.0, 100.0]))
    np.testing.assert_allclose(weights, 2, rtol=1e-14)
    np.testing.assert_allclose(biases, 0, atol=1e-12)


@pytest.mark.slow
def test_without_a_bias_tanh_is_critical_at_a_weight_variance_of_1() -> None:
    ordered, critical, chaotic = (of("tanh", weights, 0.0) for weights in (0.9, 1.0, 1.5))
    assert ordered.variance == critical.variance == 0
    assert critical.slope == pytest.approx(1, abs=1e-8)
    assert math.isnan(ordered.correlation)
    # An odd activation keeps two inputs at a right angle.
    assert chaotic.correlation == pytest.approx(0, abs=1e-12)
    assert chaotic.variance > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "weights", "biases"),
    [
        *(("tanh", 1.2, 0.2), ("tanh", 2.5, 0.1), ("erf", 2.0, 0.3)),
        *(("relu", 1.4, 0.3), ("silu", 1.5, 0.2)),
    ],
)
def test_a_deep_network_approaches_the_fixed_points_at_the_depth_scale(
    activation: str, weights: float, biases: float
) -> None:
    found = of(activation, weights, biases)
    x = np.random.default_rng(0).normal(size=(2, 50))
    x *= math.sqrt(50) / np.linalg.norm(x, axis=1, keepdims=True)
    scale = found.depth_scale
    first, second = round(8 * scale), round(12 * scale)
    differences = []
    with jax.enable_x64(True):
        for depth in (first, second):
            network = InfiniteNetwork(DUALS[activation], depth, weights**0.5, biases**0.5)
            kernel = np.asarray(network(x, x, "nngp"))
            assert kernel[0, 0] == pytest.approx(found.variance, rel=0.01)
            differences.append(kernel[0, 1] / kernel[0, 0] - found.correlation)
    assert abs(differences[0]) < 0.01
    rate = math.log(differences[0] / differences[1]) / (second - first)
    assert rate == pytest.approx(1 / scale, rel=0.03)


@pytest.mark.slow
def test_what_a_series_does_not_know_is_not_a_number() -> None:
    found = of("tanh", 20.0, 1.0)
    assert all(math.isnan(value) for value in found)
