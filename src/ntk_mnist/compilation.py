"""How programs are compiled, which decides their bits; ``store.programs`` only keeps them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias

import jax
from jax.experimental.compilation_cache import compilation_cache

__all__ = [
    "Lower",
    "Programs",
    "compile_in_memory",
    "compile_program",
    "compiler_options",
    "pinned",
]

Lower: TypeAlias = Callable[[], jax.stages.Lowered]
#: Gives a program by what it computes and a function that lowers it, called only if needed.
Programs: TypeAlias = Callable[[tuple[object, ...], Lower], Callable[..., Any]]

_COMPILED: dict[tuple[object, ...], Callable[..., Any]] = {}
#: LLVM's O2 in place of XLA's O3, whose programs give the same bits. They take longer to compile,
#: and those of an activation's series also longer to run (``benchmarks.compilation``).
_ON_A_CPU: dict[str, str | bool] = {"xla_backend_optimization_level": "2"}


def compiler_options() -> dict[str, str | bool]:
    """XLA's options for the device that computes."""
    return _ON_A_CPU if jax.local_devices()[0].platform == "cpu" else {}


@contextmanager
def pinned(*, x64: bool, partitionable_threefry: bool = True) -> Iterator[None]:
    """JAX's settings that decide numbers, as this package needs them, whatever a program has set.

    Random numbers are those of JAX's default generator, threefry. On a GPU, no TF32 takes the place
    of float32.

    Args:
        x64: whether float64 is used where it is asked for.
        partitionable_threefry: whether random numbers are those of JAX 0.5 and later.
    """
    with ExitStack() as settings:
        for setting in (
            jax.enable_x64(x64),
            jax.default_prng_impl("threefry2x32"),
            jax.threefry_partitionable(partitionable_threefry),
            jax.numpy_dtype_promotion("standard"),
            jax.numpy_rank_promotion("allow"),
            jax.default_matmul_precision("highest"),
            jax.disable_jit(False),
            jax.debug_nans(False),
            jax.debug_infs(False),
            jax.default_device(jax.local_devices()[0]),
        ):
            settings.enter_context(setting)
        yield


def compile_in_memory(computes: tuple[object, ...], lower: Lower) -> Callable[..., Any]:
    """Compile the program, and store it in this process alone."""
    if computes not in _COMPILED:
        _COMPILED[computes] = lower().compile(compiler_options())
    return _COMPILED[computes]


def compile_program(lower: Lower) -> jax.stages.Compiled:
    """Compile without JAX's own cache: a program from that cache cannot be written to a file."""
    enabled = jax.config.values["jax_enable_compilation_cache"]
    jax.config.update("jax_enable_compilation_cache", False)
    compilation_cache.reset_cache()
    try:
        return lower().compile(compiler_options())
    finally:
        jax.config.update("jax_enable_compilation_cache", enabled)
        compilation_cache.reset_cache()
