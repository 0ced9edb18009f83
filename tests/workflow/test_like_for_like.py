"""Real Snakemake on networks that are trained as the kernels are: tables, charts, what runs again."""

from collections import Counter
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from checkout import ENDINGS, Checkout, copy, one_at_a_time

import ntk_mnist as ntk
from ntk_mnist.charts import LIKE_FOR_LIKE
from ntk_mnist.data.catalogue import ARRAYS
from ntk_mnist.measures import COMPARISONS
from ntk_mnist.settings import Training

CONFIG = """
experiment: tiny
inputs: {dataset: digits, test_size: 50}
architecture: {activation: erf, depth: 1, W_std: 1.5, b_std: 0.1}
grid: {size: 64, width: [16, 64], seed: [0, 1]}
training: {parameterization: ntk, loss: squared_error, centred: true, linearized: true,
           optimizer: gradient_descent, step_size: 2}
solve: {times: [2, 20]}
"""
CHARTS = {*LIKE_FOR_LIKE, "calibration"}
#: What runs if the comparisons change; `dynamics` is drawn of networks and kernels.
COMPARED = Counter(compare=1, chart=4, page=1)


@pytest.fixture
def compared(pristine_checkout: Path, shared: Path, tmp_path: Path) -> Checkout:
    """A copy of a checkout in which the experiment ran."""
    finished = Checkout(shared / "compared")
    with one_at_a_time(shared):
        if not finished.folder.exists():
            building = Checkout(copy(pristine_checkout, shared / "comparing"))
            building.configure(CONFIG)
            counts = building.jobs()
            assert counts == Counter(
                prepare=1, network=2, kernel=1, table=3, compare=1, chart=len(CHARTS), page=1
            )
            building.folder.rename(finished.folder)
    return Checkout(copy(finished.folder, tmp_path / "compared"))


def test_one_command_compares_networks_with_their_limit(compared: Checkout) -> None:
    assert {f.split("/")[-1] for f in compared.results() if "/figures/" in f} == {
        f"{chart}.{ending}" for chart in CHARTS for ending in ENDINGS
    }
    assert compared.jobs() == Counter()
    distances = compared.table("distance").to_pandas()
    # Five quantities of each width, seed and time.
    assert len(distances) == 5 * 2 * 2 * 2
    key = ["width", "seed", "time"]
    rms = distances.pivot(index=key, columns="quantity", values="rms")
    assert (rms > 0).all(axis=None)
    # The triangle inequality.
    parts = rms["linearization_to_limit"] + rms["network_to_linearization"]
    assert (rms["network_to_limit"] <= parts + 1e-6).all()
    functions = distances[distances["quantity"] == "network_to_limit"]
    assert (functions["max"] >= functions["rms"]).all()
    slopes = compared.table("convergence").to_pandas()
    assert set(slopes["quantity"]) == set(distances["quantity"])
    assert (slopes[["networks", "widths"]] == [4, 2]).all(axis=None)
    assert (slopes["low"] < slopes["slope"]).all()


def test_the_ensemble_is_compared_with_the_kernel_of_the_same_time(compared: Checkout) -> None:
    ensembles = compared.table("ensemble").to_pandas()
    kernels = compared.table("kernel").to_pandas()
    ntk = kernels[kernels["kernel"] == "ntk"].set_index("time")["test_accuracy"]
    assert set(ntk.index) == {2.0, 20.0, inf}
    assert set(kernels["descent_step_size"]) == {2.0}
    assert (ensembles["limit_accuracy"] == ensembles["time"].map(ntk)).all()
    networks = compared.table("network").to_pandas()
    mean = networks.groupby(["width", "time"])["test_accuracy"].mean()
    found = ensembles.set_index(["width", "time"])
    np.testing.assert_allclose(found["network_accuracy"], mean.loc[found.index])
    np.testing.assert_allclose(
        found["accuracy_gap"], found["network_accuracy"] - found["limit_accuracy"], atol=1e-12
    )
    # Centred networks all agree at infinite width.
    assert (ensembles["limit_variance"] == 0).all()


def test_a_run_ends_by_saying_what_was_found(compared: Checkout) -> None:
    widest = compared.table("ensemble").to_pandas().query("width == 64 and time == 20").iloc[0]
    said = compared.snakemake("tables", "--forcerun", "compare").stderr
    assert "the distance of networks' predictions from the NTK's goes as width^s" in said
    accuracies = f"{widest['network_accuracy']:.3f}, the NTK's {widest['limit_accuracy']:.3f}"
    assert f"At width 64 and t = 2e1, mean test accuracy is {accuracies}" in said
    # What is on the way needs no caution.
    assert "have not fitted" not in said
    # A plan and a run of something else find nothing.
    compared.configure(CONFIG.replace("seed: [0, 1]", "seed: [0, 1, 2]"))
    for words in (["-n"], ["data"]):
        done = compared.snakemake(*words)
        assert done.returncode == 0
        assert "width^s" not in done.stdout + done.stderr


def test_a_network_says_its_steps_and_nothing_of_epochs(compared: Checkout) -> None:
    networks = compared.table("network").to_pandas()
    assert networks.groupby("time")["steps"].unique().map(list).to_dict() == {2.0: [1], 20.0: [10]}
    unused = Training(
        parameterization="ntk", loss="squared_error", optimizer="gradient_descent"
    ).unused
    assert networks[sorted(unused)].isna().all(axis=None)
    compared.configure(CONFIG.replace("step_size: 2", "step_size: 2, epochs: 5, batch_size: 9"))
    assert compared.plan()[0] == Counter()


