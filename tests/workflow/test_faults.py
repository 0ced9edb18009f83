"""Kills, full disks, races: nothing is lost, nothing wrong is kept, the message is for people."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from checkout import (
    CONFIG,
    REPOSITORY,
    RESULT_OF_EACH_KIND,
    Checkout,
    kernel_shard,
    network_shard,
    without_times,
)

from ntk_mnist.data.catalogue import ARRAYS, RECORD
from ntk_mnist.measures import OUTPUTS
from ntk_mnist.plan.cells import Cell, KernelCell, NetworkCell
from ntk_mnist.plan.experiment import experiment_of
from ntk_mnist.store.file_digests import write_digests
from ntk_mnist.store.schemas import SHARD_SCHEMAS, TABLE_SCHEMAS
from ntk_mnist.store.shards import read

#: How often each kind of kill is tried; the environment can ask for more.
KILLS = int(os.environ.get("NTK_MNIST_KILLS", "1"))


def shards(checkout: Checkout) -> dict[Path, bytes]:
    root = checkout.folder / "results/tiny"
    files = [*root.glob("network/**/*.parquet"), *root.glob("kernel/**/*.parquet")]
    return {file: file.read_bytes() for file in files if not file.name.startswith(".")}


def wait_for_orphans(process: subprocess.Popen[bytes]) -> None:
    """Wait for the jobs of a killed Snakemake, which may still finish their files."""
    alive = ["pgrep", "-g", str(process.pid)]
    while subprocess.run(alive, check=False, capture_output=True).returncode == 0:
        time.sleep(0.1)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)


def kill_snakemake(process: subprocess.Popen[bytes]) -> None:
    process.kill()


def kill_a_cell(process: subprocess.Popen[bytes]) -> None:
    listing = subprocess.run(
        ["pgrep", "-g", str(process.pid), "-f", "ntk_mnist (network|kernel)"],
        capture_output=True,
        text=True,
        check=False,
    )
    for pid in listing.stdout.split()[-1:]:
        os.kill(int(pid), signal.SIGKILL)


@pytest.mark.parametrize("kill", [kill_group, kill_snakemake, kill_a_cell])
def test_after_a_kill_at_any_moment_a_plain_run_ends_as_if_undisturbed(
    fresh: Checkout, finished: Checkout, kill: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    for _ in range(KILLS):
        shutil.rmtree(fresh.folder / "results/tiny", ignore_errors=True)
        process = fresh.start("tables", log=Path(os.devnull))
        moment = random.uniform(1, 12)
        print(f"killed after {moment:.3f} s")
        time.sleep(moment)
        kill(process)
        process.wait()
        wait_for_orphans(process)
        kept = shards(fresh)
        jobs = fresh.jobs("tables")
        assert all(file.read_bytes() == content for file, content in kept.items())
        assert jobs["network"] + jobs["kernel"] == 6 - len(kept)
        assert fresh.tables() == finished.tables()
        assert fresh.jobs("tables") == Counter()


def test_a_kill_while_the_arrays_are_prepared_hides_no_job(fresh: Checkout) -> None:
    # Snakemake once passed over every cell then, as their inputs were `ancient` and existed.
    process = fresh.start(log=Path(os.devnull))
    while not (fresh.folder / "data/prepared").exists():
        time.sleep(0.02)
    kill_snakemake(process)
    process.wait()
    wait_for_orphans(process)
    assert fresh.jobs("kernels")["kernel"] == 2
    assert len([name for name in fresh.results() if "/kernel/" in name]) == 2


def test_of_two_runs_at_once_one_stops_and_says_why(fresh: Checkout, finished: Checkout) -> None:
    first = fresh.start("tables", log=Path(os.devnull))
    while not (fresh.folder / "data/prepared/digits/made.json").exists():
        time.sleep(0.05)
    second = fresh.snakemake("kernels")
    assert second.returncode != 0
    assert "cannot be locked" in second.stderr or "Another snakemake runs" in second.stderr
    assert first.wait() == 0
    assert fresh.tables() == finished.tables()


def test_of_two_runs_started_in_one_moment_at_most_one_goes_on(fresh: Checkout) -> None:
    runs = [fresh.start("kernels", log=Path(os.devnull)) for _ in range(2)]
    codes = sorted(run.wait() for run in runs)
    assert codes[-1] != 0
    assert fresh.jobs("kernels") in (Counter(), Counter(prepare=1, kernel=2), Counter(kernel=2))
    assert fresh.jobs("kernels") == Counter()


def test_keep_going_finishes_every_other_cell_and_makes_no_table_of_a_part(fresh: Checkout) -> None:
    blocked = fresh.folder / network_shard(8, 64) / "in-the-way"
    blocked.mkdir(parents=True)
    result = fresh.snakemake("--keep-going", "tables")
    assert result.returncode != 0
    assert "error: " in result.stderr
    assert "Traceback" not in result.stderr
    made = {name for name in fresh.results() if name.endswith(".parquet")}
    # Three networks, two kernels with all their outputs, and two tables.
    assert len(made) == 3 + 2 * len(OUTPUTS["kernel"]) + 2
    assert "tiny/kernel.parquet" in made
    assert "tiny/network.parquet" not in made
    partial = fresh.snakemake("partial_tables")
    assert partial.returncode == 0, partial.stderr
    file = fresh.folder / "results/tiny/partial/network.parquet"
    table = read(file, TABLE_SCHEMAS["network"])[0].to_pylist()
    missing = [row for row in table if row["test_accuracy"] is None]
    assert [(row["width"], row["size"], row["seed"]) for row in missing] == [(8, 64, 0)]
    assert len(table) == 4
    shutil.rmtree(blocked.parent)
    assert fresh.jobs("tables") == Counter(network=1, table=1)


def test_a_killed_cell_keeps_the_seeds_that_it_finished(fresh: Checkout) -> None:
    config = CONFIG.replace("width: [8, 16]", "width: [8, 16], seed: [0, 1, 2, 3, 4, 5]")
    config = config.replace("epochs: 2", "epochs: 40000")
    fresh.configure(config)
    shard = network_shard(8, 64)
    process = fresh.start(shard, log=Path(os.devnull))
    checkpoint = fresh.folder / "data/checkpoints" / shard
    while not (checkpoint / "seed=1.npy").exists():
        time.sleep(0.02)
    kill_group(process)
    process.wait()
    stored = {file.stem: file.read_bytes() for file in checkpoint.glob("seed=*.npy")}
    assert 2 <= len(stored) < 6
    assert fresh.jobs(shard) == Counter(network=1)
    rows = read(fresh.folder / shard, TABLE_SCHEMAS["network"])[0].to_pylist()
    assert [row["seed"] for row in rows] == [0, 1, 2, 3, 4, 5]
    # Its wall time too: what was finished was not trained again.
    assert str(rows[0]["train_seconds"]).encode("utf-32-le") in stored["seed=0"]
    assert not checkpoint.exists()


@pytest.mark.parametrize("group", [True, False], ids=["group", "snakemake"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_run_ends_within_seconds_with_one_line_and_keeps_what_is_finished(
    fresh: Checkout, tmp_path: Path, number: signal.Signals, group: bool
) -> None:
    config = CONFIG.replace("width: [8, 16]", "width: [8, 16], seed: [0, 1, 2, 3, 4, 5]")
    fresh.configure(config.replace("epochs: 2", "epochs: 40000"))
    shard, log = network_shard(8, 64), tmp_path / "log"
    process = fresh.start(shard, kernel_shard(64), log=log)
    checkpoint = fresh.folder / "data/checkpoints" / shard
    while not (checkpoint / "seed=1.npy").exists():
        time.sleep(0.02)
    # A terminal sends it to the whole group, `kill` to one process.
    (os.killpg if group else os.kill)(process.pid, number)
    assert process.wait(timeout=20) == 128 + number
    wait_for_orphans(process)
    lines = log.read_text().splitlines()
    assert lines[-1].startswith(f"Stopped by {number.name}. ")
    assert not [line for line in lines if "Traceback" in line or "Error" in line]
    assert not list(fresh.folder.rglob(".incoming*"))
    stored = {file.stem: file.read_bytes() for file in checkpoint.glob("seed=*.npy")}
    assert 2 <= len(stored) < 6
    again = fresh.start(shard, log=log)
    while not (checkpoint / f"seed={len(stored)}.npy").exists():
        time.sleep(0.02)
    assert all((checkpoint / f"{name}.npy").read_bytes() == stored[name] for name in stored)
    kill_group(again)
    again.wait()


@pytest.mark.parametrize(
    "redirection",
    [
        *("<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"),
        *(">/dev/full", "2>&1 | head -20 || true"),
    ],
)
def test_a_run_does_not_depend_on_its_standard_streams(
    done: Checkout, finished: Checkout, redirection: str
) -> None:
    targets = RESULT_OF_EACH_KIND
    for made in (network_shard(8, 64), kernel_shard(64), targets[-1]):
        (done.folder / made).unlink()
    command = f"snakemake {' '.join(targets)} --configfile tiny.yaml {redirection}"
    run = done.run(["bash", "-c", command])
    assert run.returncode == 0, run.stderr
    assert done.results() == finished.results()
    assert done.plan(*targets)[0] == Counter()
    assert done.tables() == finished.tables()


def test_settings_of_jax_in_the_environment_change_no_number_and_are_named_in_the_log(
    done: Checkout, finished: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several devices and fast but other arithmetic; other random numbers and types; no programs.
    flags = "--xla_force_host_platform_device_count=2 --xla_cpu_enable_fast_math=true"
    hostile = {
        "XLA_FLAGS": flags,
        "JAX_THREEFRY_PARTITIONABLE": "0",
        "JAX_DEFAULT_PRNG_IMPL": "rbg",
        "JAX_ENABLE_X64": "1",
        "JAX_NUMPY_DTYPE_PROMOTION": "strict",
        "JAX_DISABLE_JIT": "1",
    }
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    (done.folder / "data/compiled").unlink()
    # The second time, programs are loaded that the first time compiled.
    shards = network_shard(8, 64), kernel_shard(64)
    for _ in range(2):
        for shard in shards:
            (done.folder / shard).unlink()
        assert done.jobs("tables") == Counter(network=1, kernel=1, table=3)
        assert done.tables() == finished.tables()
    for shard in shards:
        log = shard.replace("results/tiny", "results/tiny/logs").replace(".parquet", ".log")
        assert all(name in (done.folder / log).read_text() for name in hostile)
    assert done.jobs("tables") == Counter()


def test_a_diverged_seed_costs_no_other_seed(fresh: Checkout) -> None:
    # With these steps, some of the seeds diverge and others do not.
    config = CONFIG.replace("width: [8, 16]", f"width: [8, 16], seed: {[*range(12)]}")
    fresh.configure(config.replace("epochs: 2, step_size: 0.1", "epochs: 4, step_size: 1.0e+6"))
    shard = network_shard(8, 64)
    result = fresh.snakemake(shard)
    checkpoint = fresh.folder / "data/checkpoints" / shard
    # The quick ones are stored together.
    stored = [json.loads(str(np.load(file))) for file in checkpoint.glob("seed=*.npy")]
    finished = [row["seed"] for rows in stored for row in rows["network"]]
    assert result.returncode != 0
    assert "error: width 8, size 64, seed " in result.stderr
    assert 0 < len(set(finished)) == len(finished) < 12


def network_cell(
    width: int = 8, size: int = 64, dataset: str = "digits", **training: Any
) -> NetworkCell:
    """A cell of the small experiment, or of another dataset."""
    config = {
        "inputs": {"dataset": dataset, "test_size": 100},
        "grid": {"size": size, "width": width},
        "training": {"epochs": 2, **training},
    }
    return experiment_of(config).networks[0]


def descent_cell(width: int, size: int) -> NetworkCell:
    """A cell of several networks that take the kernels' steps, each with its linearization."""
    config = {
        "inputs": {"test_size": 100},
        "grid": {"size": size, "width": width, "seed": [0, 1, 2]},
        "architecture": {"activation": "erf", "b_std": 0.1},
        "training": {
            "parameterization": "ntk",
            "loss": "squared_error",
            "centred": True,
            "linearized": True,
            "optimizer": "gradient_descent",
            "step_size": 1.0,
        },
        "solve": {"times": [1.0, 4.0]},
    }
    return experiment_of(config).networks[0]


