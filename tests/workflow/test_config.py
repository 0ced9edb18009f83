"""Configs as people give them to Snakemake: on the command line and in several files."""

import subprocess

from checkout import BLOCKS, CONFIG, Checkout, network_shard

SHARD = network_shard(8, 64)


def dry_run(checkout: Checkout, *words: str) -> subprocess.CompletedProcess[str]:
    """A plan, without the config that other tests name."""
    return checkout.run(["snakemake", "--dry-run", BLOCKS, "--nocolor", "networks", *words])


def test_numbers_and_names_on_the_command_line_are_what_was_written(fresh: Checkout) -> None:
    settings = ["experiment=2024_06", "grid={size: [64], width: 8}", "training={step_size: 1e-1}"]
    result = fresh.run(
        ["snakemake", "networks", "--configfile", "tiny.yaml", "--config", *settings]
    )
    assert result.returncode == 0, result.stderr
    made = {name for name in fresh.results() if name.endswith(".parquet")}
    shard = network_shard(8, 64).removeprefix("results/")
    assert made == {shard.replace("tiny", "2024_06")}


def test_a_second_configfile_is_refused_and_the_spelling_that_is_told_works(
    fresh: Checkout,
) -> None:
    (fresh.folder / "mine.yaml").write_text("experiment: mine\n")
    result = dry_run(fresh, "--configfile", "tiny.yaml", "--configfile", "mine.yaml")
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    told = result.stdout.partition("after the targets: ")[2].splitlines()[0]
    assert told == "--configfile tiny.yaml mine.yaml"
    result = dry_run(fresh, *told.split())
    assert result.returncode == 0
    assert "results/mine/network" in result.stdout


def test_a_key_that_a_file_has_twice_is_refused_before_any_job(fresh: Checkout) -> None:
    fresh.configure(CONFIG + "experiment: other\n")
    result = fresh.snakemake()
    assert result.returncode != 0
    assert (
        "\ntiny.yaml, line 7: experiment is there twice, first in line 2; keep one" in result.stderr
    )
    assert "Traceback" not in result.stderr
    assert not (fresh.folder / "data/prepared").exists()


MODULE = """
configfile: "mine.yaml"

module ntk:
    snakefile: "{snakefile}"
    config: config["ntk"]

use rule * from ntk as ntk_*
"""


def test_a_workflow_around_it_has_numbers_of_its_own_but_no_key_twice(fresh: Checkout) -> None:
    (fresh.folder / "Around").write_text(MODULE.format(snakefile=fresh.folder / "Snakefile"))
    config = "experiment: 2024_06\nmode: 0755\nntk: {experiment: mine, inputs: {dataset: digits, test_size: 9},"
    (fresh.folder / "mine.yaml").write_text(config + " grid: {size: 64}}")
    words = ["-s", "Around", "-n", "ntk_networks", "--config", "experiment=7"]
    result = fresh.run(["snakemake", *words])
    assert "results/mine/network" in result.stdout, result.stderr
    (fresh.folder / "mine.yaml").write_text(config + " grid: {size: 64}, grid: {size: 96}}")
    result = fresh.run(["snakemake", *words])
    assert "mine.yaml, line 3: ntk.grid is there twice, first in line 3" in result.stdout
