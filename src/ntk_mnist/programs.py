"""Compiled programs, kept in files: what one cell compiled serves every cell like it.

Tracing and compiling take longer than training a small network does. A program is looked up by
all that it follows from: what it computes, the code that says so, the libraries, XLA's settings
and the processor. It is what XLA compiled, bit for bit, so that a cell which finds its program
gives the same bits as one which compiles it.
"""

import hashlib
import os
import pickle
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import jax
from jax.experimental import serialize_executable
from jax.experimental.compilation_cache import compilation_cache

from ntk_mnist.provenance import Record
from ntk_mnist.whole_files import write_whole

__all__ = ["KeptPrograms", "Programs", "compile_anew"]

Lower: TypeAlias = Callable[[], jax.stages.Lowered]
#: Gives a program by what it computes and how it is lowered, which is called only if need be.
Programs: TypeAlias = Callable[[tuple[object, ...], Lower], Callable[..., Any]]

_DIGEST_SIZE = hashlib.sha256().digest_size


def compile_anew(computes: tuple[object, ...], lower: Lower) -> Callable[..., Any]:
    """Compile the program, and keep it for this process alone."""
    if computes not in _COMPILED:
        _COMPILED[computes] = lower().compile()
    return _COMPILED[computes]


_COMPILED: dict[tuple[object, ...], Callable[..., Any]] = {}


@dataclass(frozen=True)
class KeptPrograms:
    """Programs in a folder.

    Attributes:
        folder: made where it is needed; whoever can write there can run code here.
        made: what makes the cell's file, of which the code, the libraries and the threads count.
    """

    folder: Path
    made: Record
    _loaded: dict[tuple[object, ...], Callable[..., Any]] = field(default_factory=dict)

    def __call__(self, computes: tuple[object, ...], lower: Lower) -> Callable[..., Any]:
        """The program: from its file, or else compiled and written there."""
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
            return serialize_executable.deserialize_and_load(*pickle.loads(program))
        compiled = _compiled(lower)
        program = pickle.dumps(serialize_executable.serialize(compiled))
        digest = hashlib.sha256(program).digest()
        write_whole(file, lambda stream: stream.write(digest + program))
        return compiled


def _compiled(lower: Lower) -> jax.stages.Compiled:
    """Compile without JAX's own cache: what that gives cannot be written out again."""
    enabled = jax.config.values["jax_enable_compilation_cache"]
    jax.config.update("jax_enable_compilation_cache", False)
    compilation_cache.reset_cache()
    try:
        return lower().compile()
    finally:
        jax.config.update("jax_enable_compilation_cache", enabled)
        compilation_cache.reset_cache()


def _machine() -> list[object]:
    """What the machine code is for."""
    device = jax.devices()[0]
    settings = sorted(
        (name, value)
        for name, value in os.environ.items()
        if name.startswith(("XLA_FLAGS", "JAX_")) and "CACHE" not in name
    )
    return [device.platform, device.device_kind, _processor(), platform.python_version(), settings]


def _processor() -> str:
    """The processor's name and its instruction sets, as far as the system tells."""
    listing = Path("/proc/cpuinfo")
    if not listing.exists():
        return f"{platform.machine()} {platform.processor()}"
    first = listing.read_text().split("\n\n")[0].splitlines()
    return "\n".join(line for line in first if line.startswith(("model", "flags", "Features")))