def test_an_added_seed_is_trained_alone_and_compared(compared: Checkout) -> None:
    compared.configure(CONFIG.replace("seed: [0, 1]", "seed: [0, 1, 2]"))
    counts, why = compared.plan()
    assert counts == Counter(network=2, table=1, compare=1, chart=len(LIKE_FOR_LIKE), page=1)
    assert why["Training"] == {"seed 2 is missing"}
    assert compared.jobs("tables") == Counter(network=2, table=1, compare=1)
    assert set(compared.table("ensemble")["seeds"].to_pylist()) == {3}
    assert set(compared.table("distance")["seed"].to_pylist()) == {0, 1, 2}
    assert compared.jobs("tables") == Counter()


def test_a_seed_that_is_taken_away_leaves_every_comparison(compared: Checkout) -> None:
    compared.configure(CONFIG.replace("seed: [0, 1]", "seed: 1"))
    after = Counter(table=1, compare=1, chart=len(LIKE_FOR_LIKE), page=1)
    assert compared.plan()[0] == after
    assert compared.jobs("tables") == Counter(table=1, compare=1)
    assert set(compared.table("distance")["seed"].to_pylist()) == {1}
    ensembles = compared.table("ensemble").to_pandas()
    assert (ensembles["seeds"] == 1).all()
    # One seed has no error over seeds, and two networks leave no interval.
    assert ensembles[["standard_error", "variance", "network_accuracy_error"]].isna().all(axis=None)
    assert compared.table("convergence").to_pandas()["slope"].isna().all()


@pytest.mark.parametrize("table", COMPARISONS)
def test_a_damaged_comparison_is_made_again(compared: Checkout, table: str) -> None:
    file = compared.folder / f"results/tiny/{table}.parquet"
    before = file.read_bytes()
    file.write_bytes(before[:100] + bytes([before[100] ^ 1]) + before[101:])
    counts, _ = compared.plan()
    assert counts["compare"] == 1
    assert "network" not in counts
    assert compared.jobs("tables") == Counter(compare=1)
    assert file.read_bytes() == before
    assert compared.jobs("tables") == Counter()


def test_a_change_of_how_distances_are_measured_runs_no_cell(compared: Checkout) -> None:
    compared.edit(
        "src/ntk_mnist/comparison/distances.py", "largest = float(", "largest = 1.0 * float("
    )
    counts, why = compared.plan()
    assert counts == COMPARED
    assert why["Comparing"] == {"comparison.distances.distance changed"}


def test_other_times_run_networks_and_kernels_and_are_refused_if_no_step_ends_there(
    compared: Checkout,
) -> None:
    compared.configure(CONFIG.replace("[2, 20]", "[2, 20, 40]"))
    counts, why = compared.plan()
    assert counts["network"] == 2
    assert counts["kernel"] == 1
    assert why["Training"] == {"times was [2.0, 20.0], is [2.0, 20.0, 40.0]"}
    compared.configure(CONFIG.replace("[2, 20]", "[2, 3]"))
    refused = compared.snakemake("-n")
    assert refused.returncode == 1
    said = refused.stdout + refused.stderr
    assert "solve.times: 3 is not a whole number of steps" in said
    assert "Traceback" not in said


def test_a_notebook_computes_what_the_cells_computed(compared: Checkout) -> None:
    folder = compared.folder / "data/prepared/digits"
    x_train, y_train, x_test, y_test = (np.load(folder / f"{name}.npy") for name in ARRAYS)
    data = x_train[:64] / 16, y_train[:64], x_test[:50] / 16
    erf = ntk.Architecture(activation="erf", depth=1, W_std=1.5, b_std=0.1)

    def rows(output: str, *key: str) -> dict[Any, Any]:
        """The rows of the shards by some columns."""
        shards = pd.read_parquet(compared.folder / f"results/tiny/{output}").to_dict("records")
        return {tuple(row[name] for name in key): row for row in shards}

    kernels = rows("kernel_prediction", "kernel", "time")
    for kind in ("nngp", "ntk"):
        found = ntk.predict(*data, erf, kind, times=[2, 20, inf], step_size=2)
        for time, prediction in zip([2, 20, inf], found.astype(np.float32), strict=True):
            np.testing.assert_array_equal(prediction.ravel(), kernels[kind, time]["prediction"])

    networks, predictions = (
        rows(output, "width", "seed", "time") for output in ("network", "network_prediction")
    )
    how: dict[str, Any] = {"step_size": 2, "seed": 1, "linearized": True, "y_test": y_test[:50]}
    trained = ntk.train(*data, erf, times=[2, 20], width=64, **how)
    assert trained.linearizations is not None
    assert trained.test_accuracy is not None
    for i, time in enumerate([2, 20]):
        stored, row = predictions[64, 1, time], networks[64, 1, time]
        np.testing.assert_array_equal(trained.predictions[i].ravel(), stored["prediction"])
        np.testing.assert_array_equal(trained.linearizations[i].ravel(), stored["linearization"])
        assert trained.test_accuracy[i] == row["test_accuracy"]
        assert trained.train_loss[i] == row["train_loss"]
        assert trained.ntk_change[i] == pytest.approx(row["ntk_change"], rel=1e-5)
        assert trained.ntk_to_limit[i] == pytest.approx(row["ntk_to_limit"], rel=1e-5)
