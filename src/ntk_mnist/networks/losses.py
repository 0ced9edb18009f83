"""The losses, each of one image.

They take outputs and targets of shape (images, k), and labels of shape (images,).
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

__all__ = ["LOSSES"]


def _cross_entropy(outputs: jax.Array, labels: jax.Array, targets: jax.Array) -> jax.Array:
    """−log softmax(f)_y for the label y; the notebook's."""
    log_probabilities = jax.nn.log_softmax(outputs)
    return -jnp.take_along_axis(log_probabilities, labels[:, None].astype(jnp.int32), axis=1)[:, 0]


def _squared_error(outputs: jax.Array, labels: jax.Array, targets: jax.Array) -> jax.Array:
    """|f − y|² / 2k, for the targets y of k outputs; that of ``kernels.diagonalization``."""
    return jnp.mean((outputs - targets) ** 2, axis=1) / 2


#: The losses by their name in the config.
LOSSES: Mapping[str, Callable[[jax.Array, jax.Array, jax.Array], jax.Array]] = {
    "cross_entropy": _cross_entropy,
    "squared_error": _squared_error,
}
