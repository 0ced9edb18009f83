"""Real Snakemake on data of a user's own: its numbers, its charts, and what runs again."""

from collections import Counter
from math import inf, pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from checkout import TABLES_AND_CHARTS, Checkout
from data.own_files import as_archive, as_folder, classified, real_valued
from numpy.typing import NDArray

SIZE, TEST = 40, 20
REAL_VALUED = f"""
experiment: tiny
inputs: {{dataset: my data/wine.npz, test_size: {TEST}, targets: zero_mean}}
grid: {{size: {SIZE}, width: 16}}
training: {{loss: squared_error, epochs: 3, step_size: 0.1, batch_size: 16}}
solve: {{times: [10]}}
evidence: {{size: {SIZE}, depth: [1, 2], W_std: 1, b_std: 0}}
"""
CLASSIFIED = f"""
experiment: tiny
inputs: {{dataset: my data/stripes/, test_size: {TEST}, selection: first_of_each_class}}
architecture: {{activation: erf, depth: 1, W_std: 1.5, b_std: 0.1}}
grid: {{size: 30, width: [16, 64]}}
evidence: {{size: 30}}
training: {{parameterization: ntk, loss: squared_error, centred: true,
           optimizer: gradient_descent, step_size: 2}}
solve: {{times: [20]}}
"""
#: Of tables and charts, after both kinds of cells.
AFTERWARDS = Counter(TABLES_AND_CHARTS)


def relu_kernels(x: NDArray[Any], z: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """NNGP and NTK of two hidden ReLU layers, W_std 1 and no bias (Cho & Saul 2009; Jacot 2018)."""
    products = [x @ z.T, (x**2).sum(axis=1)[:, None], (z**2).sum(axis=1)[None]]
    k, of_x, of_z = (product / x.shape[1] for product in products)
    ntk = k
    for _ in range(2):
        norms = np.sqrt(of_x * of_z)
        angle = np.arccos(np.clip(k / norms, -1, 1))
        k = norms * (np.sin(angle) + (pi - angle) * np.cos(angle)) / (2 * pi)
        ntk = k + ntk * (pi - angle) / (2 * pi)
        of_x, of_z = of_x / 2, of_z / 2
    return {"nngp": k, "ntk": ntk}


def test_real_valued_targets_are_predicted_drawn_and_run_again_if_they_change(
    fresh: Checkout,
) -> None:
    folder = fresh.folder / "my data"
    folder.mkdir()
    arrays = real_valued()
    as_archive(folder / "wine.npz", arrays)
    fresh.configure(REAL_VALUED)
    counts = fresh.jobs("all", "evidence")
    assert counts == Counter(prepare=1, network=1, kernel=2, table=4, chart=7, page=1)

    kernels = fresh.table("kernel").to_pandas()
    accuracies = [name for name in kernels if name.endswith("accuracy")]
    assert kernels[accuracies].isna().all(axis=None)
    assert set(kernels["dataset"]) == {"wine.npz"}
    assert set(kernels["outputs"]) == {2}
    train, test = (
        arrays[f"x_{part}"].astype(np.float32).astype(float) for part in ("train", "test")
    )
    train, mean = train[:SIZE], arrays["y_train"][:SIZE].mean(axis=0)
    at_train, at_test = relu_kernels(train, train), relu_kernels(test, train)
    for kind in ("nngp", "ntk"):
        solved = scipy.linalg.solve(at_train[kind], arrays["y_train"][:SIZE] - mean)
        expected = ((mean + at_test[kind] @ solved - arrays["y_test"]) ** 2).mean()
        (found,) = kernels[(kernels["kernel"] == kind) & (kernels["time"] == inf)]["test_mse"]
        assert found == pytest.approx(expected, rel=1e-6)

    networks = fresh.table("network").to_pandas()
    assert networks[["train_accuracy", "test_accuracy"]].isna().all(axis=None)
    np.testing.assert_allclose(networks["test_mse"], 2 * networks["test_loss"], rtol=1e-12)
    # Of three epochs, no more than the mean may have been learnt.
    variance = arrays["y_train"][:SIZE].var(axis=0).mean()
    assert 0 < networks["train_mse"].iloc[0] < 1.5 * variance
    assert fresh.table("calibration").to_pandas()["accuracy"].isna().all()
    figures = fresh.folder / "results/tiny/figures"
    assert "Test squared error of finite" in (figures / "comparison.svg").read_text()
    assert (
        "Test squared error of finite networks minus"
        in (figures / "gap_to_infinite_width.svg").read_text()
    )
    assert fresh.plan("all", "evidence")[0] == Counter()

    # A copy elsewhere is the same data, and so is its compressed form.
    (fresh.folder / "moved").mkdir()
    np.savez_compressed(fresh.folder / "moved/wine.npz", **arrays)
    fresh.configure(REAL_VALUED.replace("my data/", "moved/"))
    assert fresh.plan()[0] == Counter()
    arrays["y_test"][3, 1] += 0.5
    as_archive(fresh.folder / "moved/wine.npz", arrays)
    counts, why = fresh.plan()
    assert counts == Counter(prepare=1, network=1, kernel=1) + AFTERWARDS
    for kind in ("Training", "Solving"):
        assert why[kind] == {"data changed"}
    # Back to what it was: nothing is stale, and the arrays are still there.
    fresh.configure(REAL_VALUED)
    assert fresh.plan()[0] == Counter()


def test_classes_in_a_folder_are_compared_like_for_like(fresh: Checkout) -> None:
    (fresh.folder / "my data").mkdir()
    arrays = classified()
    as_folder(fresh.folder / "my data/stripes", arrays)
    fresh.configure(CLASSIFIED)
    assert fresh.jobs("tables") == Counter(prepare=1, network=2, kernel=1, table=3, compare=1)
    ensembles = fresh.table("ensemble").to_pandas()
    assert set(ensembles["dataset"]) == {"stripes/"}
    # Better than the three classes at random.
    assert (ensembles["limit_accuracy"] > 0.5).all()
    (prepared,) = (fresh.folder / "data/prepared").iterdir()
    assert prepared.name.startswith("stripes-")
    assert np.load(prepared / "train_labels.npy").tolist() == arrays["y_train"].tolist()


def test_a_file_that_is_no_dataset_stops_before_any_job(fresh: Checkout) -> None:
    (fresh.folder / "my data").mkdir()
    fresh.configure(REAL_VALUED)
    missing = fresh.snakemake("-n")
    assert "inputs.dataset: my data/wine.npz: no such file or directory" in missing.stdout
    arrays = real_valued()
    arrays["x_train"][5, 2] = np.nan
    file = Path(as_archive(fresh.folder / "my data/wine.npz", arrays | {"y_train": np.ones(3)}))
    refused = fresh.snakemake()
    assert refused.returncode == 1
    assert "my data/wine.npz: x_train has 60 rows and y_train 3; each row needs" in refused.stderr
    assert not (fresh.folder / "data/prepared").exists()
    # What only values tell is found before a cell runs.
    as_archive(file, arrays)
    refused = fresh.snakemake()
    said = refused.stdout + refused.stderr
    assert "my data/wine.npz: x_train has a value in row 5 that is NaN or infinite" in said
    assert "Traceback" not in said
    assert fresh.results() == set()
