"""Real Snakemake on the bundled digits: what runs, what does not, and what it prints."""

import json
import re
from collections import Counter
from math import inf
from pathlib import Path

import pandas as pd
import pytest
from checkout import (
    AFTER_NETWORKS,
    BLOCKS,
    CELLS,
    CONFIG,
    ENDINGS,
    TABLES_AND_CHARTS,
    Checkout,
    kernel_shard,
    network_shard,
)

from ntk_mnist.charts import OF_EPOCHS
from ntk_mnist.measures import OUTPUTS
from ntk_mnist.plan.cells import KernelCell
from ntk_mnist.store.schemas import TABLE_SCHEMAS
from ntk_mnist.store.shards import read

FIGURES = {
    f"tiny/figures/{figure}.{ending}"
    for figure in (*OF_EPOCHS, "calibration")
    for ending in ENDINGS
}


def test_one_command_makes_shards_tables_and_figures(finished: Checkout) -> None:
    sizes = 64, 96
    shards = [
        *(network_shard(w, s) for w in (8, 16) for s in sizes),
        *(kernel_shard(s, output=o) for o in OUTPUTS["kernel"] for s in sizes),
    ]
    assert finished.results() == FIGURES | {
        "tiny/index.html",
        *(shard.removeprefix("results/") for shard in shards),
        *(f"tiny/{table}.parquet" for table in ("network", "kernel", "calibration")),
    }
    networks, kernels = finished.table("network").to_pandas(), finished.table("kernel").to_pandas()
    assert networks[["width", "size"]].to_numpy().tolist() == [[8, 64], [8, 96], [16, 64], [16, 96]]
    assert set(networks["epochs"]) == {2}
    assert len(kernels) == 2 * 2 * 3
    assert set(kernels["time"]) == {10.0, 1000.0, inf}
    assert (networks["dataset"] == "digits").all()
    # Gradient flow, and not descent; no draw and no validation images.
    unused = ["trained_variance", "draw", "validation_accuracy", "validation_mse"]
    assert kernels.drop(columns=unused).notna().all(axis=None)


def test_tables_hold_the_shards_rows(finished: Checkout) -> None:
    table = finished.table("network").to_pandas()
    shard = read(finished.folder / network_shard(16, 96), TABLE_SCHEMAS["network"])[0].to_pandas()
    row = table[(table["width"] == 16) & (table["size"] == 96)].reset_index(drop=True)
    pd.testing.assert_frame_equal(row, shard)


def test_a_second_run_does_nothing(done: Checkout) -> None:
    assert done.jobs() == Counter()


def test_an_added_width_runs_its_cells_and_what_depends_on_them(done: Checkout) -> None:
    done.configure(CONFIG.replace("width: [8, 16]", "width: [8, 16, 32]"))
    assert done.plan()[0] == Counter(network=2) + AFTER_NETWORKS
    assert done.jobs("tables") == Counter(network=2, table=1)
    assert sorted(set(done.table("network")["width"].to_pylist())) == [8, 16, 32]


def test_a_removed_width_leaves_its_shards_but_not_the_table(done: Checkout) -> None:
    done.configure(CONFIG.replace("[8, 16]", "16"))
    assert done.plan()[0] == AFTER_NETWORKS
    assert done.jobs("tables") == Counter(table=1)
    assert set(done.table("network")["width"].to_pylist()) == {16}
    assert (done.folder / network_shard(8, 64)).is_file()
    done.configure(CONFIG)
    assert done.jobs("tables") == Counter(table=1)


def rows_of(checkout: Checkout, shard: str) -> dict[int, dict[str, object]]:
    table = read(checkout.folder / shard, TABLE_SCHEMAS["network"])[0]
    return {row["seed"]: row for row in table.to_pylist()}


