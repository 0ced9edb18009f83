"""Real Snakemake on the bundled digits: what runs, what does not, and what it says."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import AFTER_CELLS, CELLS, CONFIG, Checkout

from ntk_mnist.shards import CALIBRATION_SCHEMA, KERNEL_SCHEMA, NETWORK_SCHEMA, read


def test_one_command_makes_shards_tables_and_figures(finished: Checkout) -> None:
    assert finished.results() == {
        *(f"tiny/nn/width={w}/size={s}/seed=0.parquet" for w in (8, 16) for s in (64, 96)),
        *(f"tiny/kernel/size={s}.parquet" for s in (64, 96)),
        "tiny/nn.parquet",
        "tiny/kernel.parquet",
        "tiny/calibration.parquet",
        *(
            f"tiny/figures/{figure}.{ending}"
            for figure in ("calibration", "comparison", "gap_to_infinite_width")
            for ending in ("html", "png", "svg")
        ),
    }
    networks = read(finished.folder / "results/tiny/nn.parquet", NETWORK_SCHEMA)[0].to_pandas()
    kernels = read(finished.folder / "results/tiny/kernel.parquet", KERNEL_SCHEMA)[0].to_pandas()
    assert networks[["width", "size"]].to_numpy().tolist() == [[8, 64], [8, 96], [16, 64], [16, 96]]
    assert set(networks["epochs"]) == {2}
    assert len(kernels) == 2 * 2 * 3
    assert set(kernels["time"]) == {10.0, 1000.0, np.inf}
    assert (networks["dataset"] == "digits").all()
    assert kernels.notna().all(axis=None)


def test_tables_hold_the_shards(finished: Checkout) -> None:
    root = finished.folder / "results/tiny"
    table = read(root / "nn.parquet", NETWORK_SCHEMA)[0].to_pandas()
    shard = read(root / "nn/width=16/size=96/seed=0.parquet", NETWORK_SCHEMA)[0].to_pandas()
    row = table[(table["width"] == 16) & (table["size"] == 96)].reset_index(drop=True)
    pd.testing.assert_frame_equal(row, shard)


def test_a_second_run_does_nothing(done: Checkout) -> None:
    assert done.jobs() == Counter()


def test_an_added_width_runs_its_cells_and_what_hangs_on_them(done: Checkout) -> None:
    done.configure(CONFIG.replace("[8, 16]", "[8, 16, 32]"))
    assert done.jobs() == Counter(network=2, network_table=1, chart=3)
    table = read(done.folder / "results/tiny/nn.parquet", NETWORK_SCHEMA)[0]
    assert sorted(set(table["width"].to_pylist())) == [8, 16, 32]


def test_an_added_seed_runs_its_cells_and_becomes_a_band(done: Checkout) -> None:
    done.configure(CONFIG.replace("widths: [8, 16]", "widths: [8, 16], seeds: [0, 7]"))
    assert done.jobs() == Counter(network=4, network_table=1, chart=3)
    svg = (done.folder / "results/tiny/figures/comparison.svg").read_text()
    assert "mean and range over 2 seeds" in svg


def test_a_removed_width_leaves_its_shards_but_not_the_table(done: Checkout) -> None:
    done.configure(CONFIG.replace("[8, 16]", "[16]"))
    assert done.jobs() == Counter(network_table=1, chart=3)
    table = read(done.folder / "results/tiny/nn.parquet", NETWORK_SCHEMA)[0]
    assert set(table["width"].to_pylist()) == {16}
    assert (done.folder / "results/tiny/nn/width=8/size=64/seed=0.parquet").is_file()
    done.configure(CONFIG)
    assert done.jobs() == Counter(network_table=1, chart=3)


EVIDENCE = """
evidence: {size: 64, depth: [1, 3], W_std: [0.5, 1.5], b_std: [0]}
"""


def test_evidence_puts_the_likeliest_architecture_first_and_only_new_ones_run(
    done: Checkout,
) -> None:
    done.configure(CONFIG + EVIDENCE)
    assert done.jobs("evidence") == Counter(evidence_cell=4, evidence_table=1)
    table = read(done.folder / "results/tiny/evidence.parquet", KERNEL_SCHEMA)[0].to_pandas()
    assert list(table["log_marginal_likelihood"]) == sorted(
        table["log_marginal_likelihood"], reverse=True
    )
    cells = zip(table["depth"], table["W_std"], table["b_std"], strict=True)
    assert sorted(cells) == [(1, 0.5, 0), (1, 1.5, 0), (3, 0.5, 0), (3, 1.5, 0)]
    assert set(table["kernel"]) == {"nngp"}
    assert set(table["size"]) == {64}
    done.configure(CONFIG + EVIDENCE.replace("1.5", "1.5, 2.0"))
    assert done.jobs("evidence") == Counter(evidence_cell=2, evidence_table=1)
    assert done.jobs() == Counter()


def test_the_calibration_is_that_of_the_kernel_table(finished: Checkout) -> None:
    root = finished.folder / "results/tiny"
    table = read(root / "calibration.parquet", CALIBRATION_SCHEMA)[0].to_pandas()
    kernels = read(root / "kernel.parquet", KERNEL_SCHEMA)[0].to_pandas()
    # Two kernels, two sizes, twenty groups.
    assert len(table) == 2 * 2 * 20
    limit = kernels[kernels["time"] == np.inf].set_index(["kernel", "size"])
    last = table[table["fraction"] == 1].set_index(["kernel", "size"])
    assert last["accuracy"].to_dict() == limit["test_accuracy"].to_dict()
    errors = table.groupby(["kernel", "size"])["squared_error"].mean()
    assert errors.to_dict() == pytest.approx(limit["test_mse"].to_dict())


def test_one_cell_by_its_name_makes_that_cell_alone(fresh: Checkout) -> None:
    cell = "results/tiny/nn/width=16/size=96/seed=0.parquet"
    assert fresh.jobs(cell) == Counter(prepare=1, network=1)
    assert fresh.results() == {cell.removeprefix("results/")}
    assert fresh.jobs("results/tiny/kernel/size=64.parquet") == Counter(kernel=1)


def test_a_source_with_the_shells_signs_in_it_is_but_a_name(fresh: Checkout) -> None:
    odd = """it's "a" $(touch pwned) `touch pwned`; touch pwned & {folder} *"""
    fresh.configure(f"sources:\n  mnist: [{json.dumps(odd)}]")
    result = fresh.snakemake("data")
    assert result.returncode != 0
    assert f"\n  {odd}: no such file" in result.stderr
    assert not list(fresh.folder.rglob("pwned"))


