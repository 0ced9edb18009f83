"""The angle against NumPy's, which is the C library's."""

import jax
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ntk_mnist.kernels.arctan2 import arctan2, use_on_cpus

numbers = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False, width=64)


# The first call compiles.
@settings(deadline=None)
@given(numbers, numbers)
def test_every_angle_agrees_with_the_c_library_to_the_last_digits(y: float, x: float) -> None:
    with jax.enable_x64(True):
        ours = np.asarray(arctan2(jax.numpy.float64(y), jax.numpy.float64(x)))
    theirs = np.arctan2(y, x)
    # A quotient below the normal numbers is 0 here.
    np.testing.assert_allclose(ours, theirs, rtol=5e-16, atol=np.finfo(np.float64).tiny)
    assert np.signbit(ours) == np.signbit(theirs)


def test_jax_compiles_its_own_arctan2_in_this_form() -> None:
    use_on_cpus()
    text = jax.jit(jax.numpy.arctan2).lower(np.ones(3), np.ones(3)).as_text()
    assert "stablehlo.atan2" not in text
    y, x = np.random.default_rng(0).normal(size=(2, 10000))
    with jax.enable_x64(True):
        np.testing.assert_allclose(jax.jit(jax.numpy.arctan2)(y, x), np.arctan2(y, x), rtol=5e-16)
