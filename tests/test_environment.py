"""The two commands set up what they say, and say in one line why they cannot."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY

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
    assert LOCK.items() <= development.items()


def test_the_lock_has_a_hash_for_every_package_and_no_tensorflow() -> None:
    text = (REPOSITORY / "requirements.lock").read_text()
    for block in re.split(r"\n(?=[a-z])", text)[1:]:
        assert "--hash=sha256:" in block
    assert not {"tensorflow", "tf2jax"} & set(LOCK)


def test_every_rule_names_the_environment_that_is_there() -> None:
    # A rule that named a conda environment instead once failed wherever conda was not.
    for rules in (REPOSITORY / "workflow/rules").glob("*.smk"):
        for name in re.findall(r"conda:\s+\"(.*?)\"", rules.read_text()):
            assert (rules.parent / name).resolve() == REPOSITORY / "environment.yml"


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        # Not as a part of the make that may run these tests.
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
    """The line that says why make failed; make itself may only add that it did."""
    assert result.returncode != 0
    line, *rest = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert all(other.startswith("make: ***") for other in rest)
    return line


@pytest.mark.parametrize("python", ["no-such-python", "old-python"])
def test_a_wrong_python_gets_one_clear_line(bare_checkout: Path, python: str) -> None:
    # Stands for Python 3.10: it fails the version check, which is all that is asked of it.
    old = bare_checkout / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    result = make(bare_checkout, f"PYTHON={'./' if python == old.name else ''}{python}")
    assert "is not Python 3.11 or newer" in one_error_line(result)
    assert not (bare_checkout / ".venv").exists()


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
    assert "is the package registry in reach?" in line
    assert not (bare_checkout / ".venv/installed").exists()