def kernel_cell(size: int = 64, dataset: str = "digits") -> KernelCell:
    """A cell of the small experiment, or of another dataset."""
    config = {
        "inputs": {"dataset": dataset, "test_size": 100},
        "grid": {"size": size},
        "solve": {"times": [10, 1000]},
    }
    return experiment_of(config).kernels[0]


def arguments(cell: Cell, data: Path, folder: Path, threads: int = 1) -> list[str]:
    """The command of a cell whose shards go to ``folder``."""
    outputs = [str(folder / f"{output}.parquet") for output in cell.outputs]
    return [
        *(cell.KIND, "--threads", str(threads), "--cell", cell.to_json()),
        *("--data", str(data), "--output", *outputs),
    ]


def command(*arguments: str, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of the package, which may write no file beyond ``limit`` bytes."""
    limits = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))" if limit else ""
    program = f"import os, resource, sys; {limits}; os.execv(sys.executable, sys.argv[1:])"
    return subprocess.run(
        [sys.executable, "-c", program, sys.executable, "-B", "-m", "ntk_mnist", *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


ENVIRONMENT = os.environ | {"PYTHONPATH": str(REPOSITORY / "src")}


def test_a_full_disk_is_one_clear_line_and_leaves_what_was_there(
    finished: Checkout, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(finished.folder / "results/tiny", tmp_path / "tiny"))
    data = Path(shutil.copytree(finished.folder / "data/prepared", tmp_path / "data/prepared"))
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    experiment = experiment_of(
        {"experiment": "tiny", "inputs": {"dataset": "digits", "test_size": 100}}
        | {"grid": {"size": [64, 96], "width": [8, 16]}}
    )
    for words in (
        arguments(network_cell(), data.parent, root),
        arguments(kernel_cell(), data.parent, root),
        [
            *("tabulate", "--table", "network", "--experiment", experiment.to_json()),
            *("--results", str(root), "--output", str(root / "network.parquet")),
        ],
        [
            *("chart", "--name", "calibration", "--tables", str(root / "calibration.parquet")),
            *("--data", str(data.parent), "--output", str(root / "figures/calibration")),
        ],
    ):
        result = command(*words, limit=2000)
        assert result.returncode == 1, words
        assert result.stderr.splitlines()[-1].startswith("error: [Errno 27] File too large")
        assert "Traceback" not in result.stderr
        assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file()} == before


def test_a_full_disk_during_a_fetch_leaves_no_part_of_a_file(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "train-images-idx3-ubyte.gz").write_bytes(bytes(10_000))
    words = ["fetch", "--dataset", "mnist", "--sources", str(source), "--output"]
    result = command(*words, str(tmp_path / "out"), limit=2000)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert not list((tmp_path / "out").iterdir())


@pytest.fixture(scope="module")
def images_like_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with arrays of MNIST's shape, as many as any cell here reads."""
    data = tmp_path_factory.mktemp("like-mnist")
    folder = data / "prepared/mnist"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", 5000), ("test", 1000)):
        np.save(folder / f"{part}_images.npy", rng.integers(0, 256, (count, 784), np.uint8))
        np.save(folder / f"{part}_labels.npy", rng.integers(0, 10, count, np.uint8))
    write_digests(folder / RECORD, [f"{array}.npy" for array in ARRAYS], {})
    return data


def peak_mb(words: list[str]) -> float:
    """Peak resident memory of a command, MB."""
    program = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, sys.executable, "-m", "ntk_mnist", *words],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(result.stdout)


