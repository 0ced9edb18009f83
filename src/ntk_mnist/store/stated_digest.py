"""Files that state their own SHA-256, so that a changed byte anywhere in them is found.

The digest is that of the file with zeros in its place.
"""

import hashlib
import re

__all__ = ["PLACE", "state_digest", "stated_digest"]

#: Put into a file, exactly once, where its digest is to be.
PLACE = f"sha256:{'0' * 64}"

_STATED = re.compile(rb"sha256:([0-9a-f]{64})")


def state_digest(content: bytes) -> bytes:
    """The content of a file, with its digest in its place.

    Raises:
        ValueError: the content has no place for it, or several.
    """
    if _STATED.findall(content) != [b"0" * 64]:
        raise ValueError("a file has exactly one place for its digest")
    digest = hashlib.sha256(content).hexdigest()
    return content.replace(PLACE.encode(), f"sha256:{digest}".encode())


def stated_digest(content: bytes) -> str:
    """The digest that the content of a file states, if it is right.

    Raises:
        ValueError: it states none, or another one than it has.
    """
    found = _STATED.search(content)
    if not found:
        raise ValueError("no checksum")
    start, end = found.span()
    zeros = hashlib.sha256(content[:start])
    zeros.update(PLACE.encode())
    zeros.update(memoryview(content)[end:])
    stated = found[1].decode()
    if zeros.hexdigest() != stated:
        raise ValueError("checksum mismatch")
    return stated
