"""Original files come from the first source that has them, and only if their checksums match."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeAlias

import pytest
from data.idx_files import Contents, read_files, write_files

from ntk_mnist.data import sources
from ntk_mnist.data.catalogue import DatasetError
from ntk_mnist.data.sources import fetch

#: Answers a request for a file with this content.
Answer: TypeAlias = Callable[[BaseHTTPRequestHandler, bytes], None]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short time limits and no retries."""
    monkeypatch.setattr(sources, "_RETRIES", 0)
    monkeypatch.setattr(sources, "_READ_SECONDS", 1)
    monkeypatch.setattr(sources, "_GRACE_SECONDS", 0.5)


def complete(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def html_page(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    complete(handler, b"<html>Sorry, we moved</html>")


def wrong_bytes(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    complete(handler, bytes(len(content)))


def cut_off(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])


def missing(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_error(404)


def silent(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    threading.Event().wait(3)


def trickling(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**6))
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(bytes(300))
        threading.Event().wait(0.1)


@pytest.fixture
def mirror(tiny_mnist: Contents) -> Iterator[Callable[[Answer], str]]:
    """Start a mirror on loopback that answers in a given way; returns its address."""
    servers = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self, tiny_mnist[self.path.rsplit("/", 1)[-1]])

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


def test_each_file_comes_from_the_first_source_that_has_it(
    tiny_mnist: Contents, tmp_path: Path
) -> None:
    name = next(iter(tiny_mnist))
    first = write_files(tmp_path / "first", {name: tiny_mnist[name]})
    second = write_files(tmp_path / "second", tiny_mnist)
    fetch("mnist", [str(first), str(second)], tmp_path / "out")
    assert read_files(tmp_path / "out") == tiny_mnist


def test_a_file_with_another_checksum_in_a_folder_is_skipped(
    tiny_mnist: Contents, tmp_path: Path
) -> None:
    changed = write_files(tmp_path / "changed", dict.fromkeys(tiny_mnist, b"something else"))
    originals = write_files(tmp_path / "originals", tiny_mnist)
    fetch("mnist", [str(changed), str(originals)], tmp_path / "out")
    assert read_files(tmp_path / "out") == tiny_mnist


def test_a_mirror_is_downloaded_with_a_progress_bar(
    tiny_mnist: Contents,
    mirror: Callable[[Answer], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fetch("mnist", [mirror(complete)], tmp_path / "out")
    assert read_files(tmp_path / "out") == tiny_mnist
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
def test_the_error_names_a_bad_mirror_and_no_file_is_left(
    answer: Answer, reason: str, mirror: Callable[[Answer], str], tmp_path: Path
) -> None:
    address = mirror(answer)
    with pytest.raises(DatasetError, match=f"(?s){address}: .*({reason}).*Remedies:.*3\\."):
        fetch("mnist", [str(tmp_path / "absent"), address], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_error_gives_the_file_each_source_with_its_reason_and_three_remedies(
    tiny_mnist: Contents, tmp_path: Path
) -> None:
    changed = write_files(tmp_path / "changed", dict.fromkeys(tiny_mnist, b"something else"))
    with pytest.raises(DatasetError) as caught:
        fetch("mnist", ["no/such folder", str(changed)], tmp_path / "out")
    first, absent, wrong, *remedies = str(caught.value).splitlines()
    assert first == "MNIST is not available: no source has train-images-idx3-ubyte.gz"
    assert absent == "  no/such folder: no such file"
    assert wrong.startswith(f"  {changed}: wrong content (SHA-256 ")
    assert remedies == [
        "Remedies:",
        "  1. put the four original files of MNIST into the folder data/mnist;",
        "  2. or name a folder or mirror that has them in the config, under sources.mnist;",
        "  3. or run on the bundled digits, without a network: "
        "snakemake --configfile config/digits.yaml",
    ]


@pytest.mark.parametrize("answer", [html_page, wrong_bytes, cut_off, missing])
def test_after_a_bad_mirror_the_next_source_is_tried(
    answer: Answer, tiny_mnist: Contents, mirror: Callable[[Answer], str], tmp_path: Path
) -> None:
    fetch("mnist", [mirror(answer), mirror(complete)], tmp_path / "out")
    assert read_files(tmp_path / "out") == tiny_mnist


def test_a_mirror_that_fails_once_is_tried_again(
    tiny_mnist: Contents,
    mirror: Callable[[Answer], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "_RETRIES", 1)
    answers = iter([cut_off])

    def fails_once(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        next(answers, complete)(handler, content)

    fetch("mnist", [mirror(fails_once)], tmp_path / "out")
    assert read_files(tmp_path / "out") == tiny_mnist


def test_the_error_of_an_unreachable_mirror_has_no_object_addresses(
    tiny_mnist: Contents, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError) as caught:
        fetch("mnist", ["http://127.0.0.1:9/"], tmp_path / "out")
    assert "no connection" in str(caught.value)
    assert "0x" not in str(caught.value)
