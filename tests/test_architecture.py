"""The finite side tends to the infinite side, for every activation and parameterization."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import msgspec
import numpy as np
import pytest

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
    limit = infinite(architecture)(INPUTS, None, ("nngp", "ntk"))
    scale = float(np.max(np.abs(limit.nngp)))
    np.testing.assert_allclose(nngp, limit.nngp, atol=0.1 * scale)
    np.testing.assert_allclose(ntk, limit.ntk, atol=0.05 * float(np.max(np.abs(limit.ntk))))


@pytest.mark.slow
def test_wide_standard_networks_have_the_nngp_of_the_limit() -> None:
    architecture = Architecture(depth=2, activation="relu", W_std=1.4, b_std=0.3)
    nngp, _ = empirical_kernels(finite(architecture, "standard", width=512, classes=64), seeds=24)
    limit = infinite(architecture)(INPUTS, None, "nngp")
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


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_both_sides_apply_the_same_activation(activation: str) -> None:
    from ntk_mnist.neural_tangents_compat import stax

    both = ACTIVATIONS[activation]
    _, apply, _ = both.layer(stax)
    np.testing.assert_allclose(apply((), INPUTS), both.function(INPUTS), rtol=1e-5, atol=1e-6)


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
