"""Only what is stale runs again, and the plan says why, on real Snakemake.

``tests/test_code_edits.py`` tries many more edits of the code, without Snakemake.
"""

import os
import random
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from checkout import (
    AFTER_KERNELS,
    AFTER_NETWORKS,
    RESULT_OF_EACH_KIND,
    TABLES_AND_CHARTS,
    Checkout,
    kernel_shard,
    network_shard,
)

from ntk_mnist.store.schemas import SHARD_SCHEMAS, TABLE_SCHEMAS
from ntk_mnist.store.shards import about, read

NETWORKS = Counter(network=4) + AFTER_NETWORKS
KERNELS = Counter(kernel=2) + AFTER_KERNELS
EVERYTHING = Counter(network=4, kernel=2, **TABLES_AND_CHARTS)
CELL = network_shard(8, 64)
TRAINING = "src/ntk_mnist/networks/training.py"


@pytest.mark.parametrize(
    ("file", "old", "new", "jobs", "kind", "reason"),
    [
        (
            TRAINING, "_BLOCK = 256", "_BLOCK = 128",
            NETWORKS, "Training", "networks.training._EVALUATION_BLOCK changed",
        ),
        (
            "src/ntk_mnist/kernels/gram.py", "_TILE = 1024", "_TILE = 512",
            KERNELS, "Solving", "kernels.gram._TILE changed",
        ),
        (
            "src/ntk_mnist/charts/calibration.py", "[0, 1]", "[0, 2]",
            Counter(chart=1, page=1), "Drawing", "charts.calibration._accuracy_panel changed",
        ),
        (
            "src/ntk_mnist/page/templates/style.css", "--page: #ffffff", "--page: #fefefe",
            Counter(chart=5, page=1), "Drawing", "templates changed",
        ),
        (
            "src/ntk_mnist/page/contents.py", "_SHOWN = 25", "_SHOWN = 50",
            Counter(page=1), "Writing", "page.contents._SHOWN changed",
        ),
        ("tiny.yaml", "epochs: 2", "epochs: 3", NETWORKS, "Training", "epochs was 2, is 3"),
        (
            "tiny.yaml", "[10, 1000]", "[10, 100]",
            KERNELS, "Solving", "times was [10.0, 1000.0], is [10.0, 100.0]",
        ),
        (
            "tiny.yaml", "test_size: 100", "test_size: 90",
            EVERYTHING, "Solving", "test_size was 100, is 90",
        ),
        (
            "src/ntk_mnist/measures.py",
            "    fraction: Annotated[float",
            '    more: Annotated[float, _measure("of a test")]\n    fraction: Annotated[float',
            KERNELS, "Solving", "calibration - column more is new",
        ),
    ],
)  # fmt: skip
def test_a_change_runs_what_depends_on_it_and_says_so(
    done: Checkout, file: str, old: str, new: str, jobs: Counter[str], kind: str, reason: str
) -> None:
    done.edit(file, old, new)
    counts, why = done.plan()
    assert counts == jobs
    assert reason in why[kind]
    # And back again.
    done.edit(file, new, old)
    assert done.plan()[0] == Counter()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("src/ntk_mnist/__main__.py", 'help="of XLA;', 'help="threads of XLA;'),
        ("src/ntk_mnist/store/progress.py", '"forward steps"', '"steps forward"'),
        ("src/ntk_mnist/store/checkpoint.py", "unlink()", "unlink(missing_ok=True)"),
        (TRAINING, "-> Callable[..., Any]:", "-> Any:"),
        ("profiles/default/config.yaml", "cores: all", "cores: 1"),
    ],
)
def test_a_change_that_decides_no_result_runs_nothing(
    done: Checkout, file: str, old: str, new: str
) -> None:
    done.edit(file, old, new)
    assert done.plan()[0] == Counter()