def test_an_added_seed_trains_that_seed_alone_and_becomes_a_band(done: Checkout) -> None:
    shard = network_shard(16, 96)
    before = rows_of(done, shard)
    done.configure(CONFIG.replace("width: [8, 16]", "width: [8, 16], seed: [0, 7]"))
    counts, why = done.plan()
    assert counts == Counter(network=4) + AFTER_NETWORKS
    assert why["Training"] == {"seed 7 is missing"}
    figure = "results/tiny/figures/comparison.svg"
    assert done.jobs("tables", figure) == Counter(network=4, table=1, chart=1)
    after = rows_of(done, shard)
    # The wall time of seed 0 too: it was not trained again.
    assert set(after) == {0, 7}
    assert after[0] == before[0]
    assert set(done.table("network")["seed"].to_pylist()) == {0, 7}
    assert "mean and range over 2 seeds" in (done.folder / figure).read_text()
    # A removed seed stays in the shard and leaves the table.
    done.configure(CONFIG.replace("width: [8, 16]", "width: [8, 16], seed: 7"))
    assert done.jobs("tables") == Counter(table=1)
    assert set(rows_of(done, shard)) == {0, 7}
    assert set(done.table("network")["seed"].to_pylist()) == {7}


def test_seeds_beside_others_have_the_bits_that_they_have_alone(
    fresh: Checkout, finished: Checkout
) -> None:
    shard = network_shard(8, 64)
    fresh.configure(CONFIG.replace("width: [8, 16]", "width: [8, 16], seed: [5, 0, 3]"))
    assert fresh.jobs(shard) == Counter(prepare=1, network=1)
    together, alone = rows_of(fresh, shard)[0], rows_of(finished, shard)[0]
    for row in (together, alone):
        row.pop("train_seconds")
    assert together == alone


@pytest.mark.parametrize(
    ("old", "new", "networks", "kernels"),
    [
        ("grid:", "architecture: {depth: [2, 3]}\ngrid:", 4, 2),
        ("grid:", "architecture: {activation: [relu, erf], W_std: [1.0, 1.5]}\ngrid:", 12, 6),
        ("size: [64, 96]", "size: [64, 96, 128]", 2, 1),
        ("grid:", "architecture: {b_std: [0]}\ngrid:", 0, 0),
    ],
)
def test_a_value_added_to_any_axis_runs_the_new_cells_alone(
    done: Checkout, old: str, new: str, networks: int, kernels: int
) -> None:
    done.configure(CONFIG.replace(old, new))
    counts, why = done.plan()
    expected = Counter(network=networks, kernel=kernels, **TABLES_AND_CHARTS)
    assert counts == (expected if networks else Counter())
    # New cells have no reason but that their shards are missing.
    assert not why.get("Training", set()) | why.get("Solving", set())


def test_a_run_ends_by_saying_what_came_out_and_whether_networks_have_fitted(
    done: Checkout,
) -> None:
    accuracies = done.table("network")["train_accuracy"].to_pylist()
    said = done.snakemake("tables", "--forcerun", "table").stderr
    assert said.count("Infinite width, ") == said.count("Finite width ") == 1
    fitted = f"train accuracy {min(accuracies):.2f} … {max(accuracies):.2f}"
    caution = f"networks have not fitted their training sets ({fitted})"
    assert caution in said
    # The charts say so too.
    svg = (done.folder / "results/tiny/figures/comparison.svg").read_text()
    assert caution in svg


def test_charts_and_tables_tell_architectures_apart(done: Checkout) -> None:
    done.configure(CONFIG.replace("grid:", "architecture: {depth: [2, 3]}\ngrid:"))
    figure = "results/tiny/figures/comparison.svg"
    assert done.jobs("tables", figure) == Counter(network=4, kernel=2, table=3, chart=1)
    networks = done.table("network").to_pandas()
    assert not networks.duplicated(["depth", "width", "size", "seed"]).any()
    assert sorted(networks["depth"]) == [2] * 4 + [3] * 4
    svg = (done.folder / figure).read_text()
    assert "depth 2" in svg
    assert "depth 3" in svg


EVIDENCE = "evidence: {size: 64, depth: [2, 3], W_std: [0.5, 1.0], b_std: 0}\n"


