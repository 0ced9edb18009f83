"""The empirical NTK of a finite network in NTK parameterization.

With the layers z^l = s_l h^{l-1} W^l + b_std b^l, s_l = W_std / √fan_in, h^l = φ(z^l), f = z^{L+1},
the NTK of two inputs, in the mean over the k outputs j, is

    Θ̂(x, x′) = Σ_l (s_l² h^{l-1}(x) · h^{l-1}(x′) + b_std²) (1/k) Σ_j δ_j^l(x) · δ_j^l(x′),

where δ_j^l = ∂f_j / ∂z^l (Jacot et al. 2018, arXiv:1806.07572, section 4). No derivative by a
parameter is formed: they would be as many as the parameters, for each input and output.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from ntk_mnist.architecture import ACTIVATIONS
from ntk_mnist.settings import Architecture

__all__ = ["empirical_ntk"]


def empirical_ntk(architecture: Architecture, params: Any, inputs: jax.Array) -> jax.Array:
    """The empirical NTK of each pair of inputs, in the mean over the outputs.

    Args:
        architecture: of the network.
        params: of ``architecture.finite`` in ``ntk`` parameterization.
        inputs: shape (m, pixels).

    Returns:
        Shape (m, m).
    """
    function, bias = ACTIVATIONS[architecture.activation], architecture.b_std
    layers = list(_layers(params))
    weights = [architecture.W_std / W.shape[0] ** 0.5 * W for W, _ in layers]
    hidden, slopes = [inputs], []
    for W, (_, b) in zip(weights[:-1], layers, strict=False):
        z = hidden[-1] @ W if b is None else hidden[-1] @ W + bias * b
        h, slope = jax.jvp(function, (z,), (jnp.ones_like(z),))
        hidden.append(h)
        slopes.append(slope)
    outputs = weights[-1].shape[1]
    # δ of the layer in hand, shape (k, m, units); that of the outputs is the same for each input.
    delta = jnp.broadcast_to(jnp.eye(outputs)[:, None], (outputs, len(inputs), outputs))
    kernel = jnp.zeros((len(inputs), len(inputs)))
    for i in reversed(range(len(weights))):
        scale = architecture.W_std**2 / weights[i].shape[0]
        inner = jnp.einsum("jxu,jyu->xy", delta, delta) / outputs
        kernel += (scale * hidden[i] @ hidden[i].T + bias**2) * inner
        if i:
            delta = (delta @ weights[i].T) * slopes[i - 1]
    return kernel


def _layers(params: Any) -> Iterator[tuple[jax.Array, jax.Array | None]]:
    """Weights and biases of each layer; equal layers may be stacked."""
    for W, b in params:
        if W.ndim == 2:
            yield W, b
        else:
            for i in range(len(W)):
                yield W[i], None if b is None else b[i]
