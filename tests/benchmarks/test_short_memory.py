"""The benchmark of a kernel cell where memory is short, on few images."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.short_memory import group, measured, report
from ntk_mnist.data.catalogue import ARRAYS, RECORD
from ntk_mnist.plan.experiment import experiment_of
from ntk_mnist.store.file_digests import write_digests

#: The smallest that is solved with tiles is 4,097.
SIZE = 4100


@pytest.mark.slow
def test_a_cell_is_measured_in_a_limited_group_and_outside_and_must_keep_its_tiles_as_expected(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data/prepared/mnist"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for array in ARRAYS:
        n = SIZE if "train" in array else 20
        shape = (n, 784) if "images" in array else n
        top = 256 if "images" in array else 10
        np.save(folder / f"{array}.npy", random.integers(top, size=shape, dtype=np.uint8))
    write_digests(folder / RECORD, [f"{array}.npy" for array in ARRAYS], {})
    (cell,) = experiment_of(
        {
            "inputs": {"test_size": 20},
            "grid": {"size": SIZE},
            "solve": {"kinds": ["nngp"], "times": [10]},
        }
    ).kernels
    free = measured(cell, tmp_path, None)
    assert 1 < free["seconds"] < 600
    assert free["residual"] < 1e-8
    table = pd.DataFrame([free, free | {"seconds": 2 * free["seconds"]}], ["memory", "a file"])
    assert f"| a file | {2 * free['seconds']:.0f} | 2.00 |" in report(table, cell, 3)
    with pytest.raises(SystemExit) as refused, group(8) as limited:
        # 8 GB are no reason to keep 33 MB in a file.
        measured(cell, tmp_path, limited)
    if "cannot be set" in str(refused.value):
        pytest.skip(str(refused.value))
    assert str(refused.value).startswith("the tiles were not where they should be")
