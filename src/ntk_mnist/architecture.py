"""One architecture, two sides: the finite network and its infinite-width limit.

A fully connected network of ``depth`` hidden layers of one ``width``,

    x^l = φ(W^l x^{l-1} + b^l),    f = W^{L+1} x^L + b^{L+1},

is a value (:class:`Architecture`) that gives the finite network by :func:`finite` and,
for width → ∞, the kernels NNGP and NTK by :func:`infinite`. A new activation is one line
of :data:`ACTIVATIONS`, a new depth none, and both sides follow.

How the finite side is drawn and trained is its *parameterization*:

``ntk``
    W_ij = W_std ω_ij / √fan_in, b_i = b_std β_i with trained ω, β ~ N(0, 1)
    (Jacot et al. 2018, arXiv:1806.07572). The one whose limit is both kernels.
``standard``
    W_ij ~ N(0, W_std² / fan_in), b_i ~ N(0, b_std²), themselves trained. Its NNGP is the
    same; its NTK grows with the width (Sohl-Dickstein et al. 2020, arXiv:2001.07301).
``glorot``
    the notebook's: W_ij ~ N(0, 2 / (fan_in + fan_out)), b_i ~ N(0, 0.01²), themselves
    trained. W_std and b_std then set the infinite side alone; between hidden layers of
    equal width Glorot's variance is that of W_std = 1.

The infinite side is that of ``ntk`` for each of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

__all__ = [
    "ACTIVATIONS",
    "PARAMETERIZATIONS",
    "Architecture",
    "FiniteNetwork",
    "finite",
    "infinite",
]

KernelFn: TypeAlias = Callable[..., Any]


class _Activation(NamedTuple):
    """φ itself, and neural-tangents' layer of it: constructor name and its arguments."""

    function: Callable[[jax.Array], jax.Array]
    layer: str
    arguments: Mapping[str, Any]


#: The activations whose dual has a closed form, by their name in the config.
ACTIVATIONS: Mapping[str, _Activation] = {
    "relu": _Activation(jax.nn.relu, "Relu", {}),
    "erf": _Activation(jax.scipy.special.erf, "Erf", {}),
    "gelu": _Activation(lambda x: jax.nn.gelu(x, approximate=False), "Gelu", {}),
    "sin": _Activation(jnp.sin, "Sin", {}),
    "abs": _Activation(jnp.abs, "Abs", {}),
}

PARAMETERIZATIONS = ("glorot", "standard", "ntk")


@dataclass(frozen=True)
class Architecture:
    """What both sides share.

    ``depth`` counts hidden layers; ``W_std`` and ``b_std`` are the standard deviations of
    the weights, times √fan_in, and of the biases.
    """

    depth: int
    activation: str
    W_std: float
    b_std: float


class FiniteNetwork(NamedTuple):
    """``init(key, (-1, pixels)) -> (shape, params)``; ``apply(params, inputs) -> logits``.

    Inputs are float of shape (images, pixels), logits (images, classes).
    """

    init: Callable[[jax.Array, tuple[int, ...]], tuple[tuple[int, ...], Any]]
    apply: Callable[[Any, jax.Array], jax.Array]


def finite(
    architecture: Architecture, parameterization: str, width: int, classes: int
) -> FiniteNetwork:
    """The network whose hidden layers have ``width`` units, before the softmax.

    Source of the ``glorot`` network: the notebook's ``get_nn``, less its LogSoftmax layer,
    which the loss applies.
    """
    if parameterization == "glorot":
        from jax.example_libraries import stax

        layers: list[Any] = []
        for _ in range(architecture.depth):
            activation = stax.elementwise(ACTIVATIONS[architecture.activation].function)
            layers += [stax.Dense(width), activation]
        init, apply = stax.serial(*layers, stax.Dense(classes))
    else:
        init, apply, _ = _neural_tangents(architecture, parameterization, width, classes)
    return FiniteNetwork(init, apply)


def infinite(architecture: Architecture) -> KernelFn:
    """neural-tangents' ``kernel_fn(x1, x2, get)`` of the limit, per output.

    ``get`` is ``"nngp"``, ``"ntk"`` or a tuple of both; the kernels are those at
    initialization for inputs of shape (images, pixels).
    """
    # The widths do not enter the limit.
    _, _, kernel_fn = _neural_tangents(architecture, "ntk", width=1, classes=1)
    return kernel_fn


def _neural_tangents(
    architecture: Architecture, parameterization: str, width: int, classes: int
) -> tuple[Any, Any, KernelFn]:
    # Imported here: a Glorot network does without it.
    from ntk_mnist.neural_tangents_compat import stax

    def dense(units: int) -> Any:
        return stax.Dense(
            units,
            W_std=architecture.W_std,
            b_std=architecture.b_std or None,
            parameterization=parameterization,
        )

    phi = ACTIVATIONS[architecture.activation]
    layers: list[Any] = []
    for _ in range(architecture.depth):
        layers += [dense(width), getattr(stax, phi.layer)(**phi.arguments)]
    return stax.serial(*layers, dense(classes))
