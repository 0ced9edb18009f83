"""Compiled programs, stored in files, so that a program is compiled once for all cells that use it.

Tracing and compiling take longer than training a small network does. A program is looked up by
everything that it depends on: what it computes, the code, the libraries, XLA's settings and the
processor. The file holds what XLA compiled, bit for bit, so that a cell gives the same bits whether
it finds its program or compiles it.
"""

import hashlib
import os
import pickle
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
from jax.experimental import serialize_executable

from ntk_mnist.compilation import Lower, compile_program
from ntk_mnist.store.records import Record
from ntk_mnist.store.whole_files import write_whole

__all__ = ["StoredPrograms"]

_DIGEST_SIZE = hashlib.sha256().digest_size


@dataclass(frozen=True)
class StoredPrograms:
    """Programs in a folder.

    Attributes:
        folder: created if needed. Whoever can write to it can run code in a cell's process.
        made: the record of the cell, of which the code, the libraries and the threads count.
    """

    folder: Path
    made: Record
    _loaded: dict[tuple[object, ...], Callable[..., Any]] = field(default_factory=dict)

    def __call__(self, computes: tuple[object, ...], lower: Lower) -> Callable[..., Any]:
        """The program, from its file; if there is none, it is compiled and written there."""
        if computes not in self._loaded:
            self._loaded[computes] = self._load(computes, lower)
        return self._loaded[computes]

    def _load(self, computes: tuple[object, ...], lower: Lower) -> Callable[..., Any]:
        threads = self.made["settings"]["threads"]
        key = [computes, self.made["code"], self.made["libraries"], threads, _machine()]
        file = self.folder / hashlib.sha256(repr(key).encode()).hexdigest()[:32]
        content = file.read_bytes() if file.exists() else b""
        digest, program = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
        if content and digest == hashlib.sha256(program).digest():
            # A cell uses one device, also where there are several.
            executable, in_tree, out_tree = pickle.loads(program)
            return serialize_executable.deserialize_and_load(
                executable, in_tree, out_tree, execution_devices=jax.local_devices()[:1]
            )
        compiled = compile_program(lower)
        program = pickle.dumps(serialize_executable.serialize(compiled))
        digest = hashlib.sha256(program).digest()
        write_whole(file, lambda stream: stream.write(digest + program))
        return compiled


def _machine() -> list[object]:
    """What the machine code depends on."""
    device = jax.devices()[0]
    settings = sorted(
        (name, value)
        for name, value in os.environ.items()
        if name.startswith(("XLA_FLAGS", "JAX_")) and "CACHE" not in name
    )
    return [device.platform, device.device_kind, _processor(), platform.python_version(), settings]


def _processor() -> str:
    """The processor's name and its instruction sets, as far as the system reports them."""
    listing = Path("/proc/cpuinfo")
    if not listing.exists():
        return f"{platform.machine()} {platform.processor()}"
    first = listing.read_text().split("\n\n")[0].splitlines()
    return "\n".join(line for line in first if line.startswith(("model", "flags", "Features")))
