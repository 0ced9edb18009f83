"""A dataset of the user's own is described by what it holds, and every fault is one line."""

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data.own_files import Arrays, as_archive, as_folder, classified, real_valued
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from ntk_mnist.data.catalogue import ARRAYS, CATALOGUE, RECORD, DatasetError
from ntk_mnist.data.inputs import Dataset, load
from ntk_mnist.data.own import NAMES, describe, name_of, prepared_as, title_of
from ntk_mnist.data.own_arrays import prepare_own
from ntk_mnist.settings import Inputs
from ntk_mnist.store.file_digests import write_digests

MADE = [classified, real_valued]
WAYS: list[Callable[[Path, Arrays], str]] = [as_archive, as_folder]


def prepared(dataset: str, folder: Path) -> Path:
    """The folder of its arrays."""
    prepare_own(dataset, describe(dataset), folder)
    write_digests(folder / RECORD, [f"{array}.npy" for array in ARRAYS], {})
    return folder


def loaded(dataset: str, folder: Path, **inputs: Any) -> Dataset:
    """Of 40 training and 20 test images."""
    what = Inputs(dataset=dataset, test_size=20, **inputs)
    return load(describe(dataset), what, prepared(dataset, folder), 40)


def test_images_with_classes_are_described(tmp_path: Path) -> None:
    found = describe(as_archive(tmp_path / "my images.npz", classified()))
    assert (found.train_size, found.test_size, found.image_shape) == (60, 20, (4, 3))
    assert (found.pixel_max, found.outputs, found.real_valued) == (255, 3, False)
    assert (found.title, found.files, found.pixels) == ("my images", (), 12)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, ">f4", np.int64, np.uint16])
def test_any_numbers_but_bytes_are_features_as_they_are(tmp_path: Path, dtype: Any) -> None:
    arrays = classified()
    arrays |= {name: arrays[name].astype(dtype) for name in ("x_train", "x_test")}
    dataset = as_archive(tmp_path / "own.npz", arrays)
    assert describe(dataset).pixel_max == 1
    images = loaded(dataset, tmp_path / "prepared")
    assert images.train_images.dtype == np.float32
    np.testing.assert_array_equal(
        images.inputs(images.train_images, np.float64),
        arrays["x_train"][:40].reshape(40, -1).astype(np.float64),
    )


def test_images_of_bytes_stay_bytes_and_are_scaled_by_255(tmp_path: Path) -> None:
    arrays = classified()
    images = loaded(as_folder(tmp_path / "own", arrays), tmp_path / "prepared")
    assert images.train_images.dtype == np.uint8
    scaled = images.inputs(images.train_images, np.float64)
    np.testing.assert_allclose(scaled, arrays["x_train"][:40].reshape(40, 12) / 255, rtol=1e-15)
    targets = images.targets(images.test_labels)
    assert targets.tolist() == (arrays["y_test"][:, None] == np.arange(3)).tolist()
    assert images.accuracy(targets, images.test_labels) == 1