@pytest.mark.parametrize(
    ("library", "jobs"),
    [("altair", Counter(chart=5, page=1)), ("jax", EVERYTHING), ("snakefmt", Counter())],
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
    counts, why = done.plan()
    assert counts == jobs
    if jobs:
        assert any(f"{library} was" in r and "is 99.0" in r for r in set().union(*why.values()))


def scramble_dates(folder: Path, first: float = 1_700_000_000) -> None:
    files = [file for file in folder.rglob("*") if file.is_file()]
    for i, file in enumerate(random.Random(0).sample(files, len(files))):
        os.utime(file, (first + i, first + i))


def test_dates_alone_run_nothing_not_even_beside_a_forced_rule(done: Checkout) -> None:
    scramble_dates(done.folder)
    assert done.plan()[0] == Counter()
    assert done.plan("--forcerun", "chart")[0] == Counter(chart=5, page=1)
    assert done.plan("--forcerun", "network")[0] == NETWORKS


@pytest.mark.parametrize(
    "date",
    [
        pytest.param(time.time() + 2 * 86400, id="in two days"),
        pytest.param(time.time() + 120, id="in two minutes"),
        pytest.param(0, id="zero"),
        pytest.param(-86400, id="before 1970"),
    ],
)
def test_what_runs_does_not_depend_on_dates_and_no_date_makes_it_fail(
    done: Checkout, date: float
) -> None:
    def date_all() -> None:
        for file in done.folder.rglob("*"):
            if file.is_file() and "compiled" not in file.parts:
                os.utime(file, (date, date))

    date_all()
    assert done.plan()[0] == Counter()
    (done.folder / CELL).unlink()
    done.edit("tiny.yaml", "[10, 1000]", "[10, 100]")
    date_all()
    assert done.plan()[0] == Counter(network=1, kernel=2, **TABLES_AND_CHARTS)
    assert done.jobs(*RESULT_OF_EACH_KIND) == Counter(network=1, kernel=2, table=3, chart=1)
    assert done.plan(*RESULT_OF_EACH_KIND)[0] == Counter()
    # Each part of the data is made again from a part that is dated then too.
    (done.folder / "data/prepared/digits/made.json").write_text("{}")
    done.edit("tiny.yaml", "[10, 100]", "[10]")
    date_all()
    assert done.jobs("kernels") == Counter(prepare=1, kernel=2)


def test_a_plan_changes_no_date(done: Checkout) -> None:
    scramble_dates(done.folder / "results")
    done.edit("tiny.yaml", "epochs: 2", "epochs: 3")
    files = [file for file in (done.folder / "results").rglob("*") if file.is_file()]
    before = {file: file.stat().st_mtime_ns for file in files}
    assert done.plan()[0] == NETWORKS
    assert done.snakemake("--summary").returncode == 0
    assert {file: file.stat().st_mtime_ns for file in files} == before


def test_touch_accepts_a_change_of_code_and_leaves_a_mark(done: Checkout) -> None:
    done.edit("src/ntk_mnist/kernels/gram.py", "_TILE = 1024", "_TILE = 512")
    shards = [kernel_shard(size, output=output) for size in (64, 96) for output in ("kernel",)]
    rows = [read(done.folder / shard, SHARD_SCHEMAS["kernel"])[0] for shard in shards]
    touched = done.snakemake("--touch", "kernels")
    assert touched.returncode == 0, touched.stderr
    assert "Accepted as it is: results/tiny/kernel/" in touched.stderr
    assert "kernels.gram._TILE changed" in touched.stderr
    assert [read(done.folder / s, SHARD_SCHEMAS["kernel"])[0] for s in shards] == rows
    # The tables are gathered again: they say of which shards a change was accepted.
    assert done.plan()[0] == AFTER_KERNELS
    assert done.jobs("tables") == Counter(table=2)
    assert done.plan("tables")[0] == Counter()
    said = about(done.folder / "results/tiny/kernel.parquet").made
    assert sorted(f"results/tiny/{path}" for path in said["accepted"]) == shards
    # A second change adds a mark.
    done.edit("src/ntk_mnist/kernels/gram.py", "_TILE = 512", "_TILE = 256")
    assert done.snakemake("--touch", "kernels").returncode == 0
    marked = about(done.folder / shards[0]).made["accepted"]
    assert sum(len(words) for words in marked.values()) == 2


def test_touch_accepts_all_or_nothing_and_refuses_another_setting(done: Checkout) -> None:
    done.edit("src/ntk_mnist/kernels/gram.py", "_TILE = 1024", "_TILE = 512")
    done.edit("tiny.yaml", "epochs: 2", "epochs: 3")
    (done.folder / CELL).unlink()
    content = {file: (done.folder / file).read_bytes() for file in (kernel_shard(64),)}
    touched = done.snakemake("--touch")
    assert touched.returncode != 0
    assert "Nothing is accepted" in touched.stderr
    assert "width=8,size=96.parquet: epochs was 2, is 3" in touched.stderr
    assert {file: (done.folder / file).read_bytes() for file in content} == content
    assert not (done.folder / CELL).exists()
    assert done.plan()[0]["network"] == 4


def test_a_seed_that_is_added_to_accepted_ones_leaves_their_mark(done: Checkout) -> None:
    done.edit(TRAINING, "_BLOCK = 256", "_BLOCK = 128")
    assert done.snakemake("--touch", CELL).returncode == 0
    mark = about(done.folder / CELL).made["accepted"]
    done.edit("tiny.yaml", "width: [8, 16]", "width: [8, 16], seed: [0, 1]")
    assert done.jobs(CELL) == Counter(network=1)
    assert about(done.folder / CELL).seeds == (0, 1)
    assert about(done.folder / CELL).made["accepted"] == mark
    # A forced run makes all rows anew, and nothing in them is accepted.
    assert done.jobs("--force", CELL) == Counter(network=1)
    assert "accepted" not in about(done.folder / CELL).made


def test_results_copied_into_a_fresh_clone_run_nothing_and_are_still_compared(
    done: Checkout, fresh: Checkout
) -> None:
    shutil.copytree(done.folder / "results", fresh.folder / "results", dirs_exist_ok=True)
    scramble_dates(fresh.folder)
    assert fresh.plan()[0] == Counter()
    fresh.edit(TRAINING, "_BLOCK = 256", "_BLOCK = 128")
    assert fresh.plan()[0] == Counter(prepare=1) + NETWORKS


@pytest.mark.parametrize("damage", ["truncated", "empty", "text"])
def test_a_damaged_shard_is_named_and_made_again(done: Checkout, damage: str) -> None:
    shard = done.folder / CELL
    content = shard.read_bytes()
    shard.write_bytes({"truncated": content[:-100], "empty": b"", "text": b"<html>"}[damage])
    counts, why = done.plan()
    assert counts == Counter(network=1) + AFTER_NETWORKS
    assert why["Training"] == {"width=8,size=64.parquet is damaged"}
    assert done.jobs(CELL) == Counter(network=1)
    assert done.plan("networks")[0] == Counter()
    assert shard.stat().st_size == pytest.approx(len(content), rel=0.05)


def test_one_damaged_output_of_two_makes_its_cell_run_again(done: Checkout) -> None:
    shard = done.folder / kernel_shard(64, output="calibration")
    shard.write_bytes(shard.read_bytes()[:-100])
    counts, why = done.plan()
    assert counts["kernel"] == 1
    assert why["Solving"] == {"calibration - size=64.parquet is damaged"}


def test_another_cells_shard_in_its_place_is_made_again(done: Checkout) -> None:
    shutil.copy(done.folder / network_shard(16, 64), done.folder / CELL)
    counts, why = done.plan()
    assert counts == Counter(network=1) + AFTER_NETWORKS
    assert why["Training"] == {"width was 16, is 8"}


def flip(file: Path, at: float) -> None:
    """Flip a bit of a file, at a part of its length."""
    content = bytearray(file.read_bytes())
    content[int(at * len(content))] ^= 4
    file.write_bytes(content)


@pytest.mark.parametrize("at", [0.05, 0.5, 0.999])
def test_a_flipped_bit_anywhere_in_a_shard_is_found_and_mended(done: Checkout, at: float) -> None:
    before = done.tables()
    flip(done.folder / CELL, at)
    counts, why = done.plan()
    assert counts == Counter(network=1) + AFTER_NETWORKS
    assert why["Training"] == {"width=8,size=64.parquet is damaged"}
    assert done.jobs("tables") == Counter(network=1, table=1)
    assert done.tables() == before


@pytest.mark.parametrize(
    ("name", "jobs"),
    [
        ("network.parquet", Counter(table=1, chart=4, page=1)),
        ("figures/comparison.html", Counter(chart=1, page=1)),
        ("figures/comparison.png", Counter(chart=1, page=1)),
        ("figures/calibration.svg", Counter(chart=1, page=1)),
        ("figures/calibration.column.pdf", Counter(chart=1, page=1)),
        ("index.html", Counter(page=1)),
    ],
)
def test_a_flipped_bit_in_a_table_or_figure_is_found_and_mended(
    done: Checkout, name: str, jobs: Counter[str]
) -> None:
    file = done.folder / "results/tiny" / name
    before = file.read_bytes()
    flip(file, 0.4)
    counts, why = done.plan()
    assert counts == jobs
    assert f"{file.name} is damaged" in set().union(*why.values())
    assert done.jobs() == jobs
    assert file.stat().st_size == len(before)
    assert done.plan()[0] == Counter()


def test_changed_rows_never_reach_a_table(done: Checkout) -> None:
    before = done.tables()
    shard = done.folder / CELL
    table = pq.ParquetFile(shard).read()
    forged = table.set_column(
        table.schema.get_field_index("test_accuracy"),
        table.schema.field("test_accuracy"),
        pa.array([1.0]),
    )
    pq.write_table(forged, shard)
    assert done.jobs("tables") == Counter(network=1, table=1)
    assert done.tables() == before


def test_a_table_of_a_part_lacks_the_rows_of_a_damaged_shard(done: Checkout) -> None:
    flip(done.folder / CELL, 0.5)
    assert done.jobs("partial_tables") == Counter(partial_table=3)
    file = done.folder / "results/tiny/partial/network.parquet"
    rows = read(file, TABLE_SCHEMAS["network"])[0].to_pylist()
    assert [row["width"] for row in rows if row["test_accuracy"] is None] == [8]
    assert len(rows) == 4
    assert done.plan("partial_tables")[0] == Counter()


@pytest.mark.parametrize("array", ["train_images", "test_labels"])
def test_rotted_arrays_are_prepared_again_for_the_cells_that_run_and_for_no_other(
    done: Checkout, array: str
) -> None:
    file = done.folder / f"data/prepared/digits/{array}.npy"
    before = file.read_bytes()
    flip(file, 0.5)
    # Whatever was computed was computed from the right arrays.
    assert done.plan()[0] == Counter()
    counts, why = done.plan("data")
    assert counts == Counter(prepare=1)
    assert why["Preparing"] == {f"{array}.npy is damaged"}
    done.edit("tiny.yaml", "width: [8, 16]", "width: [8, 16, 4]")
    assert done.jobs("networks") == Counter(prepare=1, network=2)
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", ["", "{}", "[]", "null"])
def test_arrays_without_an_intact_record_are_prepared_again(done: Checkout, content: str) -> None:
    (done.folder / "data/prepared/digits/made.json").write_text(content)
    assert done.plan()[0] == Counter()
    counts, why = done.plan("data")
    assert counts == Counter(prepare=1)
    assert why["Preparing"] == {"made.json is damaged"}


def test_changed_rows_are_not_kept_when_a_seed_is_added(done: Checkout) -> None:
    shard = done.folder / CELL
    table = pq.ParquetFile(shard).read()
    forged = table.set_column(
        table.schema.get_field_index("test_accuracy"),
        table.schema.field("test_accuracy"),
        pa.array([1.0]),
    )
    pq.write_table(forged, shard)
    config = (done.folder / "tiny.yaml").read_text()
    done.configure(config.replace("width: [8, 16]", "width: [8, 16], seed: [0, 1]"))
    assert done.jobs(CELL) == Counter(network=1)
    accuracies = pq.ParquetFile(shard).read()["test_accuracy"].to_pylist()
    assert len(accuracies) == 2
    assert 1.0 not in accuracies


def test_a_deleted_shard_is_made_again_by_a_plain_run(done: Checkout) -> None:
    (done.folder / CELL).unlink()
    assert done.plan()[0] == Counter(network=1) + AFTER_NETWORKS


def test_a_deleted_chart_is_drawn_again(done: Checkout) -> None:
    (done.folder / "results/tiny/figures/comparison.svg").unlink()
    assert done.plan()[0] == Counter(chart=1, page=1)


def test_a_branch_that_comes_and_goes_runs_nothing(done: Checkout) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=done.folder, check=True)

    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message=main")
    git("checkout", "--quiet", "-b", "experiment")
    done.edit(TRAINING, "_BLOCK = 256", "_BLOCK = 128")
    git("commit", "--quiet", "--all", "--message=experiment")
    assert done.plan()[0] == NETWORKS
    git("checkout", "--quiet", "main")
    assert done.plan()[0] == Counter()
