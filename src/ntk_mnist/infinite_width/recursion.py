"""NNGP and NTK of a fully connected network of infinite width, layer by layer.

With a dense layer x ↦ W_std ω x / √fan_in + b_std β in NTK parameterization, the kernels K of its
outputs and Θ of its training follow from those before it,

    K ← W_std² Φ + b_std²,    Θ ← W_std² Θ + K,

where Φ is x · x′ / pixels for the inputs, and Θ is 0 there. An activation with the dual
(``duals``) Φ(K) = E[φ(u) φ(v)] then gives Θ ← E[φ′(u) φ′(v)] Θ (Jacot et al. 2018,
arXiv:1806.07572, Theorem 1; Lee et al. 2018, arXiv:1711.00165, eq. 5).

A kernel is held as variances, a number an input, and as correlation and gap, two numbers a pair
(``pairs.Pairs``). So nothing cancels at parallel inputs, and products of variances, which float64
may not hold, do not occur. What each input alone determines is computed once, for all its pairs
(:class:`Points`). All hidden layers are equal: they are a loop, so that compilation takes
the same time and memory for every depth.

Between two layers a pair is one number, its chord (``pairs.Pairs``) with the sign of its
correlation. XLA for CPUs computes each array of a loop's state by itself, with all that leads to it
since the last root; so a layer of ReLU is two sweeps over the pairs, and one without the NTK.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ntk_mnist.infinite_width.correlations import (
    Directions,
    correlations,
    directions,
    inner_products,
)
from ntk_mnist.infinite_width.pairs import Dual, Pairs, ratio

__all__ = ["KINDS", "InfiniteNetwork", "Kernels", "Points"]

#: The kernels by their name in the config.
KINDS = ("nngp", "ntk")


class Kernels(NamedTuple):
    """Kernels by kind, per output; None if not asked for."""

    nngp: jax.Array | None = None
    ntk: jax.Array | None = None


class Points(NamedTuple):
    """What each of m inputs alone contributes to the kernels of its pairs.

    Attributes:
        directions: of the inputs.
        variances: before each activation, and last those of the outputs, shape (depth + 1, m).
        weights: the weights' part of each standard deviation, over that deviation, the same shape.
        biases: the biases' part likewise; weights² + biases² = 1.
    """

    directions: Directions
    variances: jax.Array
    weights: jax.Array
    biases: jax.Array

    def rows(self, start: jax.Array, count: int) -> "Points":
        """Those of ``count`` inputs from ``start`` on."""

        def part(axis: int, tree: Any) -> Any:
            cut = partial(jax.lax.dynamic_slice_in_dim, start_index=start, slice_size=count)
            return jax.tree.map(partial(cut, axis=axis), tree)

        return Points(part(0, self.directions), *part(1, self[1:]))


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
        of1, of2 = self.points(x1), self.points(x1 if x2 is None else x2)
        kernels = self.between(of1, of2, kinds)
        return kernels[get] if isinstance(get, str) else Kernels(**kernels)

    def points(self, x: jax.Array, images: jax.Array | None = None) -> Points:
        """What inputs alone contribute; to be called in float64.

        Args:
            x: inputs, float64, shape (m, pixels).
            images: bytes of the same shape, of which each input is a multiple. Their inner
                products are exact, and computed faster.
        """
        return self._points(x, directions(x if images is None else images))

    def between(
        self, of1: Points, of2: Points, kinds: Sequence[str], inner: jax.Array | None = None
    ) -> dict[str, jax.Array]:
        """The kernels between inputs; to be called in float64.

        Args:
            of1: of n1 inputs.
            of2: of n2 inputs.
            kinds: of :data:`KINDS`.
            inner: ``inner_products`` of their directions, if they are known.

        Returns:
            For each kind an array of shape (n1, n2); what float64 cannot hold is NaN, infinite or
            0.
        """
        if inner is None:
            inner = inner_products(of1.directions, of2.directions)
        pairs = correlations(of1.directions, of2.directions, inner)
        return self._kernels(_Layers.of(of1, 2), _Layers.of(of2, 1), *pairs, kinds)

    def of_each(self, x: jax.Array, kinds: Sequence[str]) -> dict[str, jax.Array]:
        """The kernels of each input with itself; to be called in float64.

        Args:
            x: shape (n, pixels).
            kinds: of :data:`KINDS`.

        Returns:
            For each kind an array of shape (n,).
        """
        square = _mean_square(x)
        of = _Layers.of(self._points(x, None))
        return self._kernels(of, of, jnp.ones_like(square), jnp.zeros_like(square), kinds)

    def layer_errors(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """What the dual, if it is a series, loses in each hidden layer; to be called in float64.

        Args:
            x: shape (n, pixels).

        Returns:
            Two arrays of shape (depth, n): the variances before the activation, and the relative
            errors of the dual, infinite from the first layer on whose variance is too large.
        """
        before = self._points(x, None).variances[: self.depth]
        error = self.dual.error(before) if self.dual.error else jnp.zeros_like(before)
        return before, error

    def _points(self, x: jax.Array, directions: Any) -> Points:
        # By products, as a power that is too large raises an error.
        weights, biases = self.W_std * self.W_std, self.b_std * self.b_std

        def layer(second: jax.Array, _: None) -> tuple[jax.Array, tuple[jax.Array, ...]]:
            variance = weights * second + biases
            root = jnp.sqrt(variance)
            parts = ratio(self.W_std * jnp.sqrt(second), root), ratio(self.b_std, root)
            return self.dual.variance(variance), (variance, *parts)

        _, layers = jax.lax.scan(layer, _mean_square(x), length=self.depth + 1)
        return Points(directions, *layers)

    def _kernels(
        self,
        of1: "_Layers",
        of2: "_Layers",
        correlation: jax.Array,
        gap: jax.Array,
        kinds: Sequence[str],
    ) -> dict[str, jax.Array]:
        """From the layers of inputs, which broadcast, and the correlations and gaps of pairs."""

        def dense(layer: Any, correlation: jax.Array, gap: jax.Array) -> jax.Array:
            pairs = self._dense(of1.at(layer), of2.at(layer), correlation, gap)
            return jnp.where(pairs.correlation < 0, -pairs.chord, pairs.chord)

        def pairs_of(layer: Any, signed: jax.Array) -> Pairs:
            chord = abs(signed)
            gap = chord**2 / 2
            correlation = jnp.where(jnp.signbit(signed), gap - 1, 1 - gap)
            return Pairs(of1.variances[layer], of2.variances[layer], correlation, gap, chord)

        def hidden(layer: jax.Array, state: tuple[jax.Array, Any]) -> tuple[jax.Array, Any]:
            signed, ntk = state
            correlation, gap, derivative = self.dual.pairs(pairs_of(layer, signed))
            signed = dense(layer + 1, correlation, gap)
            if ntk is not None:
                pairs = pairs_of(layer + 1, signed)
                slope = self.W_std * self.W_std * derivative
                ntk = slope * ntk + pairs.scale * pairs.correlation
            return signed, ntk

        signed = dense(0, correlation, gap)
        pairs = pairs_of(0, signed)
        state = signed, pairs.scale * pairs.correlation if "ntk" in kinds else None
        signed, ntk = jax.lax.fori_loop(0, self.depth, hidden, state)
        pairs = pairs_of(self.depth, signed)
        kernels = {"nngp": pairs.scale * pairs.correlation}
        if ntk is not None:
            kernels["ntk"] = ntk
        return {kind: kernels[kind] for kind in kinds}

    def _dense(
        self, of1: "_Layers", of2: "_Layers", correlation: jax.Array, gap: jax.Array
    ) -> Pairs:
        """Through a dense layer, from the correlations and gaps of its inputs."""
        variances = of1.variances, of2.variances
        before = Pairs(*variances, correlation, gap)
        if not self.b_std:
            return before
        # 1 − c and 1 + c after the layer. No difference of large numbers occurs.
        both = of1.weights * of2.weights
        of_weights = (of1.weights - of2.weights) ** 2
        below = (of_weights + (of1.biases - of2.biases) ** 2) / 2 + both * before.below_one
        above = (of_weights + (of1.biases + of2.biases) ** 2) / 2 + both * before.above_minus_one
        positive = below <= 1
        gap = jnp.where(positive, below, above)
        return Pairs(*variances, jnp.where(positive, 1 - gap, gap - 1), gap)


class _Layers(NamedTuple):
    """``Points`` without directions, of all layers or of one, in a shape that broadcasts."""

    variances: jax.Array
    weights: jax.Array
    biases: jax.Array

    @classmethod
    def of(cls, points: Points, axis: int | None = None) -> "_Layers":
        """Of all layers, with an axis of length 1 for the other inputs."""
        arrays = points.variances, points.weights, points.biases
        return cls(*(a if axis is None else jnp.expand_dims(a, axis) for a in arrays))

    def at(self, layer: Any) -> "_Layers":
        """Of one layer."""
        return _Layers(*(array[layer] for array in self))


def _mean_square(x: jax.Array) -> jax.Array:
    return (x**2).sum(axis=1) / x.shape[1]
