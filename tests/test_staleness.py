"""Only what is stale runs again, and the plan says why, on real Snakemake."""

import os
import random
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Checkout

CHARTS = Counter(chart=3)
NETWORKS = Counter(network=4, network_table=1, chart=3)
KERNELS = Counter(kernel=2, kernel_table=1, calibration_table=1, chart=3)
CELL = "results/tiny/nn/width=8/size=64/seed=0.parquet"


def edit(checkout: Checkout, file: str, old: str, new: str) -> None:
    path = checkout.folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def plan(checkout: Checkout, *arguments: str) -> tuple[Counter[str], dict[str, set[str]]]:
    """Jobs by rule, and for each kind of job the reasons that the plan gives."""
    result = checkout.snakemake("--dry-run", "--nocolor", *arguments)
    assert result.returncode == 0, result.stderr
    counts, text = checkout.counted(result.stderr + result.stdout), result.stdout
    why: dict[str, set[str]] = {}
    for kind, reason in re.findall(r"Job \d+: (\w+).*\nReason: (.*)", text):
        found = re.findall(r"\.snakemake/because/(.*?)(?=, \.snakemake|;|$)", reason)
        why.setdefault(kind, set()).update(found)
    return counts, why


@pytest.mark.parametrize(
    ("file", "old", "new", "jobs", "reason"),
    [
        ("src/ntk_mnist/kernel.py", "_TILE = 1024", "_TILE = 512", KERNELS, "ntk_mnist.kernel changed"),
        (
            "src/ntk_mnist/gradient_flow.py", "len(eigenvalues) * _EPS", "2 * len(eigenvalues) * _EPS",
            KERNELS, "ntk_mnist.gradient_flow changed",
        ),
        (
            "src/ntk_mnist/calibration.py", "GROUPS = 20", "GROUPS = 10",
            KERNELS, "ntk_mnist.calibration changed",
        ),
        ("src/ntk_mnist/network.py", "_BLOCK = 256", "_BLOCK = 128", NETWORKS, "ntk_mnist.network changed"),
        ("src/ntk_mnist/charts.py", "strokeWidth=1.8", "strokeWidth=2", CHARTS, "ntk_mnist.charts changed"),
        ("tiny.yaml", "epochs: 2", "epochs: 3", NETWORKS, "epochs was 2, is 3"),
        ("tiny.yaml", "[10, 1000]", "[10, 100]", KERNELS, "times was [10.0, 1000.0], is [10, 100]"),
        ("tiny.yaml", "times:", "diag_reg: 0.1, times:", KERNELS, "diag_reg was 0.0, is 0.1"),
        (
            "tiny.yaml", "epochs:", "activation: erf, epochs:",
            NETWORKS + KERNELS - CHARTS, "activation was relu, is erf",
        ),
    ],
)  # fmt: skip
def test_a_change_runs_what_it_bears_on_and_says_so(
    done: Checkout, file: str, old: str, new: str, jobs: Counter[str], reason: str
) -> None:
    edit(done, file, old, new)
    counts, why = plan(done)
    assert counts == jobs
    cell_kinds = [kind for kind in ("Training", "Solving", "Drawing") if why.get(kind)]
    assert cell_kinds
    assert all(reason in why[kind] for kind in cell_kinds)
    # And back again.
    edit(done, file, new, old)
    assert plan(done)[0] == Counter()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("src/ntk_mnist/network.py", "    rng = ", "    # Surely:\n    rng = "),
        ("src/ntk_mnist/kernel.py", '"""', '"""Once more: '),
        ("src/ntk_mnist/gradient_flow.py", "ridge: float", "ridge:  float"),
        ("src/ntk_mnist/provenance.py", "[:16]", "[:16 + 0]"),
        ("src/ntk_mnist/sources.py", "10, 30, 2", "20, 30, 2"),
        ("src/ntk_mnist/config.py", "too small", "much too small"),
        ("workflow/rules/network.smk", '"Training width', '"Training the width'),
        ("profiles/default/config.yaml", "cores: all", "cores: 1"),
        ("README.md", "ntk-mnist", "NTK-MNIST"),
    ],
)
def test_a_change_without_bearing_runs_nothing(
    done: Checkout, file: str, old: str, new: str
) -> None:
    edit(done, file, old, new)
    assert plan(done)[0] == Counter()


