"""A program is compiled once, without JAX's own cache, and under settings that are pinned."""

import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from settings_of_jax import settings_of_jax

from ntk_mnist.compilation import Lower, compile_in_memory, compile_program, compiler_options
from ntk_mnist.data.inputs import Dataset
from ntk_mnist.infinite_width.recursion import KINDS
from ntk_mnist.kernels.gram import diagonal, gram
from ntk_mnist.kernels.solver import Services
from ntk_mnist.kernels.solvers import SOLVERS
from ntk_mnist.networks.training import Trainer
from ntk_mnist.settings import Architecture, Solve, Training


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


def test_a_program_is_compiled_without_the_cache_of_jax(cache_of_jax: Path) -> None:
    assert compile_program(Lowering())(1.0) == pytest.approx(3 * 0.7615942)
    assert list(cache_of_jax.iterdir()) == []
    # It is used for everything else.
    assert jax.config.values["jax_enable_compilation_cache"]
    Lowering()().compile()
    assert list(cache_of_jax.iterdir()) != []


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_program_that_another_worker_is_writing_fails_no_test(
    cache_of_jax: Path, kept: float
) -> None:
    Lowering()().compile()
    entries = list(cache_of_jax.iterdir())
    assert entries
    for entry in entries:
        os.truncate(entry, int(kept * entry.stat().st_size))
    jax.clear_caches()
    assert Lowering()().compile()(1.0) == pytest.approx(3 * 0.7615942)


def test_the_cache_of_jax_is_in_use_again_after_a_failure() -> None:
    def fail() -> jax.stages.Lowered:
        raise RuntimeError("cannot be lowered")

    with pytest.raises(RuntimeError, match="cannot be lowered"):
        compile_program(fail)
    assert jax.config.values["jax_enable_compilation_cache"]


#: What a program that uses the package, or JAX's environment, may have set.
HOSTILE: dict[str, dict[str, Any]] = {
    "random bits": {"jax_threefry_partitionable": False},
    "float64": {"jax_enable_x64": True},
    "generator": {"jax_default_prng_impl": "rbg"},
    "promotion": {"jax_numpy_dtype_promotion": "strict", "jax_numpy_rank_promotion": "raise"},
    "precision": {"jax_default_matmul_precision": "bfloat16"},
    "no programs": {"jax_disable_jit": True},
    "debugging": {"jax_debug_nans": True, "jax_debug_infs": True},
}


def compile_each_time(_: tuple[object, ...], lower: Lower) -> Any:
    return lower().compile(compiler_options())


def bits_of_a_network(digits: Dataset) -> list[bytes]:
    training = Training(epochs=2, batch_size=64)
    measures = Trainer(Architecture(), training, 16, digits, compile_each_time)(3).network[0]
    return [np.float64(getattr(measures, name)).tobytes() for name in ("train_loss", "test_loss")]


def bits_of_kernels(digits: Dataset) -> list[bytes]:
    def inputs(images: Any) -> Any:
        return digits.inputs(images, np.float64)

    matrices = gram(Architecture(), digits.train_images, None, KINDS, inputs, compile_each_time)
    own = diagonal(Architecture(), digits.test_images, KINDS, inputs, compile_each_time)
    return [values[kind].tobytes() for values in (matrices, own) for kind in KINDS]


def bits_of_the_exact_solver(digits: Dataset) -> list[bytes]:
    solver = SOLVERS["exact"](Services(programs=compile_each_time))
    [solution] = solver.solutions(Architecture(), ["ntk"], digits, Solve().times, 1e-6)
    return [solution.test.tobytes(), solution.variances.tobytes()]


@pytest.mark.slow
@pytest.mark.parametrize("bits_of", [bits_of_a_network, bits_of_kernels, bits_of_the_exact_solver])
def test_settings_of_jax_change_no_bit_of_a_result(digits: Dataset, bits_of: Any) -> None:
    expected = bits_of(digits)
    for name, hostile in HOSTILE.items():
        with settings_of_jax(hostile):
            assert bits_of(digits) == expected, name
