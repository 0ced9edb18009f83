"""Every entry of a kernel against closed forms in 120 digits and against neural-tangents."""

from typing import Any

import jax
import numpy as np
import pytest
from infinite_width import closed_forms
from numpy.typing import NDArray

from ntk_mnist.architecture import infinite
from ntk_mnist.infinite_width.recursion import KINDS
from ntk_mnist.kernels.precision import entry_rounding
from ntk_mnist.settings import Architecture


def inputs() -> NDArray[np.float64]:
    """Equal, proportional, opposite, nearly parallel, ordinary and empty inputs."""
    rng = np.random.default_rng(0)
    pixels = np.where(rng.uniform(size=20) < 0.5, 0, rng.integers(1, 256, 20)) / 255
    noise, other = rng.normal(size=(2, 20))
    return np.array(
        [
            *(pixels, pixels, pixels / 3, -pixels, -pixels / 7),
            *(pixels + 1e-6 * noise, pixels + 1e-2 * noise, other, np.zeros(20)),
        ]
    )


def ours(architecture: Architecture, x: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    with jax.enable_x64(True):
        network = infinite(architecture)
        points = network.points(x)  # type: ignore[arg-type]
        kernels = network.between(points, points, KINDS)
        own = network.of_each(x, KINDS)  # type: ignore[arg-type]
    for kind in KINDS:
        np.testing.assert_allclose(np.diagonal(kernels[kind]), own[kind], rtol=1e-13)
    return {kind: np.asarray(kernels[kind]) for kind in KINDS}


@pytest.mark.slow
@pytest.mark.parametrize("activation", closed_forms.ACTIVATIONS)
@pytest.mark.parametrize(
    ("depth", "w", "b"),
    [
        *((1, 1.0, 0.0), (1, 3.0, 0.0), (2, 1.4, 0.1), (3, 0.3, 2.0)),
        # Small variances, which sin loses in a difference of exponentials.
        *((7, 0.1, 0.0), (14, 0.3, 0.0)),
        # Large ones, whose products float64 cannot hold, and the smallest and largest of ReLU.
        *((9, 10.0, 0.0), (4, 1e-20, 0.0), (2, 100.0, 1.0)),
    ],
)
def test_every_entry_is_known_to_rounding(activation: str, depth: int, w: float, b: float) -> None:
    x = inputs()
    architecture = Architecture(activation=activation, depth=depth, W_std=w, b_std=b)
    found = ours(architecture, x)
    exact = closed_forms.gram(activation, depth, w, b, x)
    # Weights of 10 or more turn an error of an angle of 10⁻¹⁴ into more.
    allowed = entry_rounding(depth) * (10 if w < 10 else 1000 * w)
    for kind in KINDS:
        assert closed_forms.worst_entry(found[kind], exact[kind]) < allowed, kind


@pytest.mark.slow
@pytest.mark.parametrize("activation", closed_forms.ACTIVATIONS)
def test_equal_and_proportional_inputs_have_no_error_of_their_own(activation: str) -> None:
    x = inputs()[:5]
    architecture = Architecture(activation=activation, depth=3, W_std=1.5)
    found = ours(architecture, x)
    exact = closed_forms.gram(activation, 3, 1.5, 0.0, x)
    for kind in KINDS:
        np.testing.assert_array_equal(found[kind][0], found[kind][1])
        assert closed_forms.worst_entry(found[kind], exact[kind]) < entry_rounding(3)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "abs"])
@pytest.mark.parametrize("w", [1e-30, 1e-20, 1e20, 1e30])
def test_the_kernel_of_a_homogeneous_network_is_a_power_of_its_weights(
    activation: str, w: float
) -> None:
    x = inputs()[:8]
    one = ours(Architecture(activation=activation, depth=4), x)
    other = ours(Architecture(activation=activation, depth=4, W_std=w), x)
    for kind in KINDS:
        scale = one[kind][0, 0] / other[kind][0, 0]
        np.testing.assert_allclose(other[kind] * scale, one[kind], rtol=1e-12, atol=1e-16)


@pytest.mark.slow
@pytest.mark.parametrize("activation", closed_forms.ACTIVATIONS)
def test_kernels_agree_with_neural_tangents(activation: str) -> None:
    from ntk_mnist.neural_tangents_compat import stax

    rng = np.random.default_rng(1)
    x, z = rng.normal(size=(20, 12)), rng.normal(size=(7, 12))
    layer = getattr(stax, activation.capitalize())
    layers: list[Any] = []
    for _ in range(3):
        layers += [stax.Dense(1, W_std=1.3, b_std=0.2), layer()]
    architecture = Architecture(activation=activation, depth=3, W_std=1.3, b_std=0.2)
    with jax.enable_x64(True):
        _, _, kernel_fn = stax.serial(*layers, stax.Dense(1, W_std=1.3, b_std=0.2))
        theirs, mine = kernel_fn(z, x, KINDS), infinite(architecture)(z, x, KINDS)
        for kind in KINDS:
            np.testing.assert_allclose(
                getattr(mine, kind), getattr(theirs, kind), rtol=1e-12, atol=1e-14
            )


def test_a_deep_network_compiles_to_a_program_of_the_same_size() -> None:
    x = jax.ShapeDtypeStruct((64, 20), np.float64)

    def size(depth: int) -> int:
        with jax.enable_x64(True):
            network = infinite(Architecture(depth=depth, W_std=1.4))
            program = jax.jit(lambda p, q: network(p, q))  # noqa: PLW0108  (a callable tuple)
            return len(program.lower(x, x).compile().as_text() or "")

    assert size(1000) < 1.05 * size(2)


@pytest.mark.slow
@pytest.mark.parametrize("pixels", [300, 1400, 3072])
def test_kernels_of_bytes_are_those_of_the_inputs_that_are_made_of_them(pixels: int) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(6, pixels)).astype(np.uint8)
    # Equal, proportional and nearly parallel ones, an empty one, and one that is all bright.
    images[1], images[2], images[4], images[5] = images[0], images[0] // 3, 0, 255
    images[3] = np.maximum(images[0], 1) - 1
    architecture = Architecture(activation="relu", depth=3, W_std=1.3, b_std=0.2)
    with jax.enable_x64(True):
        network = infinite(architecture)
        x = images / 255
        points = network.points(x, jax.numpy.array(images))  # type: ignore[arg-type]
        kernels = network.between(points, points, KINDS)
        expected = network(x, x)
    for kind in KINDS:
        reference = np.asarray(getattr(expected, kind))
        np.testing.assert_allclose(kernels[kind], reference, rtol=1e-13, atol=1e-15)


def test_what_float64_cannot_hold_is_not_a_number_that_looks_right() -> None:
    x = inputs()[:3]
    with jax.enable_x64(True):
        large = infinite(Architecture(depth=3, W_std=1e200))(x, x, "ntk")
        small = infinite(Architecture(depth=3, W_std=1e-200))(x, x, "ntk")
    assert not np.isfinite(large).any()
    assert (np.asarray(small) == 0).all()
