"""The polynomials of an angle against mpmath."""

import mpmath as mp
import numpy as np
import pytest

from ntk_mnist.infinite_width.angles import angle_over_chord, bend_over_chord

GAPS = [*np.logspace(-300, 0, 61), *np.linspace(0.005, 1, 200)]


@pytest.mark.parametrize("gap", [0.0, *GAPS])
def test_angle_and_bend_are_known_to_rounding(gap: float) -> None:
    # All digits of a small bend are differences.
    with mp.workdps(1000):
        g = mp.mpf(float(gap)) or mp.mpf(10) ** -390
        angle, chord = 2 * mp.asin(mp.sqrt(g / 2)), mp.sqrt(2 * g)
        bend = mp.sin(angle) - angle * mp.cos(angle)
        assert abs(angle_over_chord(gap) * chord / angle - 1) < 4e-16
        assert abs(bend_over_chord(gap) * chord * g / bend - 1) < 4e-16
