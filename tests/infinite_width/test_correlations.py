"""Correlations and gaps against mpmath."""

import jax
import mpmath as mp
import numpy as np
import pytest

from ntk_mnist.infinite_width.correlations import correlations


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-9, 1e-6, 1e-4, 1e-2, 1.0])
def test_the_gap_of_nearly_parallel_inputs_is_known(size: float, sign: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(5, 784))
    y = sign * rng.uniform(0.1, 10, size=(5, 1)) * (x + size * rng.normal(size=x.shape))
    with jax.enable_x64(True):
        c, gap = map(np.asarray, correlations(x, y))  # type: ignore[arg-type]
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
        c, gap = map(np.asarray, correlations(x, x))  # type: ignore[arg-type]
    same = np.arange(15)[:, None] % 3 == np.arange(15) % 3
    assert (gap[:15, :15][same] == 0).all()
    assert (gap[:15, :15][~same] > 0.01).all()
    assert (c[15] == 0).all()
    assert (gap[15] == 1).all()


@pytest.mark.parametrize("pixels", [7, 3072, 10_000])
def test_proportional_inputs_have_a_gap_of_zero_however_many_pixels_they_have(pixels: int) -> None:
    x = np.random.default_rng(1).uniform(size=(6, pixels))
    with jax.enable_x64(True):
        gap = np.asarray(correlations(x, x / 3)[1])  # type: ignore[arg-type]
    assert (np.diag(gap) == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("columns", [1, 15, 16, 33, 48])
def test_blocks_of_columns_give_what_one_block_gives(columns: int) -> None:
    x = np.random.default_rng(0).uniform(size=(48, 30))
    with jax.enable_x64(True):
        whole = correlations(x, x)  # type: ignore[arg-type]
        part = correlations(x, x[:columns])  # type: ignore[arg-type]
    for a, b in zip(whole, part, strict=True):
        np.testing.assert_allclose(np.asarray(a)[:, :columns], b, atol=1e-15)