def test_evidence_lists_the_likeliest_architecture_first_and_shares_cells_with_the_grid(
    done: Checkout,
) -> None:
    done.configure(CONFIG + EVIDENCE)
    # Depth 2 and W_std 1 is in the grid of kernels already.
    assert done.jobs("evidence") == Counter(kernel=3, table=1, chart=2)
    table = done.table("evidence").to_pandas()
    assert set(table["time"]) == {inf}
    for _, rows in table.groupby("kernel"):
        assert rows["maximized_log_marginal_likelihood"].is_monotonic_decreasing
        cells = zip(rows["depth"], rows["W_std"], rows["b_std"], strict=True)
        assert sorted(cells) == [(2, 0.5, 0), (2, 1.0, 0), (3, 0.5, 0), (3, 1.0, 0)]
    done.configure(CONFIG + EVIDENCE.replace("1.0", "1.0, 1.5"))
    assert done.jobs("evidence") == Counter(kernel=2, table=1, chart=2)
    assert done.jobs() == Counter()


def test_evidence_names_the_likeliest_architectures_whenever_it_is_asked_for(
    done: Checkout,
) -> None:
    done.configure(CONFIG + EVIDENCE)
    for _ in range(2):
        result = done.snakemake("evidence", BLOCKS)
        assert result.returncode == 0, result.stderr
        lines = result.stdout.splitlines()
        assert [line.partition(": ")[0] for line in lines] == [
            f"Likeliest at size 64, {kind}" for kind in ("NNGP", "NTK")
        ]
        # Without bias, W_std only scales a kernel of relu.
        assert all("W_std 0.5 or 1 alike (it only scales this kernel)" in line for line in lines)
    assert Checkout.counted(result.stderr) == Counter()


def test_the_calibration_agrees_with_the_kernel_table(finished: Checkout) -> None:
    table = finished.table("calibration").to_pandas()
    kernels = finished.table("kernel").to_pandas()
    # Two kernels, two sizes, twenty groups.
    assert len(table) == 2 * 2 * 20
    limit = kernels[kernels["time"] == inf].set_index(["kernel", "size"])
    last = table[table["fraction"] == 1].set_index(["kernel", "size"])
    assert last["accuracy"].to_dict() == limit["test_accuracy"].to_dict()
    errors = table.groupby(["kernel", "size"])["squared_error"].mean()
    assert errors.to_dict() == pytest.approx(limit["test_mse"].to_dict())


def test_one_cell_by_its_name_makes_that_cell_alone(fresh: Checkout) -> None:
    cell = network_shard(16, 96)
    assert fresh.jobs(cell) == Counter(prepare=1, network=1)
    assert fresh.results() == {cell.removeprefix("results/")}
    assert fresh.jobs(kernel_shard(64)) == Counter(kernel=1)


def test_a_source_with_the_shells_signs_in_it_is_only_a_name(fresh: Checkout) -> None:
    odd = """it's "a" $(touch pwned) `touch pwned`; touch pwned & {folder} *"""
    fresh.configure(f"sources:\n  mnist: [{json.dumps(odd)}]")
    result = fresh.snakemake("data")
    assert result.returncode != 0
    assert f"\n  {odd}: no such file" in result.stderr
    assert not list(fresh.folder.rglob("pwned"))


def test_a_cell_outside_the_grid_is_refused(fresh: Checkout) -> None:
    result = fresh.snakemake(network_shard(16, 5))
    assert result.returncode != 0
    assert f"No rule to produce {network_shard(16, 5)}" in result.stderr
    assert "Traceback" not in result.stderr
    assert fresh.results() == set()


def test_it_runs_in_any_folder(fresh: Checkout, tmp_path: Path) -> None:
    elsewhere = Checkout(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    elsewhere.configure(CONFIG)
    snakefile = str(fresh.folder / "Snakefile")
    assert elsewhere.jobs("--snakefile", snakefile, "kernels") == Counter(prepare=1, kernel=2)
    made = elsewhere.results()
    assert {f"results/{name}" for name in made} == {
        kernel_shard(s, output=o) for o in OUTPUTS["kernel"] for s in (64, 96)
    }
    assert fresh.results() == set()


def test_it_runs_in_a_folder_that_is_named_by_an_option(fresh: Checkout, tmp_path: Path) -> None:
    result = fresh.snakemake("--directory", str(tmp_path / "there"), "-s", "Snakefile", "networks")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "there" / network_shard(8, 64)).is_file()
    assert fresh.results() == set()


