"""NNGP and NTK of a fully connected network of infinite width, layer by layer.

With a dense layer x ↦ W_std ω x / √fan_in + b_std β in NTK parameterization, the kernels K of its
outputs and Θ of its training follow from those before it,

    K ← W_std² Φ + b_std²,    Θ ← W_std² Θ + K,

where Φ is x · x′ / pixels for the inputs, and Θ is 0 there. An activation with the dual
(``duals``) Φ(K) = E[φ(u) φ(v)] then gives Θ ← E[φ′(u) φ′(v)] Θ (Jacot et al. 2018,
arXiv:1806.07572, Theorem 1; Lee et al. 2018, arXiv:1711.00165, eq. 5).

A kernel is held as variances, a number an input, and as correlation and gap, two numbers a pair
(``pairs.Pairs``). So nothing cancels at parallel inputs, and products of variances, which float64
may not hold, do not occur. All hidden layers are equal: they are a loop, so that compilation takes
the same time and memory for every depth.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from ntk_mnist.infinite_width.correlations import correlations
from ntk_mnist.infinite_width.pairs import Dual, Pairs, ratio

__all__ = ["KINDS", "InfiniteNetwork", "Kernels"]

#: The kernels by their name in the config.
KINDS = ("nngp", "ntk")


class Kernels(NamedTuple):
    """Kernels by kind, per output; None if not asked for."""

    nngp: jax.Array | None = None
    ntk: jax.Array | None = None


class InfiniteNetwork(NamedTuple):
    """A fully connected network of infinite width.

    It is called as neural-tangents' ``kernel_fn(x1, x2, get)``, so that
    ``neural_tangents.predict`` can use it.

    Attributes:
        dual: of the activation.
        depth: number of hidden layers.
        W_std: standard deviation of the weights, times √fan_in.
        b_std: standard deviation of the biases.
    """

    dual: Dual
    depth: int
    W_std: float
    b_std: float

    def __call__(self, x1: Any, x2: Any = None, get: str | Sequence[str] = KINDS) -> Any:
        """The kernels between inputs, of one kind or of several.

        Args:
            x1: shape (n1, pixels).
            x2: shape (n2, pixels); None for ``x1``.
            get: of :data:`KINDS`.

        Returns:
            An array of shape (n1, n2), or :class:`Kernels` of them if ``get`` is not one kind.
        """
        kinds = (get,) if isinstance(get, str) else get
        kernels = self.between(x1, x1 if x2 is None else x2, kinds)
        return kernels[get] if isinstance(get, str) else Kernels(**kernels)

    def between(self, x1: jax.Array, x2: jax.Array, kinds: Sequence[str]) -> dict[str, jax.Array]:
        """The kernels between inputs; to be called in float64.

        Args:
            x1: shape (n1, pixels).
            x2: shape (n2, pixels).
            kinds: of :data:`KINDS`.

        Returns:
            For each kind an array of shape (n1, n2); what float64 cannot hold is NaN, infinite or
            0.
        """
        squares = _mean_square(x1)[:, None], _mean_square(x2)[None, :]
        return self._kernels(Pairs(*squares, *correlations(x1, x2)), kinds)

    def of_each(self, x: jax.Array, kinds: Sequence[str]) -> dict[str, jax.Array]:
        """The kernels of each input with itself; to be called in float64.

        Args:
            x: shape (n, pixels).
            kinds: of :data:`KINDS`.

        Returns:
            For each kind an array of shape (n,).
        """
        square = _mean_square(x)
        one, zero = jnp.ones_like(square), jnp.zeros_like(square)
        return self._kernels(Pairs(square, square, one, zero), kinds)

    def layer_errors(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """What the dual, if it is a series, loses in each hidden layer; to be called in float64.

        Args:
            x: shape (n, pixels).

        Returns:
            Two arrays of shape (depth, n): the variances before the activation, and the relative
            errors of the dual, infinite from the first layer on whose variance is too large.
        """
        weights, biases = self.W_std * self.W_std, self.b_std * self.b_std

        def hidden(after: jax.Array, _: None) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
            before = weights * after + biases
            error = self.dual.error(before) if self.dual.error else jnp.zeros_like(before)
            return self.dual.variance(before), (before, error)

        return jax.lax.scan(hidden, _mean_square(x), length=self.depth)[1]

    def _kernels(self, inputs: Pairs, kinds: Sequence[str]) -> dict[str, jax.Array]:
        def hidden(_: object, state: _State) -> _State:
            pairs, ntk = self._dense(*state)
            correlation, gap, derivative = self.dual.pairs(pairs)
            variance1 = self.dual.variance(pairs.variance1)
            variance2 = self.dual.variance(pairs.variance2)
            after = Pairs(variance1, variance2, correlation, gap)
            return after, None if ntk is None else derivative * ntk

        state = inputs, jnp.zeros_like(inputs.correlation) if "ntk" in kinds else None
        pairs, ntk = self._dense(*jax.lax.fori_loop(0, self.depth, hidden, state))
        kernels = {"nngp": pairs.scale * pairs.correlation}
        if ntk is not None:
            kernels["ntk"] = ntk
        return {kind: kernels[kind] for kind in kinds}

    def _dense(self, before: Pairs, ntk: jax.Array | None) -> "_State":
        """Through a dense layer; ``before`` are second moments of its inputs."""
        # By products, as a power that is too large raises an error.
        weights, biases = self.W_std * self.W_std, self.b_std * self.b_std
        pairs = before._replace(
            variance1=weights * before.variance1 + biases,
            variance2=weights * before.variance2 + biases,
        )
        if self.b_std:
            # The weights' and the biases' parts of a standard deviation: g² + h² = 1.
            root1, root2 = jnp.sqrt(pairs.variance1), jnp.sqrt(pairs.variance2)
            g1 = ratio(self.W_std * jnp.sqrt(before.variance1), root1)
            g2 = ratio(self.W_std * jnp.sqrt(before.variance2), root2)
            h1, h2 = ratio(self.b_std, root1), ratio(self.b_std, root2)
            # 1 − c and 1 + c after the layer. No difference of large numbers occurs.
            below = ((g1 - g2) ** 2 + (h1 - h2) ** 2) / 2 + g1 * g2 * before.below_one
            above = ((g1 - g2) ** 2 + (h1 + h2) ** 2) / 2 + g1 * g2 * before.above_minus_one
            positive = below <= 1
            gap = jnp.where(positive, below, above)
            pairs = pairs._replace(correlation=jnp.where(positive, 1 - gap, gap - 1), gap=gap)
        return pairs, None if ntk is None else weights * ntk + pairs.scale * pairs.correlation


#: Kernels before a layer: of its inputs, and Θ, if that is asked for.
_State: TypeAlias = tuple[Pairs, jax.Array | None]


def _mean_square(x: jax.Array) -> jax.Array:
    return (x**2).sum(axis=1) / x.shape[1]
