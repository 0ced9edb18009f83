"""neural-tangents on the pinned JAX, against independent closed forms."""

import subprocess
import sys

import jax
import numpy as np
import pytest
from numpy.typing import NDArray

from ntk_mnist.architecture import infinite
from ntk_mnist.settings import Architecture

Matrix = NDArray[np.float64]


def arc_cosine_kernels(x: Matrix, depth: int, w: float, b: float) -> tuple[Matrix, Matrix]:
    """NNGP and NTK of a ReLU network, after Cho & Saul 2009 and Jacot et al. 2018."""
    nngp = w**2 * x @ x.T / x.shape[1] + b**2
    ntk = nngp
    for _ in range(depth):
        norms = np.sqrt(np.outer(np.diag(nngp), np.diag(nngp)))
        angle = np.arccos(np.clip(nngp / norms, -1, 1))
        expectation = norms / (2 * np.pi) * (np.sin(angle) + (np.pi - angle) * np.cos(angle))
        derivative = (np.pi - angle) / (2 * np.pi)
        nngp = w**2 * expectation + b**2
        ntk = nngp + w**2 * derivative * ntk
    return nngp, ntk


def test_relu_kernels_equal_the_arc_cosine_closed_form_in_float64() -> None:
    x = np.random.default_rng(0).normal(size=(30, 12))
    architecture = Architecture(depth=3, activation="relu", W_std=1.3, b_std=0.2)
    with jax.enable_x64(True):
        kernels = infinite(architecture)(x, None, ("nngp", "ntk"))
    nngp, ntk = arc_cosine_kernels(x, 3, 1.3, 0.2)
    np.testing.assert_allclose(kernels.nngp, nngp, rtol=1e-12)
    # On the diagonal, an angle of zero is known to √ε only.
    np.testing.assert_allclose(kernels.ntk, ntk, rtol=1e-7)
    off = ~np.eye(len(x), dtype=bool)
    np.testing.assert_allclose(np.asarray(kernels.ntk)[off], ntk[off], rtol=1e-12)


@pytest.mark.slow
def test_importing_it_does_not_import_tensorflow() -> None:
    program = (
        "import sys; import ntk_mnist.neural_tangents_compat as nt; nt.predict; nt.stax;"
        "sys.exit(any(m.split('.')[0] in ('tensorflow', 'tf2jax') for m in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": "src"})