@pytest.mark.parametrize("shape", [(60,), (60, 1), (60, 2)])
def test_real_valued_targets_are_floats_and_have_no_accuracy(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    arrays = real_valued(outputs=shape[1] if len(shape) > 1 else 1)
    arrays |= {name: arrays[name].reshape(-1, *shape[1:]) for name in ("y_train", "y_test")}
    dataset = as_archive(tmp_path / "own.npz", arrays)
    assert describe(dataset).outputs == (shape[1] if len(shape) > 1 else 1)
    assert describe(dataset).real_valued
    found = loaded(dataset, tmp_path / "as they are")
    targets = found.targets(found.train_labels)
    np.testing.assert_array_equal(targets, arrays["y_train"][:40].reshape(40, -1))
    assert found.accuracy(targets, found.train_labels) is None
    centred = loaded(dataset, tmp_path / "centred", targets="zero_mean")
    np.testing.assert_allclose(
        centred.targets(centred.test_labels),
        (arrays["y_test"] - arrays["y_train"][:40].mean(axis=0)).reshape(20, -1),
        rtol=1e-13,
    )


def test_many_classes_and_one_without_a_training_image_are_kept(tmp_path: Path) -> None:
    arrays = classified(train=300)
    arrays["y_train"] = np.arange(300)
    arrays["y_test"] = np.full(20, 3, np.uint8)
    arrays["y_train"][7] = 8
    dataset = as_archive(tmp_path / "own.npz", arrays)
    assert describe(dataset).outputs == 300
    labels = np.load(prepared(dataset, tmp_path / "prepared") / "train_labels.npy")
    assert labels.tolist() == arrays["y_train"].tolist()


@pytest.mark.parametrize("made", MADE)
def test_the_digest_is_that_of_the_content_in_whatever_file(
    tmp_path: Path, made: Callable[[], Arrays]
) -> None:
    arrays = made()
    places = [
        as_archive(tmp_path / "a.npz", arrays),
        as_archive(tmp_path / "b.npz", dict(reversed(arrays.items())) | {"more": np.ones(3)}),
        as_folder(tmp_path / "c", arrays),
        str(tmp_path / "d.npz"),
    ]
    np.savez_compressed(places[-1], **arrays)
    assert len({describe(place).sha256 for place in places}) == 1
    for name in NAMES:
        other = arrays | {name: arrays[name].copy()}
        other[name].flat[-1] += 1
        # The description follows the file within one process.
        assert describe(as_archive(tmp_path / "a.npz", other)).sha256 != describe(places[1]).sha256


def test_names_are_those_of_files_and_arrays_are_shared_by_equal_contents_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("one", "two", "three"):
        Path(folder).mkdir()
    places = [as_archive(Path(f"{f}/my {{data}}.npz"), classified()) for f in ("one", "two")]
    other = as_archive(Path("three/my {data}.npz"), real_valued())
    assert [name_of(place) for place in places] == ["my {data}.npz"] * 2
    assert name_of("./one/") == name_of("one/.") == "one/"
    assert name_of("mnist") == "mnist"
    assert [title_of(name) for name in ("mnist", "mnist.npz", "one/")] == ["MNIST", "mnist", "one"]
    folders = [prepared_as(place, describe(place)) for place in (*places, other)]
    assert folders[0] == folders[1] != folders[2]
    assert all(folder.startswith("my__data_-") for folder in folders)
    assert prepared_as("mnist", CATALOGUE["mnist"]) == "mnist"


def nothing(arrays: Arrays) -> Arrays:
    return {name: array[:0] for name, array in arrays.items()}


#: What is wrong by the arrays that replace those of a right dataset, and what the line says.
FAULTS: dict[str, tuple[Callable[[Arrays], Arrays], str]] = {
    "Python objects": (
        lambda a: {"x_train": np.full(60, None)},
        "x_train holds Python objects; save it as an array of numbers",
    ),
    "text": (lambda a: {"y_test": np.full(20, "cat")}, "y_test has the dtype <U3; number the cl"),
    "truth": (lambda a: {"y_train": a["y_train"] > 0}, "y_train has the dtype bool; number the cl"),
    "complex": (lambda a: {"x_test": a["x_test"] * 1j}, "x_test has the dtype complex128; conv"),
    "a number": (lambda a: {"x_train": np.array(3.0)}, "x_train is a single number; it needs"),
    "no rows": (nothing, "x_train is empty; at least one row is needed"),
    "no pixels": (
        lambda a: {"x_train": a["x_train"][:, :, :0]},
        "x_train has the shape (60, 4, 0)",
    ),
    "lengths": (
        lambda a: {"y_train": a["y_train"][1:]},
        "x_train has 60 rows and y_train 59; each row needs its label",
    ),
    "shapes": (
        lambda a: {"x_test": a["x_test"][:, 1:]},
        "x_train has rows of the shape (4, 3) and x_test of (3, 3); both need the same",
    ),
    "images and features": (
        lambda a: {"x_test": a["x_test"] / 255},
        "x_train has the dtype uint8 and x_test float64; convert the inputs of one like",
    ),
    "classes and targets": (
        lambda a: {"y_test": a["y_test"] / 2},
        "y_train has the dtype int64 and y_test float64; convert the labels of one like",
    ),
    "one-hot": (
        lambda a: {"y_train": np.eye(3, dtype=int)[a["y_train"]]},
        "y_train has the shape (60, 3); classes are whole numbers of the shape (n,), as argmax",
    ),
    "a column of classes": (
        lambda a: {name: a[name][:, None] for name in ("y_train", "y_test")},
        "y_train has the shape (60, 1); classes are whole numbers of the shape (n,), as ravel()",
    ),
    "classes from 1 on": (
        lambda a: {name: a[name] + 1 for name in ("y_train", "y_test")},
        "y_train and y_test have no class 0; number the classes from 0 on",
    ),
    "one class to train on": (
        lambda a: {"y_train": a["y_train"] * 0},
        "y_train has one class alone; at least two are needed",
    ),
    "targets of three axes": (
        lambda a: {"y_train": np.ones((60, 2, 2))},
        "y_train has the shape (60, 2, 2); real-valued targets have (n,) or (n, k)",
    ),
    "a negative class": (
        lambda a: {"y_test": a["y_test"] - 1},
        "y_test has the class -1; classes are whole numbers from 0 on",
    ),
    "one class": (
        lambda a: {"y_train": a["y_train"] * 0, "y_test": a["y_test"] * 0},
        "y_train has one class alone; at least two are needed",
    ),
    "numbers that are no classes": (
        lambda a: {"y_train": a["y_train"] + 10**9},
        "y_train or y_test has the class 1,000,000,002, for 60 training rows; number the classes",
    ),
}


@pytest.mark.parametrize("write", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_dataset_is_refused_in_one_line_before_a_cell_runs(
    fault: str, write: Callable[[Path, Arrays], str], tmp_path: Path
) -> None:
    change, line = FAULTS[fault]
    arrays = classified()
    name = "own.npz" if write is as_archive else "own"
    dataset = write(tmp_path / name, arrays | change(arrays))
    with pytest.raises(DatasetError) as caught:
        describe(dataset)
    assert str(caught.value).startswith(f"{dataset}: {line}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["x_train", "x_test", "y_train", "y_test"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_refused_with_its_row(
    tmp_path: Path, name: str, value: float
) -> None:
    arrays = real_valued()
    arrays[name][7, 1] = value
    dataset = as_archive(tmp_path / "own.npz", arrays)
    with pytest.raises(DatasetError, match=f"own.npz: {name} has a value in row 7 that is NaN or"):
        prepare_own(dataset, describe(dataset), tmp_path / "prepared")
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"x_train": np.full((60, 7), 1e39)}, "x_train has values that are too large; scale the"),
        (
            {"y_train": np.ones((60, 2))},
            "y_train has the same values in each row; nothing to learn",
        ),
    ],
)
def test_values_that_cannot_be_learnt_from_are_refused(
    tmp_path: Path, change: Arrays, line: str
) -> None:
    dataset = as_archive(tmp_path / "own.npz", real_valued() | change)
    with pytest.raises(DatasetError, match=line):
        prepare_own(dataset, describe(dataset), tmp_path / "prepared")


