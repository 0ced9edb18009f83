"""Killed, starved, raced: nothing is lost, nothing wrong is kept, the message is for people."""

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

import numpy as np
import pytest
from conftest import CONFIG, REPOSITORY, Checkout, kernel, network, without_times

from ntk_mnist.cost import kernel_memory_mb, kernel_solver, network_memory_mb
from ntk_mnist.shards import KERNEL_SCHEMA, NETWORK_SCHEMA, read

#: How often each kind of kill is tried; the environment can ask for more.
KILLS = int(os.environ.get("NTK_MNIST_KILLS", "1"))


def shards(checkout: Checkout) -> dict[Path, bytes]:
    root = checkout.folder / "results/tiny"
    files = [*root.glob("nn/**/*.parquet"), *root.glob("kernel/*.parquet")]
    return {file: file.read_bytes() for file in files if not file.name.startswith(".")}


def wait_for_orphans(process: subprocess.Popen[bytes]) -> None:
    """What a killed Snakemake leaves running may still finish its file."""
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
        process = fresh.start(log=Path(os.devnull))
        moment = random.uniform(1, 16)
        print(f"killed after {moment:.3f} s")
        time.sleep(moment)
        kill(process)
        process.wait()
        wait_for_orphans(process)
        kept = shards(fresh)
        jobs = fresh.jobs()
        assert all(file.read_bytes() == content for file, content in kept.items())
        assert jobs["network"] + jobs["kernel"] == 6 - len(kept)
        assert fresh.tables() == finished.tables()
        assert fresh.jobs() == Counter()


def test_a_kill_while_the_arrays_are_prepared_hides_no_job(fresh: Checkout) -> None:
    # Snakemake once passed over every cell then, as their inputs were `ancient` and there.
    process = fresh.start(log=Path(os.devnull))
    while not (fresh.folder / "data/prepared").exists():
        time.sleep(0.02)
    kill_snakemake(process)
    process.wait()
    wait_for_orphans(process)
    assert fresh.jobs("kernels")["kernel"] == 2
    assert len([name for name in fresh.results() if "/kernel/" in name]) == 2


def test_of_two_runs_at_once_one_stops_and_says_why(fresh: Checkout, finished: Checkout) -> None:
    first = fresh.start(log=Path(os.devnull))
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
    blocked = fresh.folder / "results/tiny/nn/width=8/size=64/seed=0.parquet/in-the-way"
    blocked.mkdir(parents=True)
    result = fresh.snakemake("--keep-going")
    assert result.returncode != 0
    assert "error: " in result.stderr
    assert "Traceback" not in result.stderr
    made = {name for name in fresh.results() if name.endswith(".parquet")}
    assert len(made) == 3 + 2 + 2
    assert "tiny/kernel.parquet" in made
    assert "tiny/nn.parquet" not in made
    partial = fresh.snakemake("partial_tables")
    assert partial.returncode == 0, partial.stderr
    table = read(fresh.folder / "results/tiny/partial/nn.parquet", NETWORK_SCHEMA)[0].to_pylist()
    missing = [(row["width"], row["size"]) for row in table if row["test_accuracy"] is None]
    assert missing == [(8, 64)]
    assert len(table) == 4
    shutil.rmtree(blocked.parent)
    assert fresh.jobs() == Counter(network=1, network_table=1, chart=3)


