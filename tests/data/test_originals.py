"""The prepared arrays are those in the original files; anything else is refused."""

import gzip
import hashlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from data.idx_files import Contents, idx, write_files
from hypothesis import given
from hypothesis import strategies as st

from ntk_mnist.data.catalogue import ARRAYS, CATALOGUE, DatasetError, Description
from ntk_mnist.data.originals import canonical, prepare, read_idx


def test_prepared_arrays_hold_the_bytes_of_the_originals(
    tiny_mnist: Contents, tmp_path: Path
) -> None:
    originals = write_files(tmp_path / "originals", tiny_mnist)
    prepare("mnist", [originals / name for name in tiny_mnist], tmp_path / "prepared")
    shapes = {
        "train_images": (20, 6),
        "train_labels": (20,),
        "test_images": (8, 6),
        "test_labels": (8,),
    }
    for name, content in zip(ARRAYS, tiny_mnist.values(), strict=True):
        array = np.load(tmp_path / f"prepared/{name}.npy")
        assert array.shape == shapes[name]
        assert array.dtype == np.uint8
        assert gzip.decompress(content).endswith(array.tobytes())


def test_the_error_names_a_damaged_original(tiny_mnist: Contents, tmp_path: Path) -> None:
    originals = write_files(tmp_path / "originals", tiny_mnist)
    name = "t10k-images-idx3-ubyte.gz"
    (originals / name).write_bytes(tiny_mnist[name][:-9])
    remedy = "delete it, and snakemake fetches it again"
    with pytest.raises(DatasetError, match=f"{name}: not the original file: .*; {remedy}"):
        prepare("mnist", [originals / name for name in tiny_mnist], tmp_path / "prepared")
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize(("array", "value", "limit"), [(1, 10, 9), (2, 17, 16)])
def test_a_label_or_pixel_that_is_out_of_range_is_refused(
    tiny_mnist: Contents,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    array: int,
    value: int,
    limit: int,
) -> None:
    arrays = [np.zeros(shape) for shape in ((20, 3, 2), (20,), (8, 3, 2), (8,))]
    arrays[array].flat[3] = value
    names = [name for name, _ in CATALOGUE["mnist"].files]
    contents = {name: gzip.compress(idx(a)) for name, a in zip(names, arrays, strict=True)}
    files = tuple(
        (name, hashlib.sha256(gzip.decompress(content)).hexdigest())
        for name, content in contents.items()
    )
    monkeypatch.setitem(CATALOGUE, "mnist", Description("MNIST", files, 20, 8, (3, 2), 16))
    originals = write_files(tmp_path / "originals", contents)
    with pytest.raises(DatasetError, match=f"{ARRAYS[array]} has the value {value}, more than "):
        prepare("mnist", [originals / name for name in names], tmp_path / "prepared")
    assert not (tmp_path / f"prepared/{ARRAYS[array]}.npy").exists()


def test_digits_are_scikit_learns(prepared_digits: Path) -> None:
    from sklearn.datasets import load_digits

    description = CATALOGUE["digits"]
    arrays = {name: np.load(prepared_digits / f"{name}.npy") for name in ARRAYS}
    images = np.concatenate([arrays["train_images"], arrays["test_images"]])
    labels = np.concatenate([arrays["train_labels"], arrays["test_labels"]])
    np.testing.assert_array_equal(images, load_digits().data)
    np.testing.assert_array_equal(labels, load_digits().target)
    assert len(arrays["train_images"]) == description.train_size
    assert len(arrays["test_images"]) == description.test_size
    assert images.max() == description.pixel_max
    assert images.shape[1] == description.pixels
    assert set(arrays["train_labels"]) == set(range(description.outputs))
    assert sorted(file.stem for file in prepared_digits.glob("*.npy")) == sorted(ARRAYS)


shapes = st.lists(st.integers(0, 5), min_size=1, max_size=3).map(tuple)


@given(shapes, st.data())
def test_any_array_written_as_idx_is_read_back(shape: tuple[int, ...], data: st.DataObject) -> None:
    count = int(np.prod(shape))
    content = data.draw(st.binary(min_size=count, max_size=count))
    array = np.frombuffer(content, np.uint8).reshape(shape)
    np.testing.assert_array_equal(read_idx(io.BytesIO(idx(array)), shape), array)


