"""Files from sources, IDX, prepared arrays: what is whole gets through, nothing else does."""

import gzip
import hashlib
import io
import struct
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntk_mnist import sources
from ntk_mnist.datasets import ARRAYS, CATALOGUE, DatasetError, Description, load
from ntk_mnist.originals import prepare, read_idx
from ntk_mnist.sources import fetch

Bodies = dict[str, bytes]
Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Bodies:
    """A dataset in MNIST's format, small, in the place of MNIST; its files by name."""
    rng = np.random.default_rng(0)
    arrays = [
        rng.integers(0, high, shape)
        for high, shape in ((256, (20, 3, 2)), (10, (20,)), (256, (8, 3, 2)), (10, (8,)))
    ]
    names = [name for name, _ in CATALOGUE["mnist"].files]
    bodies = {name: gzip.compress(idx(a)) for name, a in zip(names, arrays, strict=True)}
    files = tuple((name, hashlib.sha256(body).hexdigest()) for name, body in bodies.items())
    description = Description("MNIST", files, 20, 8, (3, 2), 255)
    monkeypatch.setitem(CATALOGUE, "mnist", description)
    monkeypatch.setattr(sources, "_RETRIES", 0)
    monkeypatch.setattr(sources, "_READ_SECONDS", 1)
    monkeypatch.setattr(sources, "_GRACE_SECONDS", 0.5)
    return bodies


def write_files(folder: Path, bodies: Bodies) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    return folder


def whole(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def html_page(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    whole(handler, b"<html>Sorry, we moved</html>")


def wrong_bytes(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    whole(handler, bytes(len(body)))


def cut_off(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])


def missing(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_error(404)


def silent(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    threading.Event().wait(3)


def trickling(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**6))
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(bytes(300))
        threading.Event().wait(0.1)


@pytest.fixture
def mirror(tiny: Bodies) -> Iterator[Callable[[Answer], str]]:
    """Start a mirror on loopback that answers in a given way; returns its address."""
    servers = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self, tiny[self.path.rsplit("/", 1)[-1]])

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=partial(server.serve_forever, 0.05), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/data"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_files_come_from_the_first_source_that_has_them(tiny: Bodies, tmp_path: Path) -> None:
    names = list(tiny)
    first = write_files(tmp_path / "first", {names[0]: tiny[names[0]]})
    second = write_files(tmp_path / "second", tiny)
    fetch("mnist", [str(first), str(second)], tmp_path / "out")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == tiny


def test_a_changed_file_in_a_folder_is_passed_over(tiny: Bodies, tmp_path: Path) -> None:
    changed = write_files(tmp_path / "changed", dict.fromkeys(tiny, b"something else"))
    whole_copy = write_files(tmp_path / "whole", tiny)
    fetch("mnist", [str(changed), str(whole_copy)], tmp_path / "out")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == tiny


def test_a_mirror_is_downloaded_with_a_progress_bar(
    tiny: Bodies,
    mirror: Callable[[Answer], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fetch("mnist", [mirror(whole)], tmp_path / "out")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == tiny
    assert "100%" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (html_page, "not the original file"),
        (wrong_bytes, "not the original file"),
        (cut_off, "download failed|no connection|not the original file"),
        (missing, "the server answered 404"),
        (silent, "no answer in time"),
        (trickling, "too slow"),
    ],
)
def test_a_bad_mirror_is_named_and_leaves_nothing(
    answer: Answer, reason: str, mirror: Callable[[Answer], str], tmp_path: Path
) -> None:
    address = mirror(answer)
    with pytest.raises(DatasetError, match=f"(?s){address}: .*({reason}).*Remedies:.*3\\."):
        fetch("mnist", [str(tmp_path / "absent"), address], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("answer", [html_page, wrong_bytes, cut_off, missing])
def test_after_a_bad_mirror_the_next_is_asked(
    answer: Answer, tiny: Bodies, mirror: Callable[[Answer], str], tmp_path: Path
) -> None:
    fetch("mnist", [mirror(answer), mirror(whole)], tmp_path / "out")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == tiny


def test_a_mirror_that_stumbles_once_is_asked_again(
    tiny: Bodies,
    mirror: Callable[[Answer], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "_RETRIES", 1)
    answers = iter([cut_off])

    def stumbling(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        next(answers, whole)(handler, body)

    address = mirror(stumbling)
    fetch("mnist", [address], tmp_path / "out")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == tiny


def test_a_mirror_that_is_down_is_told_without_object_addresses(
    tiny: Bodies, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError) as caught:
        fetch("mnist", ["http://127.0.0.1:9/"], tmp_path / "out")
    assert "no connection" in str(caught.value)
    assert "0x" not in str(caught.value)


def test_prepared_arrays_are_the_originals(tiny: Bodies, tmp_path: Path) -> None:
    originals = write_files(tmp_path / "originals", tiny)
    prepare("mnist", [originals / name for name in tiny], tmp_path / "prepared")
    dataset = load("mnist", tmp_path / "prepared", size=5, test_size=8)
    content = gzip.decompress(tiny["train-images-idx3-ubyte.gz"])
    np.testing.assert_array_equal(
        dataset.train_images, np.frombuffer(content, np.uint8, 30, offset=16).reshape(5, 6)
    )
    assert dataset.test_labels.shape == (8,)


def test_a_small_cell_maps_its_images_and_reads_no_others(tiny: Bodies, tmp_path: Path) -> None:
    originals = write_files(tmp_path / "originals", tiny)
    prepare("mnist", [originals / name for name in tiny], tmp_path / "prepared")
    images = load("mnist", tmp_path / "prepared", size=5, test_size=1).train_images
    assert isinstance(images, np.memmap)
    assert len(images) == 5


def test_a_damaged_original_is_named(tiny: Bodies, tmp_path: Path) -> None:
    originals = write_files(tmp_path / "originals", tiny)
    name = "t10k-images-idx3-ubyte.gz"
    (originals / name).write_bytes(tiny[name][:-9])
    with pytest.raises(DatasetError, match=name):
        prepare("mnist", [originals / name for name in tiny], tmp_path / "prepared")


def test_asking_for_more_images_than_prepared_is_refused(prepared_digits: Path) -> None:
    with pytest.raises(DatasetError, match="2,000 images asked for, 1,297 are there"):
        load("digits", prepared_digits, 2000, 10)


def test_digits_are_scikit_learns(prepared_digits: Path) -> None:
    from sklearn.datasets import load_digits

    description = CATALOGUE["digits"]
    dataset = load("digits", prepared_digits, description.train_size, description.test_size)
    images = np.concatenate([dataset.train_images, dataset.test_images])
    np.testing.assert_array_equal(images, load_digits().data)
    assert images.max() == description.pixel_max
    assert images.shape[1] == description.pixels
    assert set(dataset.train_labels) == set(range(description.classes))
    assert sorted(p.stem for p in prepared_digits.iterdir()) == sorted(ARRAYS)


shapes = st.lists(st.integers(0, 5), min_size=1, max_size=3).map(tuple)


@given(shapes, st.data())
def test_any_array_survives_idx(shape: tuple[int, ...], data: st.DataObject) -> None:
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
def test_a_file_that_disagrees_with_its_header_is_refused(by: int, which: str) -> None:
    content = idx(np.zeros((4, 3, 3)))
    content = content[: len(content) - min(by, 36)] if which == "short" else content + bytes(by)
    with pytest.raises(DatasetError, match="promises 36 bytes"):
        read_idx(io.BytesIO(content), (4, 3, 3))


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
