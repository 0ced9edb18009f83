"""A process compiles a program once, and without JAX's own cache."""

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax.experimental.compilation_cache import compilation_cache

from ntk_mnist.compilation import compile_in_memory, compile_program


class Lowering:
    """A program whose lowerings are counted."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> jax.stages.Lowered:
        self.times += 1
        return jax.jit(lambda x: jnp.tanh(x) * 3).lower(1.0)


def test_a_process_compiles_a_program_once() -> None:
    lower = Lowering()
    program = compile_in_memory(("of this test", 1), lower)
    assert compile_in_memory(("of this test", 1), lower) is program
    assert lower.times == 1
    assert compile_in_memory(("of this test", 2), lower) is not program
    assert lower.times == 2


def test_a_program_is_compiled_without_the_cache_of_jax(
    tmp_path: Path,
) -> None:
    names = ["jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs"]
    before = {name: getattr(jax.config, name) for name in names}
    for name, value in zip(names, [str(tmp_path), 0], strict=True):
        jax.config.update(name, value)
    compilation_cache.reset_cache()
    try:
        assert compile_program(Lowering())(1.0) == pytest.approx(3 * 0.7615942)
        assert list(tmp_path.iterdir()) == []
        # It is used for everything else.
        assert jax.config.values["jax_enable_compilation_cache"]
        Lowering()().compile()
        assert list(tmp_path.iterdir()) != []
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
        compilation_cache.reset_cache()


def test_the_cache_of_jax_is_in_use_again_after_a_failure() -> None:
    def fail() -> jax.stages.Lowered:
        raise RuntimeError("cannot be lowered")

    with pytest.raises(RuntimeError, match="cannot be lowered"):
        compile_program(fail)
    assert jax.config.values["jax_enable_compilation_cache"]
