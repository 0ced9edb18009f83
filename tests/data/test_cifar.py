"""CIFAR-10 comes from its archive or from the six files in it, each checked, and nothing else."""

import gzip
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data.idx_files import Contents, read_files, write_files
from numpy.typing import NDArray

from ntk_mnist.data.catalogue import ARRAYS, CATALOGUE, DatasetError, Description
from ntk_mnist.data.originals import prepare, read_cifar, unpacked_archive
from ntk_mnist.data.sources import fetch

ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
#: Of a made-up file: its images, each of 3 × 2 × 2 pixels.
COUNT, SHAPE = 4, (3, 2, 2)


def archive_of(contents: Contents, folder: str = FOLDER) -> bytes:
    """An archive of files in a folder, as the published one is."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def know(monkeypatch: pytest.MonkeyPatch, contents: Contents, archive: bytes) -> Description:
    """Replace CIFAR-10 by a dataset of these files."""
    files = tuple(
        (f"{name}.gz", hashlib.sha256(content).hexdigest()) for name, content in contents.items()
    )
    known = replace(
        CATALOGUE["cifar10"],
        files=files,
        train_size=5 * COUNT,
        test_size=COUNT,
        image_shape=SHAPE,
        archive=(ARCHIVE, hashlib.sha256(archive).hexdigest()),
    )
    monkeypatch.setitem(CATALOGUE, "cifar10", known)
    return known


@pytest.fixture
def batches() -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """Images and labels of each file."""
    rng = np.random.default_rng(0)
    names = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
    return {
        name: (
            rng.integers(0, 256, (COUNT, *SHAPE), np.uint8),
            rng.integers(0, 10, COUNT, np.uint8),
        )
        for name in names
    }


@pytest.fixture
def files(batches: dict[str, tuple[NDArray[Any], NDArray[Any]]]) -> Contents:
    """Their contents: of each image its label, then all red, green and blue pixels."""
    return {
        name: b"".join(
            bytes([label]) + b"".join(channel.tobytes() for channel in image)
            for image, label in zip(images, labels, strict=True)
        )
        for name, (images, labels) in batches.items()
    }


@pytest.fixture
def archive(files: Contents, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The archive of all files; CIFAR-10 is what is in it."""
    content = archive_of({"batches.meta.txt": b"airplane\n"} | files | {"readme.html": b"<p>"})
    know(monkeypatch, files, content)
    return content


def fetched(source: str, folder: Path) -> Contents:
    """The contents of the files that are fetched."""
    fetch("cifar10", [source], folder)
    return {name: gzip.decompress(content) for name, content in read_files(folder).items()}


