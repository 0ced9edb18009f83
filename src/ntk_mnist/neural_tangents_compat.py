"""Makes neural-tangents importable on current JAX; no other module knows that it is older.

neural-tangents 0.6.5, its last release, fails to import on current JAX because names have moved,
and its ``experimental`` subpackage imports TensorFlow (2 GB). This module restores the moved names
at their old addresses, puts an empty module in the place of ``experimental``, and exports the two
parts that this package uses::

    from ntk_mnist.neural_tangents_compat import predict, stax

It changes nothing in neural-tangents itself. ``tests/test_neural_tangents_compat.py`` compares its
kernels with closed forms in float64, on the pinned JAX.
"""

import sys
from types import ModuleType

import jax
import jax.core
import jax.extend.core
import jax.interpreters.ad
from jax._src import ad_util
from jax._src import util as jax_util


def _supply(module: ModuleType, **names: object) -> None:
    """Add those of ``names`` that ``module`` no longer has."""
    for name, value in names.items():
        if not hasattr(module, name):
            setattr(module, name, value)


_supply(
    jax.core,
    Jaxpr=jax.extend.core.Jaxpr,
    JaxprEqn=jax.extend.core.JaxprEqn,
    Literal=jax.extend.core.Literal,
    Primitive=jax.extend.core.Primitive,
    Var=jax.extend.core.Var,
)
_supply(jax.interpreters.ad, zeros_like_p=ad_util.zeros_like_p)
_moved_util = ModuleType("jax.util")
_supply(_moved_util, safe_map=jax_util.safe_map, safe_zip=jax_util.safe_zip)
sys.modules.setdefault("jax.util", _moved_util)
sys.modules.setdefault("neural_tangents.experimental", ModuleType("neural_tangents.experimental"))

from neural_tangents import predict, stax  # noqa: E402  (importable only after the above)

__all__ = ["predict", "stax"]
