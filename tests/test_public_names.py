"""What ``import ntk_mnist`` offers, and that it costs nothing until it is used."""

import json
import subprocess
import sys
from importlib import import_module

import pytest
from checkout import REPOSITORY

import ntk_mnist

#: Everything is called, in a process whose settings of JAX a person has chosen.
USED = """
import json, os, sys
import jax, numpy as np
jax.config.update("jax_enable_x64", json.loads(sys.argv[1]))
before = dict(jax.config.values), dict(os.environ), jax.numpy.ones(3).dtype
import ntk_mnist as ntk
x, architecture = np.linspace(-1, 1, 24).reshape(12, 2), ntk.Architecture(activation="erf")
y = np.arange(8) % 2
found = [
    ntk.kernel(x, None, architecture),
    ntk.predict(x[:8], y, x[8:], architecture),
    ntk.train(x[:8], y, x[8:], architecture, times=[1.0], width=8).predictions,
]
assert (dict(jax.config.values), dict(os.environ), jax.numpy.ones(3).dtype) == before
print(json.dumps([[array.dtype.name, array.ravel().tolist()] for array in found]))
"""


def run(program: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        env={"PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("name", ntk_mnist._MODULES)
def test_a_public_name_is_that_of_its_module(name: str) -> None:
    assert getattr(ntk_mnist, name) is getattr(import_module(ntk_mnist._MODULES[name]), name)


def test_public_names_are_listed_before_they_are_used() -> None:
    assert set(ntk_mnist.__all__) <= set(
        json.loads(run("import json, ntk_mnist\nprint(json.dumps(dir(ntk_mnist)))"))
    )


def test_another_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'ntk_mnist' has no attribute 'no_such'"):
        _ = ntk_mnist.no_such  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_star_import_has_the_public_names() -> None:
    said = run("from ntk_mnist import *\nprint(*sorted(n for n in dir() if n[0] != '_'))")
    assert said.split() == ntk_mnist.__all__


@pytest.mark.slow
def test_no_call_changes_a_setting_of_jax_or_depends_on_one() -> None:
    of_float32, of_float64 = (run(USED, x64) for x64 in ("false", "true"))
    assert of_float32 == of_float64
    assert [name for name, _ in json.loads(of_float32)] == ["float64", "float64", "float32"]
