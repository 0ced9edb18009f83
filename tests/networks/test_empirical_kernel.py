"""The empirical NTK against one of all derivatives, written out, and its limit."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntk_mnist.architecture import finite, infinite
from ntk_mnist.networks.empirical_kernel import empirical_ntk
from ntk_mnist.settings import Architecture

X: Any = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize(
    "architecture",
    [
        Architecture(activation="relu", depth=1, W_std=1.4, b_std=0.0),
        Architecture(activation="erf", depth=2, W_std=1.5, b_std=0.1),
        Architecture(activation="gelu", depth=4, W_std=1.2, b_std=0.3),
        Architecture(activation="tanh", depth=2, W_std=1.2, b_std=0.3),
    ],
    ids=str,
)
def test_it_is_the_sum_over_products_of_all_derivatives(architecture: Architecture) -> None:
    network = finite(architecture, "ntk", 16, 3)
    with jax.default_matmul_precision("highest"):
        _, params = network.init(jax.random.PRNGKey(1), (-1, 5))
        jacobian = jax.jacobian(lambda p: network.apply(p, X))(params)
        expected = sum(
            jnp.einsum("xkp,ykp->xy", *[j.reshape(7, 3, -1)] * 2) / 3
            for j in jax.tree.leaves(jacobian)
        )
        ours = empirical_ntk(architecture, params, X)
    np.testing.assert_allclose(ours, expected, rtol=2e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_it_is_near_the_infinite_width_ntk_in_a_wide_network(activation: str) -> None:
    architecture = Architecture(activation=activation, depth=2, W_std=1.4, b_std=0.1)
    with jax.enable_x64(True):
        expected = np.asarray(infinite(architecture)(np.asarray(X, float), None, "ntk"))
    errors = []
    for width in (128, 2048):
        network = finite(architecture, "ntk", width, 10)
        of_seeds = []
        for seed in range(12):
            _, params = network.init(jax.random.PRNGKey(seed), (-1, 5))
            off = np.asarray(empirical_ntk(architecture, params, X)) - expected
            of_seeds.append(np.linalg.norm(off) / np.linalg.norm(expected))
        errors.append(np.sqrt(np.mean(np.square(of_seeds))))
    # Four times as near at sixteen times the width.
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.4)
