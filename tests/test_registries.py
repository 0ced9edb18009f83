"""The names in a registry are read from source, and only if they are written out there."""

from pathlib import Path

import pytest

from ntk_mnist import registries
from ntk_mnist.registries import names_in, text_in

MODULE = '''
"""Registries of a test."""
from collections.abc import Mapping
import no_such_library
DICT: Mapping[str, object] = {"b": lambda x: x, "a": no_such_library.f}
TUPLE = ("d", "c")
LIST = ["f", "e"]
EMPTY = {}
COMPUTED = {"a" + "b": 1}
NUMBERS = (1, 2)
SPREAD = {**DICT, "z": 1}
CALLED = dict(a=1)
TEXT = "one " "sentence."
ANNOTATED: str = "another"
F_STRING = f"{TEXT}"

def function():
    LOCAL = ("x",)
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with registries, read in the place of this one."""
    (tmp_path / "room").mkdir()
    (tmp_path / "room/module.py").write_text(MODULE)
    monkeypatch.setattr(registries, "_PACKAGE", tmp_path)
    for function in (names_in, text_in):
        function.cache_clear()
    return tmp_path


@pytest.fixture(autouse=True)
def _forget() -> None:
    """Forget what an earlier test read."""
    names_in.cache_clear()
    text_in.cache_clear()


def test_the_names_are_the_keys_or_items_in_their_order(package: Path) -> None:
    assert names_in("room.module.DICT") == ("b", "a")
    assert names_in("room.module.TUPLE") == ("d", "c")
    assert names_in("room.module.LIST") == ("f", "e")
    assert names_in("room.module.EMPTY") == ()


@pytest.mark.parametrize("name", ["COMPUTED", "NUMBERS", "SPREAD", "CALLED", "TEXT"])
def test_names_that_are_not_written_out_are_an_error(package: Path, name: str) -> None:
    with pytest.raises(LookupError, match=rf"room\.module\.{name} are not written out as strings"):
        names_in(f"room.module.{name}")


@pytest.mark.parametrize("registry", ["room.module.NOTHING", "room.module.LOCAL", "nowhere.DICT"])
def test_a_registry_that_does_not_exist_is_an_error(package: Path, registry: str) -> None:
    variable = registry.rpartition(".")[2]
    with pytest.raises(LookupError, match=rf"no {variable} in .*\.py"):
        names_in(registry)


def test_a_text_is_read_whole(package: Path) -> None:
    assert text_in("room.module.TEXT") == "one sentence."
    assert text_in("room.module.ANNOTATED") == "another"


@pytest.mark.parametrize("name", ["F_STRING", "DICT", "NUMBERS"])
def test_a_text_that_is_not_written_out_is_an_error(package: Path, name: str) -> None:
    with pytest.raises(LookupError, match=rf"room\.module\.{name} is not written out as a string"):
        text_in(f"room.module.{name}")


def test_the_optimizers_are_read_without_importing_them() -> None:
    assert names_in("networks.training.OPTIMIZERS") == (
        *("sgd", "momentum", "nesterov", "adam", "gradient_descent"),
    )
