"""The two commands set up what they promise, and say in one line why they cannot."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from charts.made_up_tables import tables
from checkout import REPOSITORY

from ntk_mnist.store.schemas import TABLE_SCHEMAS
from ntk_mnist.store.shards import write_table

PIN = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)( ; [^\\]+?)? *\\?$")


def pins(lines: list[str]) -> dict[str, tuple[str, str]]:
    """Version and marker by name."""
    found = [match.groups(default="") for line in lines if (match := PIN.match(line))]
    return {name: (version, marker.strip()) for name, version, marker in found}


LOCK = pins((REPOSITORY / "requirements.lock").read_text().splitlines())


def test_conda_and_the_lock_pin_the_same_versions() -> None:
    environment = yaml.safe_load((REPOSITORY / "environment.yml").read_text())
    requirements = environment["dependencies"][-1]["pip"]
    folders = [line for line in requirements if line.startswith("./")]
    assert pins(requirements) == LOCK
    assert len(requirements) == len(LOCK) + len(folders)
    assert len(LOCK) > 50
    assert {Path(folder).name for folder in folders} == {"tensorflow", "tf2jax"}
    assert all((REPOSITORY / folder / "pyproject.toml").is_file() for folder in folders)


def test_the_development_lock_extends_the_lock() -> None:
    development = pins((REPOSITORY / "requirements-dev.lock").read_text().splitlines())
    for name, (version, marker) in LOCK.items():
        # What tests need on every machine, a run may need on some.
        assert development[name] in ((version, marker), (version, "")), name


def test_the_lock_has_a_hash_for_every_package_and_no_tensorflow() -> None:
    text = (REPOSITORY / "requirements.lock").read_text()
    for block in re.split(r"\n(?=[a-z])", text)[1:]:
        assert "--hash=sha256:" in block
    assert not {"tensorflow", "tf2jax"} & set(LOCK)


def test_every_rule_names_the_environment_that_is_there() -> None:
    # A rule that named a conda environment instead once failed without conda.
    for rules in (REPOSITORY / "workflow/rules").glob("*.smk"):
        for name in re.findall(r"conda:\s+\"(.*?)\"", rules.read_text()):
            assert (rules.parent / name).resolve() == REPOSITORY / "environment.yml"


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        # Without the variables of the make that may run these tests.
        env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(REPOSITORY / name, tmp_path)
    return tmp_path


def one_error_line(result: subprocess.CompletedProcess[str]) -> str:
    """The line that says why make failed; make itself only adds that it did."""
    assert result.returncode != 0
    line, *rest = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert all(other.startswith("make: ***") for other in rest)
    return line


@pytest.mark.parametrize("python", ["no-such-python", "old-python"])
def test_a_wrong_python_gets_one_clear_line(bare_checkout: Path, python: str) -> None:
    # In place of Python 3.10: it fails the version check, the only thing that it is asked.
    old = bare_checkout / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    result = make(bare_checkout, f"PYTHON={'./' if python == old.name else ''}{python}")
    assert "is not Python 3.11 or newer" in one_error_line(result)
    assert not (bare_checkout / ".venv").exists()


@pytest.mark.slow
def test_no_registry_gets_one_clear_line(bare_checkout: Path) -> None:
    result = make(
        bare_checkout,
        f"PYTHON={sys.executable}",
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_FIND_LINKS="",
        PIP_NO_CACHE_DIR="1",
        PIP_RETRIES="0",
    )
    line = one_error_line(result)
    assert line.startswith("error: the packages of requirements.lock cannot be installed")
    assert "can the package registry be reached?" in line
    assert not (bare_checkout / ".venv/installed").exists()


def imported(python: Path) -> str:
    """Where a Python finds the package, from a folder without it."""
    program = "import ntk_mnist; print(ntk_mnist.__file__)"
    return subprocess.run(
        [python, "-c", program],
        cwd="/",
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_the_recipe_of_the_environment_makes_the_package_importable(tmp_path: Path) -> None:
    recipe = (REPOSITORY / "Makefile").read_text()
    (program,) = re.findall(r"@\$\(BIN\)/python -c '(import pathlib.*?)'", recipe, re.S)
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv/bin/python"
    program = program.replace("\\\n", "")
    subprocess.run([python, "-c", program], cwd=REPOSITORY, check=True)
    assert imported(python) == str(REPOSITORY / "src/ntk_mnist/__init__.py")


#: In a folder with tables, and without a checkout.
NOTEBOOK = """
import ntk_mnist as ntk
print(ntk.__file__)
x = [[0.0, 1.0], [1.0, 0.5], [0.5, 0.5]]
assert ntk.kernel(x, architecture=ntk.Architecture(activation="erf")).shape == (3, 3)
assert ntk.predict(x, [0, 1, 1], x).shape == (1, 3, 2)
assert ntk.train(x, [0, 1, 1], x, times=[1.0], width=8).predictions.shape == (1, 3, 2)
assert len(ntk.read_table(".", "network"))
ntk.figure(".", "comparison").save("comparison.svg")
"""


@pytest.mark.slow
def test_pip_installs_the_package_and_a_notebook_needs_nothing_else(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    source = shutil.copytree(
        REPOSITORY / "src", tmp_path / "clone/src", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source.parent)
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", str(source.parent)]
    subprocess.run(command, check=True, capture_output=True)
    shutil.rmtree(source.parent)
    for name, frame in tables().items():
        table = pa.Table.from_pandas(frame, TABLE_SCHEMAS[name], preserve_index=False)
        write_table(tmp_path / f"{name}.parquet", table, {})
    # The packages of this environment, but not what its .pth files point to.
    said = subprocess.run(
        [python, "-c", NOTEBOOK],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")},
        capture_output=True,
        text=True,
        check=True,
    )
    installed = Path(said.stdout.strip())
    assert installed.is_relative_to(tmp_path / "venv")
    # For type checkers.
    assert installed.with_name("py.typed").exists()
    assert (tmp_path / "comparison.svg").stat().st_size > 10_000
