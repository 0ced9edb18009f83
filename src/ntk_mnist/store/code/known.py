"""What was read of the package's code before, kept where Python keeps its bytecode.

To read the code takes half of a plan. What comes out follows from the sources of the package, this
module among them, and from the version of Python, which parses them; a digest of both is in the
name of the file. As with bytecode, nothing is kept where Python may not write.
"""

import hashlib
import sys
from collections.abc import Callable
from importlib.util import cache_from_source
from pathlib import Path
from typing import TypeVar

import msgspec

from ntk_mnist.store.code.source import Sources
from ntk_mnist.store.kept_text import keep_text, text_in

__all__ = ["digest_of_sources", "known"]

Found = TypeVar("Found")


def known(
    package: Path,
    of_sources: str,
    asked: tuple[object, ...],
    find: Callable[[], Found],
    kind: type[Found],
) -> Found:
    """What ``find`` returns, read from a file if there is one.

    Args:
        package: the folder of the package that this module is in.
        of_sources: the digest of its sources.
        asked: all else that the result depends on.
        find: makes the result.
        kind: the type of the result.
    """
    folder = Path(cache_from_source(str(package / "__init__.py"))).parent
    name = f"code-{of_sources}-"
    file = folder / f"{name}{hashlib.sha256(repr(asked).encode()).hexdigest()[:16]}.json"
    text = text_in(file)
    if text is not None:
        return msgspec.json.decode(text, type=kind)
    found = find()
    if not sys.dont_write_bytecode:
        try:
            keep_text(file, msgspec.json.encode(found).decode())
            for old in folder.glob("code-*.json"):
                if not old.name.startswith(name):
                    old.unlink(missing_ok=True)
        except OSError:
            # The folder may be another user's, or the disk full. Nothing depends on the file.
            pass
    return found


def digest_of_sources(sources: Sources) -> str:
    """A digest of all that decides what is read of a package, 16 hexadecimal digits."""
    found = hashlib.sha256(sys.version.encode())
    for name, source in sources:
        found.update(f"\n{name} {len(source)}\n".encode())
        found.update(source)
    return found.hexdigest()[:16]
