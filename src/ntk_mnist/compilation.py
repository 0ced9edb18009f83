"""How programs are compiled, which decides their bits; ``store.programs`` only keeps them."""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
from jax.experimental.compilation_cache import compilation_cache

__all__ = ["Lower", "Programs", "compile_in_memory", "compile_program"]

Lower: TypeAlias = Callable[[], jax.stages.Lowered]
#: Gives a program by what it computes and a function that lowers it, called only if needed.
Programs: TypeAlias = Callable[[tuple[object, ...], Lower], Callable[..., Any]]

_COMPILED: dict[tuple[object, ...], Callable[..., Any]] = {}


def compile_in_memory(computes: tuple[object, ...], lower: Lower) -> Callable[..., Any]:
    """Compile the program, and store it in this process alone."""
    if computes not in _COMPILED:
        _COMPILED[computes] = lower().compile()
    return _COMPILED[computes]


def compile_program(lower: Lower) -> jax.stages.Compiled:
    """Compile without JAX's own cache: a program from that cache cannot be written to a file."""
    enabled = jax.config.values["jax_enable_compilation_cache"]
    jax.config.update("jax_enable_compilation_cache", False)
    compilation_cache.reset_cache()
    try:
        return lower().compile()
    finally:
        jax.config.update("jax_enable_compilation_cache", enabled)
        compilation_cache.reset_cache()