@pytest.mark.parametrize(
    ("library", "jobs"),
    [("altair", CHARTS), ("jax", NETWORKS + KERNELS - CHARTS), ("snakefmt", Counter())],
)
def test_an_upgrade_of_a_library_runs_what_it_decides(
    done: Checkout,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    library: str,
    jobs: Counter[str],
) -> None:
    information = tmp_path / "newer" / f"{library}-99.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {library}\nVersion: 99.0\n"
    )
    monkeypatch.setattr(done, "python_path", str(information.parent))
    counts, why = plan(done)
    assert counts == jobs
    if jobs:
        assert any(f"{library} was" in r and "is 99.0" in r for r in set().union(*why.values()))


def scramble_times(folder: Path) -> None:
    files = [file for file in folder.rglob("*") if file.is_file()]
    for i, file in enumerate(random.Random(0).sample(files, len(files))):
        os.utime(file, (1_700_000_000 + i, 1_700_000_000 + i))


def test_times_alone_run_nothing(done: Checkout) -> None:
    scramble_times(done.folder)
    assert plan(done)[0] == Counter()


def test_results_copied_into_a_fresh_clone_run_nothing_and_stay_watched(
    done: Checkout, fresh: Checkout
) -> None:
    shutil.copytree(done.folder / "results", fresh.folder / "results", dirs_exist_ok=True)
    scramble_times(fresh.folder)
    assert plan(fresh)[0] == Counter()
    edit(fresh, "src/ntk_mnist/network.py", "_BLOCK = 256", "_BLOCK = 128")
    assert plan(fresh)[0] == Counter(prepare=1) + NETWORKS


@pytest.mark.parametrize("damage", ["truncated", "empty", "text"])
def test_a_damaged_shard_is_named_and_made_again(done: Checkout, damage: str) -> None:
    shard = done.folder / CELL
    content = shard.read_bytes()
    shard.write_bytes({"truncated": content[:-100], "empty": b"", "text": b"<html>"}[damage])
    counts, why = plan(done)
    assert counts == Counter(network=1, network_table=1, chart=3)
    assert why["Training"] == {"seed=0.parquet is damaged"}
    assert done.jobs() == counts
    assert shard.stat().st_size == pytest.approx(len(content), rel=0.05)


def test_another_cells_shard_in_its_place_is_made_again(done: Checkout) -> None:
    shutil.copy(done.folder / CELL.replace("width=8", "width=16"), done.folder / CELL)
    counts, why = plan(done)
    assert counts == Counter(network=1, network_table=1, chart=3)
    assert why["Training"] == {"width was 16, is 8"}


def test_changed_rows_never_reach_a_table(done: Checkout) -> None:
    shard = done.folder / CELL
    table = pq.ParquetFile(shard).read()
    forged = table.set_column(
        table.schema.get_field_index("test_accuracy"),
        table.schema.field("test_accuracy"),
        pa.array([1.0]),
    )
    pq.write_table(forged, shard)
    (done.folder / "results/tiny/nn.parquet").unlink()
    result = done.snakemake()
    assert result.returncode != 0
    assert f"{CELL}: its rows are not those that were written; delete it" in result.stderr
    assert not (done.folder / "results/tiny/nn.parquet").exists()
    shard.unlink()
    assert done.jobs() == Counter(network=1, network_table=1, chart=3)


def test_a_deleted_shard_is_made_again_by_a_plain_run(done: Checkout) -> None:
    (done.folder / CELL).unlink()
    assert plan(done)[0] == Counter(network=1, network_table=1, chart=3)


def test_a_deleted_chart_is_drawn_again(done: Checkout) -> None:
    (done.folder / "results/tiny/figures/comparison.svg").unlink()
    assert plan(done)[0] == Counter(chart=1)


def test_a_branch_that_comes_and_goes_runs_nothing(done: Checkout) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=done.folder, check=True)

    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message=main")
    git("checkout", "--quiet", "-b", "experiment")
    edit(done, "src/ntk_mnist/network.py", "_BLOCK = 256", "_BLOCK = 128")
    git("commit", "--quiet", "--all", "--message=experiment")
    assert plan(done)[0] == NETWORKS
    git("checkout", "--quiet", "main")
    assert plan(done)[0] == Counter()
