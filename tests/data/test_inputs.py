"""Inputs are made of bytes only when they are used, in the precision that is asked for."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntk_mnist.data.catalogue import ARRAYS, CATALOGUE, DatasetError
from ntk_mnist.data.inputs import PREPROCESSINGS, Dataset, load
from ntk_mnist.settings import Inputs

DIGITS = Inputs(dataset="digits", test_size=100)
EVERY_BYTE = np.arange(256, dtype=np.uint8).reshape(16, 16)


def dataset(name: str) -> Dataset:
    """A dataset whose images are every byte."""
    labels = np.zeros(16, np.uint8)
    return Dataset(CATALOGUE[name], "scale", EVERY_BYTE, labels, EVERY_BYTE, labels)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scaled_inputs_are_exactly_the_bytes_divided_by_the_largest_pixel(dtype: Any) -> None:
    inputs = dataset("mnist").inputs(EVERY_BYTE, dtype)
    assert isinstance(inputs, np.ndarray)
    assert inputs.dtype == dtype
    np.testing.assert_array_equal(inputs, EVERY_BYTE.astype(dtype) / dtype(255))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("compiled", [False, True])
def test_scaled_inputs_in_jax_are_the_same_to_the_last_bit(dtype: Any, compiled: bool) -> None:
    def inputs(images: jax.Array) -> Any:
        return dataset("mnist").inputs(images, dtype)

    with jax.enable_x64():
        scaled = (jax.jit(inputs) if compiled else inputs)(jnp.asarray(EVERY_BYTE))
    assert isinstance(scaled, jax.Array)
    assert scaled.dtype == dtype
    # XLA multiplies by the reciprocal, which may round the last bit differently.
    expected = EVERY_BYTE.astype(dtype) / dtype(255)
    np.testing.assert_array_max_ulp(np.asarray(scaled), expected, maxulp=1)


def test_the_largest_pixel_is_that_of_the_dataset() -> None:
    assert dataset("digits").inputs(np.array([[16]], np.uint8), np.float32) == 1


def test_targets_are_one_hot(digits: Dataset) -> None:
    targets = digits.targets(digits.train_labels)
    assert targets.shape == (192, 10)
    assert targets.dtype == np.float64
    np.testing.assert_array_equal(targets.sum(axis=1), 1)
    np.testing.assert_array_equal(targets.argmax(axis=1), digits.train_labels)


def test_a_loaded_dataset_maps_its_bytes_and_converts_nothing(
    prepared_digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def converted(*arguments: object) -> None:
        raise AssertionError("converted before inputs are asked for")

    monkeypatch.setitem(PREPROCESSINGS, "scale", converted)
    loaded = load(DIGITS, prepared_digits, 64)
    for name in ARRAYS:
        array = getattr(loaded, name)
        assert isinstance(array, np.memmap)
        assert array.dtype == np.uint8
        assert len(array) == (64 if "train" in name else 100)


def test_the_first_images_are_loaded_in_file_order(prepared_digits: Path) -> None:
    loaded = load(DIGITS, prepared_digits, 64)
    for name, array in (
        ("train_images", loaded.train_images),
        ("train_labels", loaded.train_labels),
        ("test_images", loaded.test_images),
        ("test_labels", loaded.test_labels),
    ):
        everything = np.load(prepared_digits / f"{name}.npy")
        np.testing.assert_array_equal(array, everything[: len(array)])


def test_a_dataset_has_its_description_and_preprocessing(prepared_digits: Path) -> None:
    loaded = load(DIGITS, prepared_digits, 64)
    assert loaded.description is CATALOGUE["digits"]
    assert loaded.preprocessing == DIGITS.preprocessing


def test_more_images_than_there_are_is_an_error(prepared_digits: Path) -> None:
    with pytest.raises(DatasetError, match=r"train_images.npy: 2,000 images asked for, 1,297 foun"):
        load(DIGITS, prepared_digits, 2000)
    with pytest.raises(DatasetError, match=r"test_images.npy: 501 images asked for, 500 found"):
        load(Inputs(dataset="digits", test_size=501), prepared_digits, 64)


@pytest.mark.parametrize("content", [None, b"", b"half"])
def test_the_error_names_a_missing_or_damaged_array(tmp_path: Path, content: bytes | None) -> None:
    for name in ARRAYS:
        np.save(tmp_path / f"{name}.npy", np.zeros((100, 64), np.uint8))
    damaged = tmp_path / "test_labels.npy"
    if content is None:
        damaged.unlink()
    else:
        damaged.write_bytes(content)
    with pytest.raises(DatasetError, match=f"{damaged}: not a prepared array"):
        load(DIGITS, tmp_path, 64)
