"""One architecture, two sides: the finite network and its infinite-width limit.

A fully connected network has ``depth`` hidden layers of one ``width``,

    x^l = φ(W^l x^{l-1} + b^l),    f = W^{L+1} x^L + b^{L+1}.

From one :class:`ntk_mnist.settings.Architecture`, :func:`finite` makes the finite network, and
:func:`infinite` makes the kernels NNGP and NTK of its limit, width → ∞. Both sides use the same
line of :data:`ACTIVATIONS`, so a new activation is one new line.

How the parameters of the finite side are drawn and trained is its *parameterization*:

``ntk``
    W_ij = W_std ω_ij / √fan_in, b_i = b_std β_i with trained ω, β ~ N(0, 1)
    (Jacot et al. 2018, arXiv:1806.07572). Its limit has both kernels.
``standard``
    W_ij ~ N(0, W_std² / fan_in), b_i ~ N(0, b_std²), and these are trained. Its NNGP is the
    same; its NTK grows with the width (Sohl-Dickstein et al. 2020, arXiv:2001.07301).
``glorot``
    The notebook's: W_ij ~ N(0, 2 / (fan_in + fan_out)), b_i ~ N(0, 0.01²), and these are
    trained. W_std and b_std then set the infinite side alone. Between hidden layers of
    equal width, Glorot's variance is that of W_std = 1.
``glorot_uniform``
    That of Keras's ``Dense``: W_ij uniform within ± √(6 / (fan_in + fan_out)), which has the
    same variance (Glorot & Bengio 2010, eq. 16), and b_i = 0, and these are trained. W_std and
    b_std set the infinite side alone, as for ``glorot``.

The infinite side is that of ``ntk`` for each of them.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ntk_mnist import settings
from ntk_mnist.infinite_width.duals import DUALS
from ntk_mnist.infinite_width.recursion import InfiniteNetwork

__all__ = [
    "ACTIVATIONS",
    "PARAMETERIZATIONS",
    "FiniteNetwork",
    "finite",
    "infinite",
]


#: The activations φ by their name in the config. ``infinite_width.duals.DUALS`` has what each does
#: to a kernel.
ACTIVATIONS: Mapping[str, Callable[[jax.Array], jax.Array]] = {
    "relu": jax.nn.relu,
    "erf": jax.scipy.special.erf,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "sin": jnp.sin,
    "abs": jnp.abs,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "silu": jax.nn.silu,
}

PARAMETERIZATIONS = ("glorot", "glorot_uniform", "standard", "ntk")


class FiniteNetwork(NamedTuple):
    """A network as a pair of functions.

    Attributes:
        init: ``init(key, (-1, pixels)) -> (shape, params)`` draws the initial parameters.
        apply: ``apply(params, inputs) -> logits``, from float inputs of shape (images, pixels) to
            logits of shape (images, classes).
    """

    init: Callable[[jax.Array, tuple[int, ...]], tuple[tuple[int, ...], Any]]
    apply: Callable[[Any, jax.Array], jax.Array]


def finite(
    architecture: settings.Architecture, parameterization: str, width: int, classes: int
) -> FiniteNetwork:
    """The finite network, without a softmax.

    Hidden layers of equal shape are a loop, so that a deep network compiles as fast as a shallow
    one; their parameters are stacked.

    Source of the ``glorot`` network: the notebook's ``get_nn``, without its LogSoftmax layer,
    because the loss applies that. The keys are split as ``stax.serial`` splits them.

    Args:
        architecture: activation, depth, W_std and b_std.
        parameterization: of :data:`PARAMETERIZATIONS`.
        width: units of each hidden layer.
        classes: number of outputs.
    """
    dense = _dense_layer(architecture, parameterization)
    (init_hidden, apply_hidden), (init_outputs, apply_outputs) = dense(width), dense(classes)
    function = ACTIVATIONS[architecture.activation]
    # The first hidden layer has another shape. A loop of one layer would not be one.
    equal = architecture.depth - 1
    looped = equal > 1

    def init(key: jax.Array, shape: tuple[int, ...]) -> tuple[tuple[int, ...], Any]:
        def hidden(key: jax.Array, pixels: int) -> tuple[jax.Array, Any]:
            key, own = jax.random.split(key)
            # The activation's key, which it does not use.
            key, _ = jax.random.split(key)
            return key, init_hidden(own, (-1, pixels))[1]

        key, first = hidden(key, shape[-1])
        params = [first]
        if looped:
            key, stacked = jax.lax.scan(lambda key, _: hidden(key, width), key, length=equal)
            params.append(stacked)
        elif equal:
            key, second = hidden(key, width)
            params.append(second)
        outputs, last = init_outputs(jax.random.split(key)[1], (-1, width))
        return outputs, [*params, last]

    def apply(params: Any, inputs: jax.Array) -> jax.Array:
        def hidden(inputs: jax.Array, params: Any) -> tuple[jax.Array, None]:
            return function(apply_hidden(params, inputs)), None

        first, *others, last = params
        outputs, _ = hidden(inputs, first)
        for layer in others:
            step = jax.lax.scan if looped else lambda f, x, layer: f(x, layer)
            outputs, _ = step(hidden, outputs, layer)
        return apply_outputs(last, outputs)

    return FiniteNetwork(init, apply)


def _dense_layer(
    architecture: settings.Architecture, parameterization: str
) -> Callable[[int], tuple[Any, Any]]:
    """From a number of units, ``init`` and ``apply`` of a dense layer."""
    if parameterization == "glorot":
        from jax.example_libraries import stax

        return stax.Dense
    if parameterization == "glorot_uniform":
        from jax.example_libraries import stax

        weights, biases = jax.nn.initializers.glorot_uniform(), jax.nn.initializers.zeros
        return partial(stax.Dense, W_init=weights, b_init=biases)

    # Imported here because a Glorot network does not need it.
    from ntk_mnist.neural_tangents_compat import stax as neural_tangents

    def dense(units: int) -> tuple[Any, Any]:
        init, apply, _ = neural_tangents.Dense(
            units,
            W_std=architecture.W_std,
            b_std=architecture.b_std or None,
            parameterization=parameterization,
        )
        return init, apply

    return dense


def infinite(architecture: settings.Architecture) -> InfiniteNetwork:
    """The infinite-width limit, whose kernels are those at initialization."""
    dual = DUALS[architecture.activation]
    return InfiniteNetwork(dual, architecture.depth, architecture.W_std, architecture.b_std)
