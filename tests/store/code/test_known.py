"""What was read of the code is kept beside bytecode, and never taken for that of other sources."""

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import REPOSITORY

pytestmark = pytest.mark.slow

ENTRIES = "('networks.training.Trainer',), (('architecture.ACTIVATIONS', 'relu'),)"
PROGRAM = f"""
from ntk_mnist.store import code_digest
read, code_digest.code_in = code_digest.code_in, lambda *a: print("read") or read(*a)
found = code_digest.code_of({ENTRIES})
assert found == read("ntk_mnist", code_digest.read_sources(code_digest._PACKAGE), {ENTRIES})
print(found.digest)
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    copied = shutil.copytree(REPOSITORY / "src/ntk_mnist", tmp_path / "ntk_mnist", ignore=ignored)
    return Path(copied)


def run(package: Path, *options: str) -> list[str]:
    """Words: ``read`` if the code was read, and the digest, which is compared with that of now."""
    return subprocess.run(
        [sys.executable, *options, "-c", PROGRAM],
        env={"PYTHONPATH": str(package.parent)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()


def kept(package: Path) -> list[Path]:
    return sorted(package.glob("__pycache__/code-*.json"))


def test_code_is_read_once_for_all_processes(package: Path) -> None:
    first, again = run(package), run(package)
    assert first == ["read", again[-1]]
    assert len(again) == len(kept(package)) == 1


@pytest.mark.parametrize("file", ["networks/training.py", "store/code/closure.py", "new.py"])
def test_code_is_read_again_after_any_change_of_the_sources(package: Path, file: str) -> None:
    before = run(package)
    changed = package / file
    whole = changed.read_bytes() if changed.exists() else None
    changed.write_bytes((whole or b"") + b"\n# A comment.\n")
    # The comment counts for what is known, and not for the digest.
    assert run(package) == before
    assert len(kept(package)) == 1
    if whole is None:
        changed.unlink()
    else:
        changed.write_bytes(whole)
    assert run(package) == before


def test_a_damaged_file_is_not_believed(package: Path) -> None:
    before = run(package)
    (file,) = kept(package)
    whole = file.read_bytes()
    for damaged in (whole[:-1], whole.replace(b'"0', b'"1'), b"", b"\n", b"\xff" * 99):
        if damaged != whole:
            file.write_bytes(damaged)
            assert run(package) == before
            assert file.read_bytes() == whole


def test_nothing_is_kept_where_python_keeps_no_bytecode(package: Path) -> None:
    for _ in range(2):
        assert run(package, "-B")[0] == "read"
    assert kept(package) == []


def test_a_folder_that_cannot_be_written_to_costs_time_alone(package: Path) -> None:
    # A file in the folder's place, as root may write to any folder.
    (package / "__pycache__").write_bytes(b"")
    for _ in range(2):
        assert run(package)[0] == "read"
    assert stat.S_ISREG((package / "__pycache__").stat().st_mode)