MODULE = """
configfile: "mine.yaml"

module ntk:
    snakefile: "{snakefile}"
    config: config["ntk"]

use rule * from ntk as ntk_*

rule summary:
    default_target: True
    input: "results/mine/network.parquet"
    output: "summary.txt"
    shell: "wc -c < {{input}} > {{output}}"
"""


def test_it_is_a_module_of_another_workflow_with_a_config_of_its_own(
    fresh: Checkout, tmp_path: Path
) -> None:
    other = Checkout(tmp_path / "other")
    other.folder.mkdir()
    (other.folder / "Snakefile").write_text(MODULE.format(snakefile=fresh.folder / "Snakefile"))
    # Only what differs from the declared defaults.
    (other.folder / "mine.yaml").write_text(
        "ntk: {experiment: mine, inputs: {dataset: digits, test_size: 50},"
        " grid: {size: 64, width: [8, 16]}, training: {epochs: 1}}"
    )
    command = ["snakemake", "--cores", "2", "--nocolor"]
    result = other.run(command)
    assert result.returncode == 0, result.stderr
    assert "Without --rerun-triggers mtime" in result.stderr
    assert Checkout.counted(result.stderr + result.stdout) == Counter(
        ntk_prepare=1, ntk_network=2, ntk_table=1, summary=1
    )
    assert (other.folder / "summary.txt").is_file()
    again = other.run([*command, "--rerun-triggers", "mtime"])
    assert "Without --rerun-triggers mtime" not in again.stderr
    assert Checkout.counted(again.stderr + again.stdout) == Counter()


@pytest.mark.parametrize(
    ("target", "planned"),
    [
        ("networks", Counter(prepare=1, network=4)),
        ("kernels", Counter(prepare=1, kernel=2)),
        ("tables", Counter(prepare=1, **CELLS, table=3)),
        ("figures", Counter(prepare=1, **CELLS, table=3, chart=5)),
        ("data", Counter(prepare=1)),
        ("evidence", Counter(prepare=1, kernel=3 * 4 * 3, table=1, chart=2)),
    ],
)
def test_named_targets_plan_what_they_name(
    fresh: Checkout, target: str, planned: Counter[str]
) -> None:
    assert fresh.jobs("--dry-run", target) == planned
    assert fresh.results() == set()


def test_a_faulty_config_stops_before_any_job(fresh: Checkout) -> None:
    fresh.configure(CONFIG.replace("size: [64, 96]", "size: [64, 4000]"))
    result = fresh.snakemake()
    assert result.returncode != 0
    assert "grid.size[1]: 4000 is larger than digits's training set; allowed: 1297" in result.stderr
    assert "Traceback" not in result.stderr
    fresh.configure(CONFIG + "tets_size: 3\n")
    result = fresh.snakemake()
    assert "config: unknown key 'tets_size'" in result.stderr
    assert not (fresh.folder / "data/prepared").exists()


def test_a_diverging_cell_is_reported_with_its_settings_and_leaves_no_shard(
    fresh: Checkout,
) -> None:
    fresh.configure(CONFIG.replace("step_size: 0.1", "step_size: 1.0e+30"))
    result = fresh.snakemake(network_shard(16, 96))
    assert result.returncode != 0
    assert "error: width 16, size 96, seed 0 diverged after 1 of 2 epochs" in result.stderr
    assert "Traceback" not in result.stderr
    assert fresh.results() == set()


NOWHERE = """
sources:
  mnist: [data/mnist, http://127.0.0.1:9/mnist/]
"""


def test_a_dataset_that_no_source_has_fails_with_every_source_and_the_remedies(
    fresh: Checkout,
) -> None:
    fresh.configure(NOWHERE)
    result = fresh.snakemake()
    assert result.returncode != 0
    assert result.stderr.count("MNIST is not available") == 1
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
    assert first.startswith("The dataset of the default experiment is not available; running")
    assert last.startswith("These were the bundled 8 x 8 digits (results/digits/), not the default")
    assert "MNIST is not available" in result.stdout
    made = fresh.results()
    assert "digits/figures/comparison.png" in made
    assert all(name.startswith("digits/") for name in made)
    network = fresh.folder / "results/digits/network.parquet"
    table = read(network, TABLE_SCHEMAS["network"])[0]
    assert set(table["dataset"].to_pylist()) == {"digits"}
    for svg in (fresh.folder / "results/digits/figures").glob("*.svg"):
        assert "MNIST" not in svg.read_text()


