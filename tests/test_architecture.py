"""The finite side tends to the infinite side, for every activation and parameterization."""

import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import msgspec
import numpy as np
import pytest
from scipy import stats

from ntk_mnist.architecture import (
    ACTIVATIONS,
    PARAMETERIZATIONS,
    FiniteNetwork,
    finite,
    infinite,
)
from ntk_mnist.settings import Architecture, Training

INPUTS = jnp.asarray(np.random.default_rng(1).normal(size=(5, 16)), jnp.float32)


def empirical_kernels(network: FiniteNetwork, seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of the outputs and mean of ∂f/∂θ · ∂f'/∂θ, over initializations."""

    @jax.jit
    @jax.vmap
    def one(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        _, params = network.init(key, (-1, INPUTS.shape[1]))
        outputs = network.apply(params, INPUTS)
        jacobian = jax.tree.leaves(jax.jacobian(lambda p: network.apply(p, INPUTS)[:, 0])(params))
        ntk = sum(jnp.reshape(j, (5, -1)) @ jnp.reshape(j, (5, -1)).T for j in jacobian)
        return outputs @ outputs.T / outputs.shape[1], jnp.asarray(ntk)

    nngp, ntk = one(jax.random.split(jax.random.PRNGKey(0), seeds))
    return np.mean(nngp, axis=0), np.mean(ntk, axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_wide_ntk_networks_have_the_kernels_of_the_limit(activation: str) -> None:
    architecture = Architecture(depth=2, activation=activation, W_std=1.4, b_std=0.3)
    nngp, ntk = empirical_kernels(finite(architecture, "ntk", width=512, classes=64), seeds=24)
    with jax.enable_x64(True):
        limit = infinite(architecture)(np.asarray(INPUTS, float), None, ("nngp", "ntk"))
    scale = float(np.max(np.abs(limit.nngp)))
    np.testing.assert_allclose(nngp, limit.nngp, atol=0.1 * scale)
    np.testing.assert_allclose(ntk, limit.ntk, atol=0.05 * float(np.max(np.abs(limit.ntk))))


@pytest.mark.slow
def test_wide_standard_networks_have_the_nngp_of_the_limit() -> None:
    architecture = Architecture(depth=2, activation="relu", W_std=1.4, b_std=0.3)
    nngp, _ = empirical_kernels(finite(architecture, "standard", width=512, classes=64), seeds=24)
    with jax.enable_x64(True):
        limit = infinite(architecture)(np.asarray(INPUTS, float), None, "nngp")
    np.testing.assert_allclose(nngp, limit, atol=0.1 * float(np.max(np.abs(limit))))


@pytest.mark.slow
def test_glorot_networks_are_those_of_the_notebook() -> None:
    from jax.example_libraries import stax

    network = finite(Architecture(), "glorot", width=32, classes=10)
    init, apply = stax.serial(
        stax.Dense(32), stax.Relu, stax.Dense(32), stax.Relu, stax.Dense(10), stax.LogSoftmax
    )
    key = jax.random.PRNGKey(0)
    _, params = network.init(key, (-1, 16))
    _, reference = init(key, (-1, 16))
    for ours, theirs in zip(jax.tree.leaves(params), jax.tree.leaves(reference), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(
        jax.nn.log_softmax(network.apply(params, INPUTS)), apply(reference, INPUTS), rtol=1e-6
    )


def test_glorot_uniform_weights_have_their_law_and_biases_are_zero() -> None:
    network = finite(Architecture(depth=2), "glorot_uniform", width=400, classes=10)
    _, params = network.init(jax.random.PRNGKey(0), (-1, 300))
    shapes = [(300, 400), (400, 400), (400, 10)]
    for (weights, biases), (fan_in, fan_out) in zip(params, shapes, strict=True):
        assert weights.shape == (fan_in, fan_out)
        np.testing.assert_array_equal(biases, np.zeros(fan_out))
        limit = np.sqrt(6 / (fan_in + fan_out))
        law = stats.uniform(-limit, 2 * limit)
        drawn = np.ravel(weights).astype(np.float64)
        assert np.abs(drawn).max() <= limit * (1 + 1e-6)
        assert stats.kstest(drawn, law.cdf).pvalue > 1e-3
        assert np.var(drawn) == pytest.approx(2 / (fan_in + fan_out), rel=5 / np.sqrt(drawn.size))


@pytest.mark.slow
@pytest.mark.parametrize("parameterization", PARAMETERIZATIONS)
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_a_loop_over_layers_is_the_network_of_the_library(
    parameterization: str, depth: int
) -> None:
    from jax.example_libraries import stax

    from ntk_mnist.neural_tangents_compat import stax as nt

    architecture = Architecture(depth=depth, activation="erf", W_std=1.4, b_std=0.3)
    layers: list[Any] = []
    for units in [32] * depth + [10]:
        dense: Any
        if parameterization == "glorot":
            dense = stax.Dense(units)
        elif parameterization == "glorot_uniform":
            uniform, zeros = jax.nn.initializers.glorot_uniform(), jax.nn.initializers.zeros
            dense = stax.Dense(units, uniform, zeros)
        else:
            dense = nt.Dense(units, W_std=1.4, b_std=0.3, parameterization=parameterization)[:2]
        layers += [dense, stax.elementwise(jax.scipy.special.erf)]
    init, apply = stax.serial(*layers[:-1])
    key = jax.random.PRNGKey(3)
    _, reference = init(key, (-1, 16))
    network = finite(architecture, parameterization, width=32, classes=10)
    shape, params = network.init(key, (-1, 16))
    assert shape == (-1, 10)
    np.testing.assert_allclose(network.apply(params, INPUTS), apply(reference, INPUTS), atol=1e-5)
    counts = [sum(np.size(leaf) for leaf in jax.tree.leaves(p)) for p in (params, reference)]
    assert counts[0] == counts[1]


def test_the_config_allows_exactly_the_registered_names() -> None:
    for settings, name, registry in (
        (Architecture, "activation", ACTIVATIONS),
        (Training, "parameterization", PARAMETERIZATIONS),
    ):
        schema = msgspec.json.schema(settings)["$defs"][settings.__name__]
        assert schema["properties"][name]["enum"] == list(registry)


def test_a_glorot_network_needs_no_neural_tangents() -> None:
    program = (
        "import sys; from ntk_mnist.architecture import finite;"
        "from ntk_mnist.settings import Architecture;"
        "finite(Architecture(), 'glorot', width=8, classes=10);"
        "sys.exit('neural_tangents' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": "src"})
