"""Correlations and gaps against mpmath."""

from typing import Any

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from numpy.typing import NDArray

from ntk_mnist.infinite_width import correlations as module


def correlations(x: Any, y: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of inputs in float64, or of bytes."""
    of1, of2 = (module.directions(jnp.asarray(array)) for array in (x, y))
    c, gap = module.correlations(of1, of2, module.inner_products(of1, of2))
    return np.asarray(c), np.asarray(gap)


@pytest.mark.slow
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-9, 1e-6, 1e-4, 1e-2, 1.0])
def test_the_gap_of_nearly_parallel_inputs_is_known(size: float, sign: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(5, 784))
    y = sign * rng.uniform(0.1, 10, size=(5, 1)) * (x + size * rng.normal(size=x.shape))
    with jax.enable_x64(True):
        c, gap = correlations(x, y)
    for i, j in np.ndindex(5, 5):
        with mp.workdps(60):
            inner, first, second = (
                mp.fsum(mp.mpf(float(u)) * mp.mpf(float(v)) for u, v in zip(a, b, strict=True))
                for a, b in ((x[i], y[j]), (x[i], x[i]), (y[j], y[j]))
            )
            exact = 1 - abs(inner) / mp.sqrt(first * second)
            # By its angle, which the kernels depend on.
            assert abs(mp.sqrt(mp.mpf(float(gap[i, j]))) - mp.sqrt(exact)) < 1e-13
        assert c[i, j] == sign * (1 - gap[i, j])


def test_equal_and_proportional_inputs_have_a_gap_of_zero_and_empty_ones_of_one() -> None:
    pixels = np.random.default_rng(0).integers(0, 85, size=(3, 784)).astype(float)
    x = np.concatenate([pixels, 3 * pixels, -pixels, 1e-200 * pixels, 1e200 * pixels]) / 255
    x = np.concatenate([x, np.zeros((1, 784))])
    with jax.enable_x64(True):
        c, gap = correlations(x, x)
    same = np.arange(15)[:, None] % 3 == np.arange(15) % 3
    assert (gap[:15, :15][same] == 0).all()
    assert (gap[:15, :15][~same] > 0.01).all()
    assert (c[15] == 0).all()
    assert (gap[15] == 1).all()


@pytest.mark.parametrize("pixels", [7, 3072, 10_000])
def test_proportional_inputs_have_a_gap_of_zero_however_many_pixels_they_have(pixels: int) -> None:
    x = np.random.default_rng(1).uniform(size=(6, pixels))
    with jax.enable_x64(True):
        _, gap = correlations(x, x / 3)
    assert (np.diag(gap) == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("columns", [1, 15, 16, 33, 48])
def test_blocks_of_columns_give_what_one_block_gives(columns: int) -> None:
    x = np.random.default_rng(0).uniform(size=(48, 30))
    with jax.enable_x64(True):
        whole = correlations(x, x)
        part = correlations(x, x[:columns])
    for a, b in zip(whole, part, strict=True):
        np.testing.assert_allclose(np.asarray(a)[:, :columns], b, atol=1e-15)


@pytest.mark.parametrize("pixels", [64, 784, 1459])
def test_every_gap_of_bytes_is_known_to_rounding(pixels: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, size=(12, pixels)).astype(np.uint8)
    # Equal; proportional; one pixel apart; all bright; as bright but for one; empty.
    x[1], x[2] = x[0], x[0] // 5 * 5
    x[3], x[4] = x[2] // 5, x[0]
    x[4, 0] ^= 1
    x[5], x[6], x[7] = 255, 255, 0
    x[6, 0] = 254
    with jax.enable_x64(True):
        c, gap = correlations(x, x)
    for i, j in np.ndindex(12, 12):
        inner, first, second = (
            int(a.astype(int) @ b.astype(int))
            for a, b in ((x[i], x[j]), (x[i], x[i]), (x[j], x[j]))
        )
        with mp.workdps(60):
            scale = mp.sqrt(mp.mpf(first) * second)
            exact = 1 - inner / scale if scale else mp.mpf(1)
            assert abs(mp.mpf(float(gap[i, j])) - exact) <= 1e-15 * exact
        assert c[i, j] == 1 - gap[i, j]


@pytest.mark.parametrize("pixels", [784, 1024, 1025, 3072])
def test_inner_products_of_bytes_are_exact_integers(pixels: int) -> None:
    rng = np.random.default_rng(1)
    x = rng.choice(np.array([0, 1, 128, 254, 255], np.uint8), size=(40, pixels))
    x[0], x[1] = 0, 255
    with jax.enable_x64(True):
        of = module.directions(jnp.asarray(x))
        found = np.asarray(module.inner_products(of, of)).astype(np.int64)
    centred = x.astype(np.int64) - 128
    np.testing.assert_array_equal(found, centred @ centred.T)
