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

The infinite side is that of ``ntk`` for each of them.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from ntk_mnist import settings

__all__ = [
    "ACTIVATIONS",
    "PARAMETERIZATIONS",
    "Activation",
    "FiniteNetwork",
    "KernelFn",
    "finite",
    "infinite",
]

#: neural-tangents' ``kernel_fn(x1, x2, get)``.
KernelFn: TypeAlias = Callable[..., Any]


class Activation(NamedTuple):
    """An elementwise nonlinearity φ on both sides.

    Attributes:
        function: φ itself, elementwise.
        layer: from the module ``neural_tangents.stax``, its layer of φ. The module is an argument
            so that the registry can be read without importing neural-tangents.
    """

    function: Callable[[jax.Array], jax.Array]
    layer: Callable[[Any], Any]


#: The activations by their name in the config; the dual of each has a closed form.
ACTIVATIONS: Mapping[str, Activation] = {
    "relu": Activation(jax.nn.relu, lambda stax: stax.Relu()),
    "erf": Activation(jax.scipy.special.erf, lambda stax: stax.Erf()),
    "gelu": Activation(lambda x: jax.nn.gelu(x, approximate=False), lambda stax: stax.Gelu()),
    "sin": Activation(jnp.sin, lambda stax: stax.Sin()),
    "abs": Activation(jnp.abs, lambda stax: stax.Abs()),
}

PARAMETERIZATIONS = ("glorot", "standard", "ntk")


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

    Source of the ``glorot`` network: the notebook's ``get_nn``, without its LogSoftmax layer,
    because the loss applies that.

    Args:
        architecture: activation, depth, W_std and b_std.
        parameterization: of :data:`PARAMETERIZATIONS`.
        width: units of each hidden layer.
        classes: number of outputs.
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


def infinite(architecture: settings.Architecture) -> KernelFn:
    """The kernels of the infinite-width limit, per output.

    Returns:
        neural-tangents' ``kernel_fn(x1, x2, get)``. ``get`` is ``"nngp"``, ``"ntk"`` or a tuple
        of both. The kernels are those at initialization, for inputs of shape (images, pixels).
    """
    # The widths do not enter the limit.
    _, _, kernel_fn = _neural_tangents(architecture, "ntk", width=1, classes=1)
    return kernel_fn


def _neural_tangents(
    architecture: settings.Architecture, parameterization: str, width: int, classes: int
) -> tuple[Any, Any, KernelFn]:
    # Imported here because a Glorot network does not need it.
    from ntk_mnist.neural_tangents_compat import stax

    def dense(units: int) -> Any:
        return stax.Dense(
            units,
            W_std=architecture.W_std,
            b_std=architecture.b_std or None,
            parameterization=parameterization,
        )

    activation = ACTIVATIONS[architecture.activation]
    layers: list[Any] = []
    for _ in range(architecture.depth):
        layers += [dense(width), activation.layer(stax)]
    return stax.serial(*layers, dense(classes))