@pytest.fixture
def mirror(archive: bytes, tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of a server that has the archive, and what it is asked for."""
    write_files(tmp_path / "served", {ARCHIVE: archive})
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, *args: object) -> None:
            asked.append(self.path)

        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = partial(Handler, directory=str(tmp_path / "served"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=partial(server.serve_forever, 0.05), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_the_archive_in_a_folder_has_all_files(
    files: Contents, archive: bytes, tmp_path: Path
) -> None:
    source = write_files(tmp_path / "source", {ARCHIVE: archive})
    found = fetched(str(source), tmp_path / "out")
    assert found == {f"{name}.gz": content for name, content in files.items()}


@pytest.mark.parametrize("below", ["", FOLDER])
@pytest.mark.parametrize("compressed", [False, True])
def test_the_files_may_lie_by_themselves_or_in_the_archives_folder(
    files: Contents, archive: bytes, tmp_path: Path, below: str, compressed: bool
) -> None:
    stored = {f"{n}.gz": gzip.compress(c) for n, c in files.items()} if compressed else files
    write_files(tmp_path / "source" / below, stored)
    found = fetched(str(tmp_path / "source"), tmp_path / "out")
    assert found == {f"{name}.gz": content for name, content in files.items()}


def test_a_mirror_is_asked_once_and_for_the_archive_alone(
    files: Contents, mirror: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = mirror
    found = fetched(address, tmp_path / "out")
    assert found == {f"{name}.gz": content for name, content in files.items()}
    assert asked == [f"/{ARCHIVE}"]


def test_a_file_that_is_damaged_is_taken_from_the_archive(
    files: Contents, archive: bytes, tmp_path: Path
) -> None:
    damaged = files | {"data_batch_3.bin": b"damaged"}
    source = write_files(tmp_path / "source", damaged | {ARCHIVE: archive})
    found = fetched(str(source), tmp_path / "out")
    assert found["data_batch_3.bin.gz"] == files["data_batch_3.bin"]


def test_prepared_arrays_are_images_in_file_order_and_their_labels(
    batches: dict[str, tuple[NDArray[Any], NDArray[Any]]], archive: bytes, tmp_path: Path
) -> None:
    source = write_files(tmp_path / "source", {ARCHIVE: archive})
    fetch("cifar10", [str(source)], tmp_path / "out")
    names = [name for name, _ in CATALOGUE["cifar10"].files]
    prepare("cifar10", [tmp_path / "out" / name for name in names], tmp_path / "prepared")
    *of_training, of_test = batches.values()
    expected = (
        *(np.concatenate([batch[part] for batch in of_training]) for part in (0, 1)),
        *of_test,
    )
    for name, array in zip(ARRAYS, expected, strict=True):
        made = np.load(tmp_path / f"prepared/{name}.npy")
        assert made.dtype == np.uint8
        np.testing.assert_array_equal(made, array.reshape(len(array), -1).squeeze())


@pytest.mark.slow
def test_each_source_has_its_reason_and_the_remedies_name_the_archive(
    files: Contents, archive: bytes, tmp_path: Path
) -> None:
    wrong = write_files(tmp_path / "wrong", {ARCHIVE: archive[:-1]})
    both = write_files(tmp_path / "both", files | {"data_batch_1.bin": b"", ARCHIVE: b""})
    sources = ["no/such folder", str(wrong), str(both), "http://127.0.0.1:9/"]
    with pytest.raises(DatasetError) as caught:
        fetch("cifar10", sources, tmp_path / "out")
    first, *reasons, _, remedy, _, _ = str(caught.value).splitlines()
    assert first == "CIFAR-10 is not available: no source has data_batch_1.bin.gz"
    for reason, words in zip(
        reasons,
        (
            "no such file",
            f"{ARCHIVE}: wrong content (SHA-256 ",
            "data_batch_1.bin: wrong content (SHA-256 e3b0c44298fc…",
            "no connection",
        ),
        strict=True,
    ):
        assert words in reason
    assert f"{ARCHIVE}: wrong content" in reasons[2]
    assert f"the six original files of CIFAR-10, or {ARCHIVE}, into" in remedy
    assert read_files(tmp_path / "out") == {}


@pytest.mark.parametrize("folder", ["/etc", "../..", "a/b"])
def test_members_are_read_by_name_and_never_written(
    files: Contents, monkeypatch: pytest.MonkeyPatch, folder: str, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    content = archive_of(files, folder)
    known = know(monkeypatch, files, content)
    found = unpacked_archive(content, known)
    assert list(found.values()) == list(files.values())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, b"long"])
def test_a_member_that_is_no_file_of_the_known_size_is_not_read(
    files: Contents, monkeypatch: pytest.MonkeyPatch, kind: bytes
) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("data_batch_1.bin")
        if kind == b"long":
            member.size = 10**6
            archive.addfile(member, io.BytesIO(bytes(10**6)))
        else:
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    known = know(monkeypatch, files, stream.getvalue())
    with pytest.raises(DatasetError, match=r"the archive has no data_batch_1\.bin"):
        unpacked_archive(stream.getvalue(), known)


@pytest.mark.parametrize(
    "content",
    [b"", b"not gzip", gzip.compress(b"not tar" * 200)],
    # gzip states the time, and the ids of a case must be equal in all processes.
    ids=["empty", "not gzip", "not tar"],
)
def test_a_known_archive_that_cannot_be_read_is_one_line(
    files: Contents, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    known = know(monkeypatch, files, content)
    with pytest.raises(DatasetError, match="not a complete archive"):
        unpacked_archive(content, known)


def test_a_file_of_another_size_is_refused() -> None:
    with pytest.raises(DatasetError, match="the file holds 25 bytes, not 26"):
        read_cifar(bytes(25), (2, 13))
