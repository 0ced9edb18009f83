"""The losses, each of one image: from outputs of shape (images, k) and labels, shape (images,)."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

__all__ = ["LOSSES"]


def _cross_entropy(outputs: jax.Array, labels: jax.Array) -> jax.Array:
    """−log softmax(f)_y; the notebook's."""
    log_probabilities = jax.nn.log_softmax(outputs)
    return -jnp.take_along_axis(log_probabilities, labels[:, None].astype(jnp.int32), axis=1)[:, 0]


def _squared_error(outputs: jax.Array, labels: jax.Array) -> jax.Array:
    """|f − y|² / 2k, for a one-hot y of k outputs; that of ``kernels.diagonalization``."""
    targets = jax.nn.one_hot(labels, outputs.shape[1], dtype=outputs.dtype)
    return jnp.mean((outputs - targets) ** 2, axis=1) / 2


#: The losses by their name in the config.
LOSSES: Mapping[str, Callable[[jax.Array, jax.Array], jax.Array]] = {
    "cross_entropy": _cross_entropy,
    "squared_error": _squared_error,
}
