"""The angle against NumPy's, which is the C library's."""

import jax
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ntk_mnist.infinite_width.arctan2 import arctan2

# Where the sum of the two overflows, no angle of a kernel is.
numbers = st.floats(-1e300, 1e300, allow_subnormal=False)


# The first call compiles.
@settings(deadline=None)
@given(numbers.map(abs), numbers)
def test_every_angle_agrees_with_the_c_library_to_the_last_digits(y: float, x: float) -> None:
    with jax.enable_x64(True):
        ours = np.asarray(arctan2(jax.numpy.float64(y), jax.numpy.float64(x)))
    # Zero has no sign here. A quotient below the normal numbers is 0.
    theirs = np.arctan2(y, x + 0.0) if (y, x) != (0, 0) else 0.0
    np.testing.assert_allclose(ours, theirs, rtol=5e-16, atol=np.finfo(np.float64).tiny)


def test_an_angle_of_nan_is_nan() -> None:
    with jax.enable_x64(True):
        angles = arctan2(jax.numpy.array([np.nan, 1.0]), jax.numpy.array([1.0, np.nan]))
    assert np.isnan(angles).all()