def test_the_default_run_falls_back_for_no_other_fault(fresh: Checkout) -> None:
    default = fresh.folder / "config/config.yaml"
    default.write_text(default.read_text().replace("test_size: 1000", "test_size: 0"))
    result = fresh.run(["workflow/run_default_or_digits.sh"])
    assert result.returncode != 0
    assert "inputs.test_size: 0 is too small" in result.stderr
    assert "digits" not in result.stdout
    assert fresh.results() == set()


def test_the_report_is_made_offline_and_says_what_made_its_figures(done: Checkout) -> None:
    words = ["--config", "training={epochs: 2}", "solve={times: [10, 1e3]}"]
    result = done.snakemake("--report", "results/tiny/report.html", *words)
    assert result.returncode == 0, result.stderr
    report = (done.folder / "results/tiny/report.html").read_text()
    assert "Finite fully connected networks" in report
    described = re.sub(r"<[^>]*>", "", report)
    assert "epochs 2, step_size 0.1" in described
    assert "times [10, 1000.0]" in described
    assert "problematic" not in report
    # Captions and parts of the report.
    assert "step size 0.1, 2 epochs" in described
    for section in ("Answer", "Training", "Kernels and calibration"):
        assert section in report


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("epochs: 2", "epochs: 3", "figures/comparison.html does not show this experiment: epochs was 2, is 3."),
        ("width: [8, 16]", "width: [8, 16, 32]", "width=32,size=64.parquet is missing"),
        ("times: [10, 1000]", "times: [10, 100]", "times was [10.0, 1000.0], is [10.0, 100.0]"),
    ],
)  # fmt: skip
def test_a_report_of_figures_that_the_config_did_not_make_is_refused(
    done: Checkout, old: str, new: str, reason: str
) -> None:
    done.configure(CONFIG.replace(old, new))
    result = done.snakemake("--report", "report.html")
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("No report: ")]
    assert reason in line
    assert line.endswith("Run this command without its report first.")
    assert "Traceback" not in result.stderr
    assert not (done.folder / "report.html").exists()


def test_a_report_of_figures_that_other_code_made_is_refused_and_one_after_the_run_is_made(
    done: Checkout,
) -> None:
    done.edit("src/ntk_mnist/charts/calibration.py", "[0, 1]", "[0, 2]")
    done.configure(CONFIG.replace("[8, 16]", "16"))
    words = ["--report", "report.html"]
    result = done.snakemake("results/tiny/figures/calibration.html", *words)
    assert "calibration.html does not show this experiment: charts.calibration." in result.stderr
    result = done.snakemake(*words, "--report-after-run")
    assert result.returncode == 0, result.stderr
    assert (done.folder / "report.html").exists()


def test_a_report_without_all_its_figures_is_refused(done: Checkout) -> None:
    (done.folder / "results/tiny/figures/calibration.svg").unlink()
    result = done.snakemake("--report", "report.html")
    assert result.returncode == 1
    assert "figures/calibration.svg marked for report but does not exist" in result.stderr
    assert not (done.folder / "report.html").exists()


def test_a_rule_passes_its_cell_as_one_word(fresh: Checkout) -> None:
    result = fresh.snakemake("--dry-run", "--printshellcmds", "--nocolor", kernel_shard(96))
    command = next(line for line in result.stdout.splitlines() if "ntk_mnist kernel" in line)
    word = re.search(r"--cell '(.*?)'", command)
    assert word
    cell = KernelCell.from_json(word[1])
    assert isinstance(cell, KernelCell)
    assert (cell.size, cell.solve.times, cell.solve.diag_reg) == (96, (10, 1000), 0)
    assert f"results/tiny/{cell.path('kernel')}" == kernel_shard(96)


def test_kernels_run_again_after_a_forced_run_of_networks_only_if_asked(done: Checkout) -> None:
    before = rows_of(done, network_shard(8, 64))[0]["train_seconds"]
    counts = done.jobs("tables", "--forcerun", "network")
    assert counts["kernel"] == 0
    assert counts["network"] == 4
    assert rows_of(done, network_shard(8, 64))[0]["train_seconds"] != before
