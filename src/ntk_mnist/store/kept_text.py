"""Text that takes long to make, in a file that states its digest."""

from collections.abc import Callable
from pathlib import Path

from ntk_mnist.store.stated_digest import PLACE, state_digest, stated_digest
from ntk_mnist.store.whole_files import write_whole

__all__ = ["kept_text"]


def kept_text(file: Path, make: Callable[[], str]) -> str:
    """The text in a file; if there is none, or it was damaged, it is made and written there.

    Args:
        file: its name says what the text follows from.
        make: makes the text, which has no place for a digest.
    """
    content = file.read_bytes() if file.exists() else b""
    if not _is_whole(content):
        content = state_digest(f"{PLACE}\n{make()}".encode())
        write_whole(file, lambda stream: stream.write(content))
    return content.partition(b"\n")[2].decode()


def _is_whole(content: bytes) -> bool:
    try:
        stated_digest(content)
    except ValueError:
        return False
    return True