def command(*arguments: str, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of the package, which may write no file beyond ``limit`` bytes."""
    limits = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))" if limit else ""
    program = f"import os, resource, sys; {limits}; os.execv(sys.executable, sys.argv[1:])"
    return subprocess.run(
        [sys.executable, "-c", program, sys.executable, "-B", "-m", "ntk_mnist", *arguments],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_full_disk_is_one_clear_line_and_leaves_what_was_there(
    finished: Checkout, prepared_digits: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(finished.folder / "results/tiny", tmp_path / "tiny"))
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    tables = ["--networks", str(root / "nn.parquet"), "--kernels", str(root / "kernel.parquet")]
    grid = ["--widths", "8", "16", "--sizes", "64", "96", "--seeds", "0"]
    for arguments in (
        network(prepared_digits, root / "nn/width=8/size=64/seed=0.parquet"),
        kernel(prepared_digits, root / "kernel/size=64.parquet"),
        ["tabulate", "--shards", str(root / "nn"), *grid, "--output", str(root / "nn.parquet")],
        ["chart", "--name", "comparison", *tables, "--output", str(root / "figures/comparison")],
    ):
        result = command(*arguments, limit=2000)
        assert result.returncode == 1, arguments
        assert result.stderr.splitlines()[-1].startswith("error: [Errno 27] File too large")
        assert "Traceback" not in result.stderr
        assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file()} == before


def test_a_full_disk_during_a_fetch_leaves_no_part_of_a_file(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "train-images-idx3-ubyte.gz").write_bytes(bytes(10_000))
    arguments = ["fetch", "--dataset", "mnist", "--sources", str(source), "--output"]
    result = command(*arguments, str(tmp_path / "out"), limit=2000)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert not list((tmp_path / "out").iterdir())


@pytest.fixture(scope="module")
def images_like_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Arrays of MNIST's shape, as many as any cell here reads."""
    folder = tmp_path_factory.mktemp("like-mnist")
    rng = np.random.default_rng(0)
    for part, count in (("train", 6000), ("test", 1000)):
        np.save(folder / f"{part}_images.npy", rng.integers(0, 256, (count, 784), np.uint8))
        np.save(folder / f"{part}_labels.npy", rng.integers(0, 10, count, np.uint8))
    return folder


ENVIRONMENT = os.environ | {"PYTHONPATH": str(REPOSITORY / "src")}


def peak_mb(arguments: list[str]) -> float:
    """Peak resident memory of a command, MB."""
    program = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, sys.executable, "-m", "ntk_mnist", *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(result.stdout)


@pytest.mark.parametrize(("width", "size"), [(2048, 2048), (512, 512)])
def test_a_network_cell_takes_the_memory_it_declares(
    images_like_mnist: Path, tmp_path: Path, width: int, size: int
) -> None:
    arguments = network(
        images_like_mnist,
        tmp_path / "x.parquet",
        dataset="mnist",
        width=width,
        size=size,
        threads=2,
    )
    measured = peak_mb(arguments)
    assert measured <= network_memory_mb(width, 2, size, 784) <= 2 * measured


@pytest.mark.parametrize("size", [6000, 2048, 512])
def test_a_kernel_cell_takes_the_memory_it_declares(
    images_like_mnist: Path, tmp_path: Path, size: int
) -> None:
    measured = peak_mb(
        kernel(
            images_like_mnist,
            tmp_path / "x.parquet",
            dataset="mnist",
            size=size,
            solver=kernel_solver(size),
        )
    )
    assert measured <= kernel_memory_mb(size, 100, 2, 784) <= 2 * measured


def test_an_exact_cell_that_was_killed_goes_on_from_its_checkpoint(
    images_like_mnist: Path, tmp_path: Path
) -> None:
    def command(name: str) -> list[str]:
        output = tmp_path / name / "x.parquet"
        arguments = kernel(images_like_mnist, output, dataset="mnist", size=6000, solver="exact")
        return [sys.executable, "-m", "ntk_mnist", *arguments]

    process = subprocess.Popen(command("killed"), env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    # The first column of three.
    finished_column = tmp_path / "killed/checkpoint/nngp/jitter=0,tile=2,0.npy"
    while process.poll() is None and not finished_column.exists():
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert process.returncode == -signal.SIGKILL
    again = subprocess.run(
        command("killed"), env=ENVIRONMENT, check=True, capture_output=True, text=True
    )
    assert "nngp, 6,000 images: factorization" in again.stderr
    assert "nngp, 6,000 images: forward steps" not in again.stderr
    assert "ntk, 6,000 images: forward steps" in again.stderr
    assert not (tmp_path / "killed/checkpoint").exists()
    subprocess.run(command("undisturbed"), env=ENVIRONMENT, check=True, capture_output=True)
    killed, undisturbed = (
        read(tmp_path / name / "x.parquet", KERNEL_SCHEMA)[0].to_pandas()
        for name in ("killed", "undisturbed")
    )
    for column in ("test_mse", "train_mse", "log_marginal_likelihood"):
        np.testing.assert_allclose(killed[column], undisturbed[column], rtol=1e-6, atol=1e-8)
    assert (killed["residual"] <= 1e-8).all()


def test_both_solvers_write_the_same_rows(images_like_mnist: Path, tmp_path: Path) -> None:
    tables = {}
    for solver in ("spectral", "exact"):
        output = tmp_path / solver / "x.parquet"
        arguments = kernel(images_like_mnist, output, dataset="mnist", size=1000, solver=solver)
        subprocess.run([sys.executable, "-m", "ntk_mnist", *arguments], env=ENVIRONMENT, check=True)
        tables[solver] = read(output, KERNEL_SCHEMA)[0].to_pandas()
    ours, theirs = tables["exact"], tables["spectral"]
    same = [c for c in ours if ours[c].dtype == object or c in ("size", "time", "test_accuracy")]
    for column in set(same) - {"solver"}:
        if column.startswith("calibration_"):
            for one, other in zip(ours[column], theirs[column], strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
        else:
            assert list(ours[column]) == list(theirs[column])
    np.testing.assert_allclose(ours["test_mse"], theirs["test_mse"], rtol=1e-6)
    np.testing.assert_allclose(
        ours["log_marginal_likelihood"], theirs["log_marginal_likelihood"], rtol=1e-5
    )


def test_a_cell_gives_the_same_bits_on_one_core_and_on_more_compiled_anew_or_not(
    images_like_mnist: Path, tmp_path: Path
) -> None:
    for make, schema in (
        (
            lambda o: network(
                images_like_mnist, o, dataset="mnist", width=1024, size=256, threads=2
            ),
            NETWORK_SCHEMA,
        ),
        (lambda o: kernel(images_like_mnist, o, dataset="mnist", size=512), KERNEL_SCHEMA),
    ):
        many, one = tmp_path / "many/x.parquet", tmp_path / "one/x.parquet"
        core = min(os.sched_getaffinity(0))
        pinned = f"import os, sys; os.sched_setaffinity(0, [{core}]); os.execv(sys.executable, sys.argv[1:])"
        for output, prefix in ((one, [sys.executable, "-c", pinned]), (many, []), (many, [])):
            subprocess.run(
                [*prefix, sys.executable, "-m", "ntk_mnist", *make(output)],
                env=ENVIRONMENT,
                check=True,
            )
            assert without_times(output, schema) == without_times(one, schema)


def test_a_grid_gives_the_same_tables_with_one_core(fresh: Checkout, finished: Checkout) -> None:
    fresh.configure(CONFIG)
    assert fresh.snakemake("--cores", "1", "tables").returncode == 0
    assert fresh.tables() == finished.tables()
