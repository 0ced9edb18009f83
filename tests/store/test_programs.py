"""A stored program gives the same bits, and is found only if all that decides them is the same."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from checkout import REPOSITORY

from ntk_mnist.store.programs import StoredPrograms
from ntk_mnist.store.records import Record

MADE: Record = {
    "settings": {"threads": 1},
    "columns": {},
    "code": {"digest": "1", "definitions": {}},
    "libraries": {"jax": "1"},
}
X = np.linspace(-3, 3, 1001, dtype=np.float32)


class Lowering:
    """A program whose lowerings are counted."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> jax.stages.Lowered:
        self.times += 1
        return jax.jit(lambda x: {"y": jnp.tanh(x) @ x, "z": (x, jnp.sin(x))}).lower(X)


@pytest.fixture
def lower() -> Lowering:
    return Lowering()


def bits(program: Any) -> list[bytes]:
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(program(X))]


def test_a_stored_program_is_not_compiled_again_and_gives_the_same_bits(
    tmp_path: Path, lower: Lowering
) -> None:
    expected = bits(lower().compile())
    assert bits(StoredPrograms(tmp_path, MADE)(("f", 1), lower)) == expected
    assert lower.times == 2
    programs = StoredPrograms(tmp_path, MADE)
    assert bits(programs(("f", 1), lower)) == expected
    assert programs(("f", 1), lower) is programs(("f", 1), lower)
    assert lower.times == 2


def test_a_program_that_jax_has_in_its_own_cache_can_be_stored_and_loaded(
    cache_of_jax: Path, tmp_path: Path, lower: Lowering
) -> None:
    expected = bits(lower().compile())
    assert list(cache_of_jax.iterdir())
    for _ in range(2):
        assert bits(StoredPrograms(tmp_path / "stored", MADE)(("f", 1), lower)) == expected


@pytest.mark.parametrize(
    ("computes", "changed"),
    [
        (("f", 2), {}),
        (("f", 1), {"settings": {"threads": 2}}),
        (("f", 1), {"code": {"digest": "2", "definitions": {}}}),
        (("f", 1), {"libraries": {"jax": "2"}}),
    ],
)
def test_a_program_is_compiled_again_if_what_decides_it_differs(
    tmp_path: Path, lower: Lowering, computes: tuple[object, ...], changed: Record
) -> None:
    StoredPrograms(tmp_path, MADE)(("f", 1), lower)
    StoredPrograms(tmp_path, MADE | changed)(computes, lower)
    assert lower.times == 2
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"settings": {"threads": 1, "size": 64, "epochs": 3}},
        {"columns": {"size": "int64"}},
    ],
)
def test_cells_with_other_settings_or_columns_share_a_program(
    tmp_path: Path, lower: Lowering, changed: Record
) -> None:
    StoredPrograms(tmp_path, MADE)(("f", 1), lower)
    StoredPrograms(tmp_path, MADE | changed)(("f", 1), lower)
    assert lower.times == 1


def test_a_program_is_compiled_again_if_the_settings_of_xla_differ(
    tmp_path: Path, lower: Lowering, monkeypatch: pytest.MonkeyPatch
) -> None:
    StoredPrograms(tmp_path, MADE)(("f", 1), lower)
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    StoredPrograms(tmp_path, MADE)(("f", 1), lower)
    assert lower.times == 2


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-9], lambda b: b"", lambda b: b[:99] + b"x" + b[100:]]
)
def test_a_damaged_file_is_replaced_by_a_program_that_is_compiled_again(
    tmp_path: Path, lower: Lowering, damage: Any
) -> None:
    expected = bits(StoredPrograms(tmp_path, MADE)(("f", 1), lower))
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert bits(StoredPrograms(tmp_path, MADE)(("f", 1), lower)) == expected
    assert lower.times == 2
    assert bits(StoredPrograms(tmp_path, MADE)(("f", 1), lower)) == expected
    assert lower.times == 2


@pytest.mark.slow
def test_a_program_is_loaded_for_one_device_where_there_are_several(tmp_path: Path) -> None:
    # The number of devices is decided when JAX starts.
    program = f"""
import jax
from pathlib import Path
from test_programs import MADE, Lowering, StoredPrograms, bits
assert len(jax.devices()) == 3
lower = Lowering()
made, loaded = (StoredPrograms(Path({str(tmp_path)!r}), MADE)(("f", 1), lower) for _ in range(2))
assert lower.times == 1
assert bits(made) == bits(loaded)
"""
    path = os.pathsep.join(str(REPOSITORY / folder) for folder in ("src", "tests", "tests/store"))
    environment = {"PYTHONPATH": path, "JAX_NUM_CPU_DEVICES": "3"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
