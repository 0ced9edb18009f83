"""The duals against two-dimensional quadrature of the activation itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import roots_hermitenorm

from ntk_mnist.architecture import ACTIVATIONS
from ntk_mnist.infinite_width.duals import DUALS
from ntk_mnist.infinite_width.pairs import Pairs

#: Quadrature converges slowly at a kink.
TOLERANCE = {"relu": 5e-3, "abs": 5e-3}


@pytest.mark.slow
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("correlation", [-0.9, -0.3, 0.0, 0.5, 0.99])
def test_a_dual_is_the_mean_of_products(activation: str, correlation: float) -> None:
    function, dual = ACTIVATIONS[activation], DUALS[activation]
    nodes, weights = roots_hermitenorm(200)
    weights = weights / weights.sum()
    a, b = 0.7, 1.6
    with jax.enable_x64(True):
        u = jnp.sqrt(a) * nodes[:, None] + 0 * nodes
        v = jnp.sqrt(b) * (correlation * nodes[:, None] + np.sqrt(1 - correlation**2) * nodes)
        slope = jax.vmap(jax.vmap(jax.grad(function)))

        def mean(f: jax.Array, g: jax.Array) -> float:
            return float(weights @ np.asarray(f * g) @ weights)

        value, derivative = mean(function(u), function(v)), mean(slope(u), slope(v))
        pairs = Pairs(*map(jnp.float64, (a, b, correlation, 1 - abs(correlation))))
        ours = dual.pairs(pairs)
        scale = float(jnp.sqrt(dual.variance(pairs.variance1) * dual.variance(pairs.variance2)))
    tolerance = TOLERANCE.get(activation, 1e-9)
    assert float(ours.correlation) * scale == pytest.approx(value, abs=tolerance)
    # The derivative of a kink has a jump.
    jump = 5e-2 if activation in TOLERANCE else tolerance
    assert float(ours.derivative) == pytest.approx(derivative, abs=jump)
    assert float(ours.gap) == pytest.approx(1 - abs(float(ours.correlation)), abs=1e-14)


def test_each_activation_has_a_dual() -> None:
    assert list(DUALS) == list(ACTIVATIONS)