def test_a_file_that_changed_after_the_plan_is_not_prepared(tmp_path: Path) -> None:
    dataset = as_archive(tmp_path / "own.npz", classified())
    planned = describe(dataset)
    as_archive(tmp_path / "own.npz", classified(train=61))
    with pytest.raises(DatasetError, match="changed since this run was planned; run snakemake"):
        prepare_own(dataset, planned, tmp_path / "prepared")
    assert not (tmp_path / "prepared").exists()


def test_a_missing_file_or_array_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"own\.npz: no such file or directory; needed: an"):
        describe(str(tmp_path / "own.npz"))
    arrays = classified()
    del arrays["x_test"]
    with pytest.raises(DatasetError, match=r"has no x_test; make it with numpy\.savez"):
        describe(as_archive(tmp_path / "own.npz", arrays))
    with pytest.raises(DatasetError, match=r"x_test\.npy: no such file or directory; needed: an"):
        describe(as_folder(tmp_path / "own", arrays))
    with pytest.raises(DatasetError, match=r"nul\S*: .*null byte"):
        describe("a/nul\0")


@pytest.mark.parametrize(
    "content", [b"", b"not a zip file", b"PK\x05\x06" + bytes(18), b"\x93NUMPY\x01\x00"]
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "own.npz").write_bytes(content)
    with pytest.raises(DatasetError, match=r"own.npz: (not an .npz file|has no x_train)"):
        describe(str(tmp_path / "own.npz"))


def test_more_or_less_than_the_header_states_is_refused_and_not_read(tmp_path: Path) -> None:
    folder = Path(as_folder(tmp_path / "own", classified()))
    content = (folder / "x_train.npy").read_bytes()
    for changed in (content[:-1], content + b"\0", content[:100]):
        (folder / "x_train.npy").write_bytes(changed)
        with pytest.raises(DatasetError, match="x_train cannot be read"):
            describe(str(folder))
    os.truncate(folder / "x_train.npy", 10**12)
    with pytest.raises(DatasetError, match="x_train cannot be read"):
        describe(str(folder))


def test_a_damaged_member_of_an_archive_is_found(tmp_path: Path) -> None:
    file = Path(as_archive(tmp_path / "own.npz", classified()))
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=r"x_train cannot be read .Bad CRC-32"):
        describe(str(file))


def header_alone(dtype: Any, shape: tuple[int, ...]) -> bytes:
    """An ``.npy`` file without its data."""
    stream = io.BytesIO()
    described = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, described)
    return stream.getvalue()


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(NAMES),
    npst.scalar_dtypes() | st.just(np.dtype(object)),
    st.lists(st.integers(0, 2**40), max_size=4).map(tuple),
)
def test_any_header_is_refused_in_one_line_or_is_that_of_the_data(
    tmp_path_factory: pytest.TempPathFactory, name: str, dtype: Any, shape: tuple[int, ...]
) -> None:
    file = tmp_path_factory.mktemp("own") / "own.npz"
    with zipfile.ZipFile(file, "w") as archive:
        for other, array in classified().items():
            stream = io.BytesIO()
            np.save(stream, array)
            archive.writestr(
                f"{other}.npy",
                header_alone(dtype, shape) if other == name else stream.getvalue(),
            )
    with pytest.raises(DatasetError) as caught:
        describe(str(file))
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)
