"""The workflow on a cluster: a real Slurm, of two nodes on this machine."""

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import one_machine_slurm as cluster
import pytest
from checkout import (
    BLOCKS,
    CELLS,
    TABLES_AND_CHARTS,
    Checkout,
    kernel_shard,
    network_shard,
    without_times,
)

SHARDS = "results/tiny/network/*/*.parquet"
# A real cluster needs longer; this one has no accounts.
QUICK = (
    "--profile=profiles/slurm",
    "--slurm-status-command=squeue",
    "--slurm-no-account",
    "--slurm-init-seconds-before-status-checks=1",
    "--latency-wait=5",
    "--nocolor",
    BLOCKS,
)

# One worker runs these, as a machine can have only one Slurm.
pytestmark = pytest.mark.xdist_group("slurm")


@pytest.fixture(scope="module", autouse=True)
def slurm() -> Iterator[None]:
    if why := cluster.unavailable():
        pytest.skip(why)
    with cluster.slurm():
        yield


def jobs_of(rule: str, run: subprocess.CompletedProcess[str] | str) -> list[dict[str, str]]:
    """The submissions of a run that were of ``rule``, in their order."""
    text = run if isinstance(run, str) else run.stdout + run.stderr
    mine = [
        job
        for job in cluster.jobs()
        if job["Comment"].endswith(rule) and f"SLURM jobid {job['JobId']} " in text
    ]
    return sorted(mine, key=lambda job: int(job["JobId"]))


def test_a_cluster_makes_the_tables_of_a_workstation_from_few_submissions(
    fresh: Checkout, finished: Checkout
) -> None:
    run = fresh.snakemake(*QUICK, "--set-resources", "kernel:gpu=1")
    assert run.returncode == 0, run.stdout + run.stderr
    assert Checkout.counted(run.stdout + run.stderr) == Counter(
        prepare=1, **CELLS, **TABLES_AND_CHARTS
    )
    assert fresh.tables() == finished.tables()
    assert fresh.results() == finished.results()

    (networks,), (kernels,) = jobs_of("network", run), jobs_of("kernel", run)
    # One cell at a time: a submission of four asks for no more than one of them takes, but for
    # longer.
    assert "cpu=1,mem=900M" in networks["TRES"]
    assert networks["TimeLimit"] == "00:07:00"
    assert kernels["TresPerJob"] == "gres:gpu:1"
    assert "TresPerJob" not in networks

    # The plan is still of single cells, and nothing else is to be done.
    assert fresh.jobs("-n", *QUICK) == Counter()
    (fresh.folder / network_shard(8, 64)).unlink()
    assert fresh.jobs("-n", "networks", *QUICK) == Counter(network=1)


def test_what_a_cluster_kills_is_asked_for_again_with_more_and_without_what_was_finished(
    fresh: Checkout, finished: Checkout, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    # Too little at first for a kernel cell under its Snakemake; Slurm looks once a second.
    memory = "kernel:mem_mb=150*attempt**3"
    run = fresh.start("tables", *QUICK, "--set-resources", memory, log=log)
    try:
        shard = cluster.wait_until(
            lambda: next(fresh.folder.glob(SHARDS), None), "a first cell", 120
        )
        first = shard.read_bytes()
        (job,) = jobs_of("network", log.read_text())
        assert job["JobState"] == "RUNNING"
        subprocess.run(["scancel", job["JobId"]], check=True)
        node = job["NodeList"]
        drain = [f"NodeName={node}", "State=DRAIN", "Reason=of-the-test"]
        subprocess.run(["scontrol", "update", *drain], check=True)
        assert run.wait(300) == 0, log.read_text()
    finally:
        run.kill()

    assert fresh.tables() == finished.tables()
    assert shard.read_bytes() == first

    cancelled, again = jobs_of("network", log.read_text())
    assert cancelled["JobState"] == "CANCELLED"
    assert again["JobState"] == "COMPLETED"
    assert {cancelled["NodeList"], again["NodeList"]} == {"n1", "n2"}
    killed, more = jobs_of("kernel", log.read_text())
    assert killed["JobState"] != "COMPLETED"
    assert "mem=150M" in killed["TRES"]
    assert "mem=1200M" in more["TRES"]
    assert more["JobState"] == "COMPLETED"


def test_another_scheduler_plugs_in_by_its_commands(
    fresh: Checkout, finished: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_ins = Path(__file__).with_name("pbs_on_slurm")
    monkeypatch.setenv("PATH", f"{stand_ins}{os.pathsep}{os.environ['PATH']}")
    run = fresh.snakemake(
        "kernels",
        "--profile=profiles/cluster-generic",
        "--seconds-between-status-checks=1",
        "--latency-wait=5",
        "--nocolor",
    )
    assert run.returncode == 0, run.stdout + run.stderr
    shard = kernel_shard(96)
    ours, theirs = (without_times(c.folder / shard, "kernel") for c in (fresh, finished))
    assert ours == theirs
    job = max(cluster.jobs(), key=lambda job: int(job["JobId"]))
    assert job["TRES"].startswith("cpu=1,mem=800M")
    assert job["TimeLimit"] == "00:06:00"