def test_a_cell_outside_the_grid_is_refused(fresh: Checkout) -> None:
    result = fresh.snakemake("results/tiny/nn/width=16/size=5/seed=0.parquet")
    assert result.returncode != 0
    assert "No rule to produce results/tiny/nn/width=16/size=5" in result.stderr
    assert fresh.results() == set()


def test_it_runs_in_any_folder(fresh: Checkout, tmp_path: Path) -> None:
    elsewhere = Checkout(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    elsewhere.configure(CONFIG)
    snakefile = str(fresh.folder / "Snakefile")
    assert elsewhere.jobs("--snakefile", snakefile, "kernels") == Counter(prepare=1, kernel=2)
    assert elsewhere.results() == {"tiny/kernel/size=64.parquet", "tiny/kernel/size=96.parquet"}
    assert fresh.results() == set()


@pytest.mark.parametrize(
    ("target", "planned"),
    [
        ("networks", Counter(prepare=1, network=4)),
        ("kernels", Counter(prepare=1, kernel=2)),
        (
            "tables",
            Counter(prepare=1, **CELLS, network_table=1, kernel_table=1, calibration_table=1),
        ),
        (
            "figures",
            Counter(prepare=1, **CELLS, **AFTER_CELLS) - Counter(calibration_table=1),
        ),
        ("data", Counter(prepare=1)),
        ("evidence", Counter(prepare=1, evidence_cell=3 * 4 * 3, evidence_table=1)),
    ],
)
def test_named_targets_plan_what_they_name(
    fresh: Checkout, target: str, planned: Counter[str]
) -> None:
    assert fresh.jobs("--dry-run", target) == planned
    assert fresh.results() == set()


def test_a_faulty_config_stops_before_any_job(fresh: Checkout) -> None:
    fresh.configure(CONFIG.replace("sizes: [64, 96]", "sizes: [64, 4000]") + "tets_size: 3\n")
    result = fresh.snakemake()
    assert result.returncode != 0
    assert "config: unknown key 'tets_size'; did you mean 'test_size'?" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (fresh.folder / "data/prepared").exists()


def test_a_diverging_cell_is_told_with_its_settings_and_leaves_no_shard(fresh: Checkout) -> None:
    fresh.configure(CONFIG.replace("step_size: 0.1", "step_size: 1.0e+30"))
    cell = "results/tiny/nn/width=16/size=96/seed=0.parquet"
    result = fresh.snakemake(cell)
    assert result.returncode != 0
    assert "error: width 16, size 96, seed 0 diverged after 1 of 2 epochs" in result.stderr
    assert "Traceback" not in result.stderr
    assert fresh.results() == set()


NOWHERE = """
sources:
  mnist: [data/mnist, http://127.0.0.1:9/mnist/]
"""


def test_a_dataset_from_nowhere_fails_with_every_source_and_the_remedies(fresh: Checkout) -> None:
    fresh.configure(NOWHERE)
    result = fresh.snakemake()
    assert result.returncode != 0
    assert result.stderr.count("MNIST can be had from nowhere") == 1
    for line in (
        "  data/mnist: no such file",
        "  http://127.0.0.1:9/mnist/: no connection",
        "  1. put the four",
        "  2. or name",
        "  3. or run on the bundled digits",
    ):
        assert f"\n{line}" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list((fresh.folder / "data").rglob("*ubyte*"))
    assert fresh.results() == set()


def test_the_default_run_falls_back_to_digits_and_says_so(fresh: Checkout) -> None:
    default = fresh.folder / "config/config.yaml"
    default.write_text(re.sub(r"(?s)\nsources:.*", NOWHERE, default.read_text()))
    (fresh.folder / "config/digits.yaml").write_text(CONFIG.replace("tiny", "digits"))
    result = fresh.run(["workflow/run_default_or_digits.sh"])
    assert result.returncode == 0, result.stderr
    first, *_, last = result.stdout.splitlines()
    assert first.startswith("The dataset of the default experiment cannot be had; running scikit")
    assert last.startswith("These were the bundled 8 x 8 digits (results/digits/), not the default")
    assert "MNIST can be had from nowhere" in result.stdout
    made = fresh.results()
    assert "digits/figures/comparison.png" in made
    assert all(name.startswith("digits/") for name in made)
    table = read(fresh.folder / "results/digits/nn.parquet", NETWORK_SCHEMA)[0]
    assert set(table["dataset"].to_pylist()) == {"digits"}
    for svg in (fresh.folder / "results/digits/figures").glob("*.svg"):
        assert "MNIST" not in svg.read_text()


def test_the_default_run_falls_back_for_no_other_fault(fresh: Checkout) -> None:
    default = fresh.folder / "config/config.yaml"
    default.write_text(default.read_text().replace("test_size: 1000", "test_size: 0"))
    result = fresh.run(["workflow/run_default_or_digits.sh"])
    assert result.returncode != 0
    assert "test_size: 0 is too small" in result.stderr
    assert "digits" not in result.stdout
    assert fresh.results() == set()


def test_the_report_is_made_offline(done: Checkout) -> None:
    result = done.snakemake("--report", "results/tiny/report.html")
    assert result.returncode == 0, result.stderr
    report = (done.folder / "results/tiny/report.html").read_text()
    assert "Finite fully connected networks" in report


def test_settings_reach_the_command_line_whole(fresh: Checkout) -> None:
    result = fresh.snakemake("--dry-run", "--printshellcmds", "--nocolor", "kernels")
    command = next(line for line in result.stdout.splitlines() if "ntk_mnist kernel" in line)
    settings = re.search(r"--architecture '(.*?)'", command)
    assert settings
    assert json.loads(settings[1]) == {"depth": 2, "activation": "relu", "W_std": 1.0, "b_std": 0.0}
    assert "--times 10 1000 --diag-reg 0.0" in command
