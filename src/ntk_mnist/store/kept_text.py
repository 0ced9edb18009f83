"""Text that takes long to make, in a file that states its digest."""

from collections.abc import Callable
from pathlib import Path

from ntk_mnist.store.stated_digest import PLACE, state_digest, stated_digest
from ntk_mnist.store.whole_files import write_whole

__all__ = ["keep_text", "kept_text", "text_in"]


def kept_text(file: Path, make: Callable[[], str]) -> str:
    """The text in a file; if there is none, or it was damaged, it is made and written there.

    Args:
        file: its name says what the text follows from.
        make: makes the text, which has no place for a digest.
    """
    text = text_in(file)
    if text is None:
        text = make()
        keep_text(file, text)
    return text


def text_in(file: Path) -> str | None:
    """The text that is kept in a file; None if there is no such file, or it was damaged."""
    try:
        content = file.read_bytes()
        stated_digest(content)
    except (OSError, ValueError):
        return None
    return content.partition(b"\n")[2].decode()


def keep_text(file: Path, text: str) -> None:
    """Keep a text in a file.

    Raises:
        OSError: it cannot be written.
    """
    content = state_digest(f"{PLACE}\n{text}".encode())
    write_whole(file, lambda stream: stream.write(content))
