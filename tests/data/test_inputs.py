"""Inputs are made of bytes only when they are used, in the precision that is asked for."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from msgspec.structs import replace

from ntk_mnist.data.catalogue import ARRAYS, CATALOGUE, RECORD, DatasetError
from ntk_mnist.data.inputs import Dataset, load
from ntk_mnist.data.preprocessing import PREPROCESSINGS, Preprocessing
from ntk_mnist.data.selection import SELECTIONS
from ntk_mnist.settings import Inputs
from ntk_mnist.store.file_digests import write_digests
from ntk_mnist.store.staleness import damage

DIGITS = Inputs(dataset="digits", test_size=100)
EVERY_BYTE = np.arange(256, dtype=np.uint8).reshape(16, 16)


def dataset(name: str) -> Dataset:
    """A dataset whose images are every byte."""
    labels = np.zeros(16, np.uint8)
    preprocessing = Preprocessing("scale", CATALOGUE[name].pixel_max)
    return Dataset(CATALOGUE[name], preprocessing, EVERY_BYTE, labels, EVERY_BYTE, labels)


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


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("one_hot", lambda labels: np.zeros(10)),
        ("zero_sum", lambda labels: np.full(10, 0.1)),
        ("zero_mean", lambda labels: np.eye(10)[labels].mean(axis=0)),
    ],
)
def test_targets_are_one_hot_less_an_offset_that_decides_no_class(
    prepared_digits: Path, name: str, offset: Callable[[Any], Any]
) -> None:
    loaded = load(CATALOGUE["digits"], replace(DIGITS, targets=name), prepared_digits, 64)
    targets = loaded.targets(loaded.test_labels)
    expected = np.eye(10)[loaded.test_labels] - offset(loaded.train_labels)
    np.testing.assert_allclose(targets, expected, rtol=0, atol=1e-15)
    assert loaded.accuracy(targets, loaded.test_labels) == 1


def test_an_output_is_compared_with_the_offset_added(prepared_digits: Path) -> None:
    loaded = load(CATALOGUE["digits"], replace(DIGITS, targets="zero_mean"), prepared_digits, 64)
    # The frequent class is predicted where nothing is known.
    frequent = np.bincount(loaded.train_labels).argmax()
    nothing = np.zeros((len(loaded.test_labels), 10))
    expected = np.mean(loaded.test_labels == frequent)
    assert loaded.accuracy(nothing, loaded.test_labels) == expected


def test_held_out_images_are_validated_on_and_not_trained_on(prepared_digits: Path) -> None:
    images, labels = (
        np.load(prepared_digits / f"train_{name}.npy") for name in ("images", "labels")
    )
    inputs = replace(DIGITS, held_out=300, validation_size=200)
    loaded = load(CATALOGUE["digits"], inputs, prepared_digits, 64)
    np.testing.assert_array_equal(loaded.train_images, images[300:364])
    np.testing.assert_array_equal(loaded.train_labels, labels[300:364])
    np.testing.assert_array_equal(loaded.validation_images, images[:200])
    np.testing.assert_array_equal(loaded.validation_labels, labels[:200])
    both = loaded.predicted
    np.testing.assert_array_equal(both.test_images[100:], images[:200])
    np.testing.assert_array_equal(both.test_labels[:100], loaded.test_labels)


@pytest.mark.parametrize("selection", ["first_of_each_class", "drawn_of_each_class"])
def test_chosen_images_have_their_own_labels(prepared_digits: Path, selection: str) -> None:
    images, labels = (
        np.load(prepared_digits / f"train_{name}.npy") for name in ("images", "labels")
    )
    inputs = replace(DIGITS, held_out=100, selection=selection)
    loaded = load(CATALOGUE["digits"], inputs, prepared_digits, 50, draw=3)
    assert np.bincount(loaded.train_labels).tolist() == [5] * 10
    places = SELECTIONS[selection](labels[100:], 50, 3) + 100
    np.testing.assert_array_equal(loaded.train_images, images[places])
    np.testing.assert_array_equal(loaded.train_labels, labels[places])


def test_the_mean_that_is_subtracted_is_that_of_all_images_that_may_be_trained_on(
    prepared_digits: Path,
) -> None:
    images = np.load(prepared_digits / "train_images.npy")
    loaded = load(
        CATALOGUE["digits"], replace(DIGITS, held_out=100, subtract_mean=True), prepared_digits, 64
    )
    assert loaded.preprocessing.mean == pytest.approx(images[100:].astype(float).mean(), rel=1e-15)
    inputs = loaded.inputs(images[100:], np.float64)
    assert abs(inputs.mean()) < 1e-15


def test_a_loaded_dataset_maps_its_bytes_and_converts_nothing(
    prepared_digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def converted(*arguments: object) -> None:
        raise AssertionError("converted before inputs are asked for")

    monkeypatch.setitem(PREPROCESSINGS, "scale", converted)
    loaded = load(CATALOGUE["digits"], DIGITS, prepared_digits, 64)
    for name in ARRAYS:
        array = getattr(loaded, name)
        assert isinstance(array, np.memmap)
        assert array.dtype == np.uint8
        assert len(array) == (64 if "train" in name else 100)


def test_the_first_images_are_loaded_in_file_order(prepared_digits: Path) -> None:
    loaded = load(CATALOGUE["digits"], DIGITS, prepared_digits, 64)
    for name, array in (
        ("train_images", loaded.train_images),
        ("train_labels", loaded.train_labels),
        ("test_images", loaded.test_images),
        ("test_labels", loaded.test_labels),
    ):
        everything = np.load(prepared_digits / f"{name}.npy")
        np.testing.assert_array_equal(array, everything[: len(array)])


def test_a_dataset_has_its_description_and_preprocessing(prepared_digits: Path) -> None:
    loaded = load(CATALOGUE["digits"], DIGITS, prepared_digits, 64)
    assert loaded.description is CATALOGUE["digits"]
    assert loaded.preprocessing == Preprocessing(DIGITS.preprocessing, 16)


def test_more_images_than_there_are_is_an_error(prepared_digits: Path) -> None:
    with pytest.raises(DatasetError, match=r"train_labels.npy: 2,000 images asked for, 1,297 foun"):
        load(CATALOGUE["digits"], DIGITS, prepared_digits, 2000)
    with pytest.raises(DatasetError, match=r"test_images.npy: 501 images asked for, 500 found"):
        load(CATALOGUE["digits"], Inputs(dataset="digits", test_size=501), prepared_digits, 64)


@pytest.fixture
def rotting(prepared_digits: Path, tmp_path: Path) -> Path:
    """Arrays of digits, for a test to damage."""
    return Path(shutil.copytree(prepared_digits, tmp_path / "rotting"))


def other_pixels(content: bytes) -> bytes:
    """A valid array of other pixels or labels, with the same header."""
    return content[:128] + bytes((byte + 1) % 8 for byte in content[128:])


def saved(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize(
    "rot",
    [
        lambda content: None,
        lambda content: b"",
        lambda content: b"half",
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:],
        lambda content: content.replace(b"|u1", b"|i1"),
        lambda content: content.replace(b"False", b"True "),
        other_pixels,
        lambda content: saved(np.load(io.BytesIO(content)).astype(np.float32)),
        lambda content: saved(np.load(io.BytesIO(content))[::-1]),
        lambda content: saved(np.uint8(3)),
    ],
)
def test_the_error_names_a_missing_or_damaged_array_and_a_remedy(
    rotting: Path, name: str, rot: Callable[[bytes], bytes | None]
) -> None:
    file = rotting / f"{name}.npy"
    content = rot(file.read_bytes())
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    message = f"{file}: not a prepared array (.*); run snakemake again, and it is prepared again"
    with pytest.raises(DatasetError, match=message) as error:
        load(CATALOGUE["digits"], DIGITS, rotting, 64)
    assert "\n" not in str(error.value)
    assert damage(rotting / RECORD) == ([f"{file.name} is damaged"] if content is not None else [])


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b'{"digests": {}}'])
def test_arrays_without_a_record_that_is_intact_are_not_used(
    rotting: Path, content: bytes | None
) -> None:
    record = rotting / RECORD
    if content is None:
        record.unlink()
    else:
        record.write_bytes(content)
    with pytest.raises(DatasetError, match=r"not a prepared array (.*); run snakemake again"):
        load(CATALOGUE["digits"], DIGITS, rotting, 64)


def test_a_cell_reads_only_what_it_uses(tmp_path: Path) -> None:
    for name in ARRAYS:
        shape = (2000, 784) if "images" in name else (2000,)
        np.save(tmp_path / f"{name}.npy", np.ones(shape, np.uint8))
    write_digests(tmp_path / RECORD, [f"{name}.npy" for name in ARRAYS], {})
    file = tmp_path / "train_images.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert (
        load(
            CATALOGUE["mnist"], Inputs(dataset="mnist", test_size=100), tmp_path, 64
        ).train_images.sum()
        == 64 * 784
    )
    with pytest.raises(DatasetError, match="checksum mismatch"):
        load(CATALOGUE["mnist"], Inputs(dataset="mnist", test_size=100), tmp_path, 2000)