@pytest.mark.parametrize(
    "cell",
    [
        network_cell(2048, 2048, "mnist"),
        network_cell(2048, 2048, "mnist", optimizer="adam", last_batch="partial", batch_size=100),
        network_cell(512, 512, "mnist"),
        descent_cell(2048, 256),
        descent_cell(512, 64),
        kernel_cell(5000, "mnist"),
        kernel_cell(2048, "mnist"),
        kernel_cell(512, "mnist"),
    ],
    ids=lambda cell: f"{cell.KIND}-{cell.size}",
)
def test_a_cell_takes_the_memory_it_declares(
    images_like_mnist: Path, tmp_path: Path, cell: Cell
) -> None:
    measured = peak_mb(arguments(cell, images_like_mnist, tmp_path, threads=2))
    assert measured <= cell.memory_mb <= 2 * measured


def kernels(folder: Path) -> pd.DataFrame:
    return read(folder / "kernel.parquet", SHARD_SCHEMAS["kernel"])[0].to_pandas()


def test_an_exact_cell_that_was_killed_continues_from_its_checkpoint(
    images_like_mnist: Path, tmp_path: Path
) -> None:
    cell = kernel_cell(4200, "mnist")

    def words(name: str) -> list[str]:
        folder = tmp_path / name
        return [sys.executable, "-m", "ntk_mnist", *arguments(cell, images_like_mnist, folder, 2)]

    process = subprocess.Popen(words("killed"), env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    shard = tmp_path / "killed/kernel.parquet"
    checkpoint = images_like_mnist / "checkpoints" / shard.relative_to(shard.anchor)
    # The first column of the factor.
    while process.poll() is None and not list(checkpoint.glob("nngp/*tile=*,0.npy")):
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert process.returncode == -signal.SIGKILL
    again = subprocess.run(
        words("killed"), env=ENVIRONMENT, check=True, capture_output=True, text=True
    )
    assert "nngp, 4,200 images: factorization" in again.stderr
    assert "nngp, 4,200 images: forward steps" not in again.stderr
    assert "ntk, 4,200 images: forward steps" in again.stderr
    assert not checkpoint.exists()
    subprocess.run(words("undisturbed"), env=ENVIRONMENT, check=True, capture_output=True)
    killed, undisturbed = kernels(tmp_path / "killed"), kernels(tmp_path / "undisturbed")
    for column in ("test_mse", "train_mse", "log_marginal_likelihood"):
        np.testing.assert_allclose(killed[column], undisturbed[column], rtol=1e-6, atol=1e-8)
    assert (killed["residual"] <= 1e-8).all()


def test_a_cell_gives_the_same_bits_on_one_core_and_on_more_compiled_or_from_a_file(
    images_like_mnist: Path, tmp_path: Path
) -> None:
    core = min(os.sched_getaffinity(0))
    pinned = (
        f"import os, sys; os.sched_setaffinity(0, [{core}]); os.execv(sys.executable, sys.argv[1:])"
    )
    for cell, threads in ((network_cell(1024, 256, "mnist"), 2), (kernel_cell(512, "mnist"), 1)):
        many, one = tmp_path / "many", tmp_path / "one"
        for folder, prefix in ((one, [sys.executable, "-c", pinned]), (many, []), (many, [])):
            words = arguments(cell, images_like_mnist, folder, threads)
            subprocess.run(
                [*prefix, sys.executable, "-m", "ntk_mnist", *words], env=ENVIRONMENT, check=True
            )
            for output in cell.outputs:
                name = f"{output}.parquet"
                assert without_times(folder / name, output) == without_times(one / name, output)


def test_a_grid_gives_the_same_tables_with_one_core(fresh: Checkout, finished: Checkout) -> None:
    assert fresh.snakemake("--cores", "1", "tables").returncode == 0
    assert fresh.tables() == finished.tables()
