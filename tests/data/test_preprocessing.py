"""Preprocessings against independent NumPy, in both precisions and inside a compiled program."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray

from ntk_mnist.data.preprocessing import PREPROCESSINGS, Preprocessing

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 49), np.uint8)


def unit_norm(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([row * np.sqrt(len(row)) / np.linalg.norm(row) for row in pixels])


#: From pixels from 0 to 1.
EXPECTED: dict[str, Callable[[Any], Any]] = {
    "scale": lambda pixels: pixels,
    "unit_norm": unit_norm,
    "standardized": lambda pixels: np.array([(row - np.mean(row)) / np.std(row) for row in pixels]),
}


def test_every_preprocessing_is_compared() -> None:
    assert list(EXPECTED) == list(PREPROCESSINGS)


@pytest.mark.parametrize("name", PREPROCESSINGS)
@pytest.mark.parametrize("mean", [0.0, 33.25])
def test_inputs_are_those_of_independent_numpy(name: str, mean: float) -> None:
    expected = EXPECTED[name](IMAGES / 255 - mean / 255)
    step = Preprocessing(name, 255, mean)
    np.testing.assert_allclose(step(IMAGES, np.float64), expected, rtol=1e-13, atol=1e-15)
    single = step(IMAGES, np.float32)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=1e-5, atol=1e-6)
    compiled = jax.jit(lambda images: step(images, jnp.float32))(jnp.asarray(IMAGES))
    assert compiled.dtype == jnp.float32
    np.testing.assert_allclose(compiled, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["unit_norm", "standardized"])
def test_the_norm_of_an_input_is_the_number_of_pixels_whatever_the_image(name: str) -> None:
    inputs = Preprocessing(name, 255)(IMAGES, np.float64)
    np.testing.assert_allclose((inputs**2).sum(axis=1), 49, rtol=1e-13)


@pytest.mark.parametrize("name", PREPROCESSINGS)
def test_a_blank_image_becomes_zero_and_not_nan(name: str) -> None:
    assert not Preprocessing(name, 255)(np.zeros((2, 9), np.uint8), np.float32).any()


@pytest.mark.parametrize("mean", [0.0, 33.318421])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pixels", [3, 64, 784, 3072])
def test_a_uniform_image_has_no_direction_once_standardized(
    pixels: int, dtype: Any, mean: float
) -> None:
    step = Preprocessing("standardized", 255, mean)
    images = np.repeat(np.arange(256, dtype=np.uint8)[:, None], pixels, axis=1)
    assert not step(images, dtype).any()
    with jax.enable_x64(True):
        assert not jax.jit(lambda images: step(images, dtype))(images).any()
