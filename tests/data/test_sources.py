"""Original files come from the first source that has them, and only if their checksums match."""

import contextlib
import errno
import gzip
import os
import random
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


def endless(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    with contextlib.suppress(ConnectionError):
        while True:
            handler.wfile.write(bytes(100_000))


def redirect(to: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def going_round(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    redirect(handler.path)(handler, content)


def encoded(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    """A client that decodes what a server says that it encoded gets no gzip file."""
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def encoded_again(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    encoded(handler, gzip.compress(content))


def falsely_encoded(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    encoded(handler, b"not gzip at all")


def without_a_length(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "many")
    handler.end_headers()
    handler.wfile.write(content)


def unpacked(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    if handler.path.endswith(".gz"):
        handler.send_error(403)
    else:
        complete(handler, gzip.decompress(content))


@pytest.fixture
def mirror(tiny_mnist: Contents) -> Iterator[Callable[[Answer], str]]:
    """Start a mirror on loopback that answers in a given way; returns its address."""
    servers = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rsplit("/", 1)[-1].removesuffix(".gz").replace(".idx", "-idx")
                answer(self, tiny_mnist[f"{name}.gz"])

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
        (html_page, "wrong content"),
        (wrong_bytes, "wrong content"),
        (cut_off, "download failed|no connection"),
        (missing, "the server answered 404"),
        (silent, "no answer in time"),
        (trickling, "too slow"),
        (endless, "wrong content .more than 1,0..,... bytes"),
        (going_round, "the server redirects again and again"),
        (redirect("http://["), "not an address"),
        (redirect("ftp://127.0.0.1/"), "neither a folder nor an http.s. address"),
        (falsely_encoded, "the download failed"),
        (without_a_length, "not an address, or no answer of a server"),
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


FOLDERS = ("", "raw", "MNIST/raw")


def anew(content: bytes) -> bytes:
    return gzip.compress(gzip.decompress(content), 1)


#: The forms in which people have the original files: by the change of a file's name, its content.
FORMS: dict[str, tuple[Callable[[str], str], Callable[[bytes], bytes]]] = {
    "published": (lambda name: name, lambda content: content),
    "compressed anew": (lambda name: name, anew),
    "compressed twice": (lambda name: name, gzip.compress),
    "not compressed": (lambda name: name.removesuffix(".gz"), gzip.decompress),
    "not compressed, with a dot": (
        lambda name: name.removesuffix(".gz").replace("-idx", ".idx"),
        gzip.decompress,
    ),
    "compressed, with a dot": (lambda name: name.replace("-idx", ".idx"), anew),
    "not compressed, named as if": (lambda name: name, gzip.decompress),
    "compressed, not named so": (lambda name: name.removesuffix(".gz"), anew),
}


def contents_of(folder: Path) -> Contents:
    """The contents of compressed files."""
    return {name: gzip.decompress(file) for name, file in read_files(folder).items()}


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("form", FORMS)
def test_a_folder_may_have_the_files_in_every_form_that_people_have(
    form: str, folder: str, tiny_mnist: Contents, tmp_path: Path
) -> None:
    rename, change = FORMS[form]
    files = {rename(name): change(content) for name, content in tiny_mnist.items()}
    source = tmp_path / "source"
    write_files(source / folder, files)
    fetch("mnist", [str(source)], tmp_path / "out")
    assert contents_of(tmp_path / "out") == {
        name: gzip.decompress(content) for name, content in tiny_mnist.items()
    }


@pytest.mark.parametrize("answer", [encoded, encoded_again, unpacked])
def test_a_mirror_may_send_the_files_in_another_form(
    answer: Answer, tiny_mnist: Contents, mirror: Callable[[Answer], str], tmp_path: Path
) -> None:
    fetch("mnist", [mirror(answer)], tmp_path / "out")
    assert contents_of(tmp_path / "out") == {
        name: gzip.decompress(content) for name, content in tiny_mnist.items()
    }


def test_of_two_forms_in_a_folder_the_right_one_is_taken(
    tiny_mnist: Contents, tmp_path: Path
) -> None:
    source = write_files(tmp_path / "source", dict.fromkeys(tiny_mnist, b"damaged"))
    # Some archives unpack to folders of the files' names.
    for name, content in tiny_mnist.items():
        bare = name.removesuffix(".gz")
        (source / bare).mkdir()
        (source / bare.replace("-idx", ".idx")).write_bytes(gzip.decompress(content))
    fetch("mnist", [str(source)], tmp_path / "out")
    assert set(read_files(tmp_path / "out")) == set(tiny_mnist)


def test_random_files_are_never_taken_for_originals(tiny_mnist: Contents, tmp_path: Path) -> None:
    rng = random.Random(0)
    for i in range(200):
        rename, change = rng.choice([*FORMS.values()])
        files = {}
        for name, content in tiny_mnist.items():
            changed = bytearray(gzip.decompress(content))
            changed[rng.randrange(len(changed))] ^= rng.randrange(1, 256)
            files[rename(name)] = change(gzip.compress(changed))
        source = write_files(tmp_path / f"source-{i}", files)
        with pytest.raises(DatasetError, match="wrong content"):
            fetch("mnist", [str(source)], tmp_path / "out")
    assert read_files(tmp_path / "out") == {}


UNUSABLE = {
    "~nouser/x": "the home of that user is not known",
    "~nouser": "the home of that user is not known",
    "{tmp}/file": "not a folder",
    "{tmp}/file/below": "not a folder",
    "{tmp}/loop": "Too many levels of symbolic links",
    "{tmp}/pipes": "not a file",
    "{tmp}/" + "x" * 300: "File name too long",
    "{tmp}/" + "x/" * 3000: "File name too long",
    "{tmp}/nul\0": "null byte",
    "{tmp}/\udcff": "no such file",
    "\ud800": "surrogates not allowed",
    "": "no such file",
    "http://": "not an address",
    "http://[": "not an address",
    "http://[::1": "not an address",
    "http://[zz]/": "not an address",
    "http://.example/": "not an address",
    "http://a b/": "not an address|no connection",
    "http://127.0.0.1:99999/": "not an address|no connection",
    "http://127.0.0.1:port/": "not an address",
    "http://*/": "not an address",
    "ftp://127.0.0.1/": "neither a folder nor an http",
    "file:///tmp": "neither a folder nor an http",
    "s3://bucket": "neither a folder nor an http",
    "://": "neither a folder nor an http|not an address",
    "http://127.0.0.1:9/": "no connection",
}


@pytest.mark.parametrize("source", UNUSABLE)
def test_after_a_source_that_cannot_be_used_the_next_is_tried(
    source: str, tiny_mnist: Contents, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "pipes").mkdir()
    for name in tiny_mnist:
        os.mkfifo(tmp_path / "pipes" / name)
    originals = write_files(tmp_path / "originals", tiny_mnist)
    unusable = source.replace("{tmp}", str(tmp_path))
    fetch("mnist", [unusable, str(originals)], tmp_path / "out")
    assert read_files(tmp_path / "out") == tiny_mnist
    with pytest.raises(DatasetError, match=UNUSABLE[source]) as error:
        fetch("mnist", [unusable], tmp_path / "more")
    assert len(str(error.value).splitlines()) == 6
    assert list((tmp_path / "more").iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_after_a_folder_that_may_not_be_read_the_next_is_tried(
    tiny_mnist: Contents, tmp_path: Path
) -> None:
    closed = write_files(tmp_path / "closed", tiny_mnist)
    closed.chmod(0)
    originals = write_files(tmp_path / "originals", tiny_mnist)
    fetch("mnist", [str(closed), str(originals)], tmp_path / "out")
    closed.chmod(0o700)
    assert read_files(tmp_path / "out") == tiny_mnist


def test_certificates_that_are_missing_are_a_fault_of_the_source(
    tiny_mnist: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    originals = write_files(tmp_path / "originals", tiny_mnist)
    fetch("mnist", ["https://127.0.0.1:9/", str(originals)], tmp_path / "out")
    assert read_files(tmp_path / "out") == tiny_mnist


@pytest.mark.parametrize("remote", [False, True])
def test_a_full_disk_is_no_fault_of_a_source(
    remote: bool,
    tiny_mnist: Contents,
    mirror: Callable[[Answer], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(file: Path, write: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sources, "write_whole", full)
    source = mirror(complete) if remote else str(write_files(tmp_path / "originals", tiny_mnist))
    with pytest.raises(OSError, match="No space left"):
        fetch("mnist", [source], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
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