@given(st.binary(max_size=60), shapes)
def test_arbitrary_bytes_are_refused_or_are_that_array(
    content: bytes, shape: tuple[int, ...]
) -> None:
    try:
        array = read_idx(io.BytesIO(content), shape)
    except DatasetError:
        return
    assert idx(array) == content


@given(st.integers(1, 40), st.sampled_from(["short", "long"]))
def test_a_file_whose_length_differs_from_its_header_is_refused(by: int, which: str) -> None:
    content = idx(np.zeros((4, 3, 3)))
    content = content[: len(content) - min(by, 36)] if which == "short" else content + bytes(by)
    with pytest.raises(DatasetError, match="the header states 36 bytes"):
        read_idx(io.BytesIO(content), (4, 3, 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"the file ends within its header \(0 bytes\)"),
        (b"<html>..", r"not an IDX file of unsigned bytes \(it begins 3c 68 74 6d\)"),
        (idx(np.zeros(2)).replace(b"\x08", b"\x09"), "not an IDX file of unsigned bytes"),
        (idx(np.zeros((1, 2))), "the array has 2 dimensions, not 1"),
        (idx(np.zeros(3)), r"the array has the shape \(3,\), not \(2,\)"),
    ],
)
def test_the_error_says_what_is_wrong_with_a_header(content: bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_idx(io.BytesIO(content), (2,))


def test_the_canonical_form_is_gzip_whatever_the_form_was(tiny_mnist: Contents) -> None:
    description = CATALOGUE["mnist"]
    for array, compressed in zip(ARRAYS, tiny_mnist.values(), strict=True):
        content = gzip.decompress(compressed)
        anew = gzip.compress(content, 1)
        assert canonical(compressed, description, array) == compressed
        assert canonical(anew, description, array) == anew
        assert canonical(gzip.compress(compressed), description, array) == compressed
        # As bgzip and pigz do.
        parts = gzip.compress(content[:9]) + gzip.compress(content[9:])
        assert canonical(parts, description, array) == parts
        written = canonical(content, description, array)
        assert gzip.decompress(written) == content
        assert written == canonical(content, description, array)


def test_a_file_whose_content_nobody_published_is_accepted_as_it_was_published(
    tiny_mnist: Contents,
) -> None:
    published = {name: hashlib.sha256(file).hexdigest() for name, file in tiny_mnist.items()}
    description = replace(CATALOGUE["mnist"], files=tuple(published.items()), content_known=False)
    for array, file in zip(ARRAYS, tiny_mnist.values(), strict=True):
        assert canonical(file, description, array) == file
        assert canonical(gzip.compress(file), description, array) == file
        content = gzip.decompress(file)
        for other in (content, gzip.compress(content, 1), file[:-1] + b"x"):
            with pytest.raises(DatasetError, match=r"wrong content .* as they were published|gzip"):
                canonical(other, description, array)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"", "wrong content"),
        (b"<html>", "wrong content"),
        (b"\x1f\x8b", "not a complete gzip file"),
        (gzip.compress(b"<html>"), "wrong content"),
        (gzip.compress(b"x")[:-1], "not a complete gzip file"),
        (gzip.compress(gzip.compress(gzip.compress(b"x"))), "again and again"),
    ],
    # gzip states the time, and the ids of a case must be equal in all processes.
    ids=["empty", "page", "magic", "zipped page", "cut", "thrice"],
)
def test_anything_else_is_not_the_original(tiny_mnist: Contents, file: bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        canonical(file, CATALOGUE["mnist"], "test_labels")


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    header = idx(np.zeros((2, 2)))[:12]
    bomb = tmp_path / "bomb.gz"
    with gzip.open(bomb, "wb") as stream:
        stream.write(header)
        for _ in range(64):
            stream.write(bytes(1 << 20))

    with gzip.open(bomb, "rb") as stream:
        with pytest.raises(DatasetError, match="holds more"):
            read_idx(stream, (2, 2))  # type: ignore[arg-type]
        assert stream.tell() <= 12 + 5
