"""Edits of the real source, and which files each of them would have made again.

What counts is what decides a result. Every edit is made in a copy of the package, whose plan then
states the records of one network, kernel cells of either solver, the arrays, a table and every
chart; the test compares these with the records before the edit.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import REPOSITORY
from data.own_files import as_archive, classified

from ntk_mnist import charts
from ntk_mnist.store.records import differences

#: Reads folders of sources, a line each; for each a child process of its own imports the package
#: from there and prints what its plan states. The libraries are imported once, before.
RECORDS = """
import json, os, sys
import jsonschema, msgspec, pyarrow.parquet, yaml

def records():
    from ntk_mnist.charts import CHARTS
    from ntk_mnist.plan.experiment import experiment_of
    from ntk_mnist.plan.stale import MADE_BY
    from ntk_mnist.store.records import chart_record, prepared_record, table_record
    from ntk_mnist.store.schemas import TABLE_SCHEMAS, columns
    from ntk_mnist.data.own import describe
    described = describe(sys.argv[1])
    small = experiment_of({"inputs": {"dataset": "digits", "test_size": 100}, "grid": {"size": 64}})
    like = {"parameterization": "ntk", "loss": "squared_error", "optimizer": "gradient_descent"}
    descent = experiment_of({
        "inputs": {"dataset": "digits", "test_size": 100}, "grid": {"size": 64},
        "training": like | {"step_size": 10.0}, "solve": {"times": [10]},
    })
    tanh = experiment_of({
        "inputs": {"dataset": "digits", "test_size": 100}, "grid": {"size": 64},
        "architecture": {"activation": "tanh"},
    })
    large = experiment_of({"grid": {"size": 5000}, "solve": {"times": [10]}})
    return {
        "network": small.networks[0].record("network"),
        "descent": descent.networks[0].record("network"),
        "comparison": table_record(columns(TABLE_SCHEMAS["distance"]), {}, "", made_by=MADE_BY),
        "spectral": small.kernels[0].record("kernel"),
        "calibration": small.kernels[0].record("calibration"),
        "exact": large.kernels[0].record("kernel"),
        "tanh": tanh.kernels[0].record("kernel"),
        "arrays": prepared_record("digits"),
        "own arrays": prepared_record("mine.npz", described.stated),
        "table": table_record(columns(TABLE_SCHEMAS["kernel"]), {}, ""),
        **{f"{chart} chart": chart_record(chart, {}, "digits") for chart in CHARTS},
    }

for line in sys.stdin:
    if not (child := os.fork()):
        sys.path.insert(0, line.strip())
        print(json.dumps(records()), flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit("the package cannot be imported")
"""
KERNELS_OF_RELU = {"spectral", "calibration", "exact"}
KERNELS = {*KERNELS_OF_RELU, "tanh"}
NETWORKS = {"network", "descent"}
CELLS = {*NETWORKS, *KERNELS}
CHARTS = {f"{name} chart" for name in charts.CHARTS}
#: It draws fixed points of the duals of any activation.
SIGNALS = "signal_propagation chart"
NOTHING: set[str] = set()

TRAINING, ARCHITECTURE = "networks/training.py", "architecture.py"
DESCENT, LOSSES = "networks/descent.py", "networks/losses.py"
GRAM, SPECTRAL, SOLVER = "kernels/gram.py", "kernels/spectral.py", "kernels/solver.py"
SOLVE, TILES = "kernels/exact/solve.py", "kernels/exact/device_tiles.py"
PREPROCESSING, CATALOGUE = "data/preprocessing.py", "data/catalogue.py"

#: File, regular expression, replacement of its first match (or of all), what is made again.
EDITS: dict[str, tuple[str, str, str, set[str]]] = {
    # Nothing that decides a result.
    "help of a command": ("__main__.py", 'help="of XLA', 'help="number of threads', NOTHING),
    "help of a cell": ("commands/cell_arguments.py", 'help="the shards"', 'help="files"', NOTHING),
    "order of a command": ("commands/network.py", r"sorted\(rows\)", "list(rows)", NOTHING),
    "progress word": ("store/progress.py", '"inverse steps"', '"steps back"', NOTHING),
    "progress interval": ("store/progress.py", "seconds: float = 5.0", "seconds: float = 9", NOTHING),
    "checkpoint": ("store/checkpoint.py", r"\.unlink\(\)", ".unlink(missing_ok=True)", NOTHING),
    "writing of files": ("store/whole_files.py", "0o644", "0o640", NOTHING),
    "names of programs": ("store/programs.py", r"\[:32\]", "[:30]", NOTHING),
    "annotation": (TRAINING, r"-> NDArray\[np.int32\]", "-> Any", NOTHING),
    "annotation of an argument": (GRAM, "kinds: Sequence\\[str\\]", "kinds: tuple[str, ...]", NOTHING),
    "docstring": (TRAINING, '"""Train one', '"""Fit one', NOTHING),
    "comment": (GRAM, "# The two triangles", "# Both triangles", NOTHING),
    "error message": (TRAINING, "diverged after", "left the finite numbers after", NOTHING),
    "error message of a solver": (SOLVER, "too small for this", "is zero: W_std", NOTHING),
    "unused function": (TRAINING, r"\ndef batch_order", "\ndef idle():\n    return 1\n\n\ndef batch_order", NOTHING),
    "unused import": (TRAINING, "import time\n", "import time\nimport math\n", NOTHING),
    "local variable": (TRAINING, r"\bbatches\b", "count_of_batches", NOTHING),
    "private function": (TRAINING, r"\b_capacity\b", "_room", NOTHING),
    "private constant": (GRAM, r"\b_TILE\b", "_ROWS_OF_A_TILE", NOTHING),
    "formatting": (GRAM, r"c = slice\(j", "c  =  slice( j", NOTHING),
    "import alias": (ARCHITECTURE, r"\bjnp\b", "numerics", NOTHING),
    "new activation": (ARCHITECTURE, r'(    "sin": )', r'    "cos": jnp.cos,\n\1', NOTHING),
    "other activation": (ARCHITECTURE, "approximate=False", "approximate=True", NOTHING),
    "other optimizer": (TRAINING, "optimizers.nesterov", "optimizers.adagrad", NOTHING),
    "new preprocessing": (PREPROCESSING, r'    "scale": scale,\n', '    "scale": scale,\n    "raw": lambda scaled: scaled + 1,\n', NOTHING),
    "new dataset": (CATALOGUE, r'    "digits": Desc', '    "mine": Description("Mine", (), 9, 9, (2, 2), 1),\n    "digits": Desc', NOTHING),
    "mirror": (CATALOGUE, "ossci-datasets", "another", NOTHING),
    "download": ("data/sources.py", "_RETRIES = 10, 30, 2", "_RETRIES = 10, 30, 3", NOTHING),
    "cost": ("plan/cost.py", "= 600, 500", "= 700, 500", NOTHING),
    "check of a config": ("plan/config.py", "is too small", "is much too small", NOTHING),
    "sentence of a setting": ("settings.py", "images a step", "images of a step", NOTHING),
    "bound of a setting": ("settings.py", "le=1000", "le=2000", NOTHING),
    "sentence of a column": ("measures.py", "fraction of the {} images", "of the {} images", NOTHING),
    "unused function of charts": ("charts/style.py", r"\Z", "\n\ndef idle() -> int:\n    return 1\n", NOTHING),
    "digests themselves": ("store/records.py", r"\[:16\]", "[:16 + 0]", NOTHING),
    # Something that does.
    "default of a setting that the config leaves out": ("settings.py", r"\b20\n", "21\n", {"network"}),
    "constant of evaluation": (TRAINING, "_EVALUATION_BLOCK = 256", "_EVALUATION_BLOCK = 128", {"network"}),
    "key of the parameters": (TRAINING, r"\[0, seed\]", "[1, seed]", {"network"}),
    "optimizer in use": (TRAINING, "optimizers.momentum", "optimizers.nesterov", {"network"}),
    "import that points elsewhere": (TRAINING, "from jax.example_libraries import optimizers", "from jax.experimental import optimizers", {"network"}),
    "loss not in use": (LOSSES, "outputs - targets", "outputs + targets", NOTHING),
    "step of descent": (DESCENT, r"w - step_size \* g, params", "w + step_size * g, params", {"descent"}),
    "empirical kernel": ("networks/empirical_kernel.py", r"\*\*2 / weights", "**3 / weights", {"descent"}),
    "distance": ("comparison/distances.py", r"\*\* 2", "** 4", {"comparison"}),
    "slope": ("comparison/slopes.py", r"networks - 2\)", "networks - 3)", {"comparison"}),
    "loss": (LOSSES, "return -jnp.take_along_axis", "return -2 * jnp.take_along_axis", {"network"}),
    "activation in use": (ARCHITECTURE, r"jax\.nn\.relu,", "jax.nn.relu6,", NETWORKS),
    "dual in use": ("infinite_width/duals.py", r"bend / jnp\.pi", "bend / 3.14", {*KERNELS_OF_RELU, "descent", SIGNALS}),
    "dual not in use": ("infinite_width/duals.py", r"return -jnp\.expm1\(-2 \* a\) / 2", "return -jnp.expm1(-2 * a) / 3", {SIGNALS}),
    "series of an activation": ("infinite_width/mehler.py", r"_Rule\(256, 192\)", "_Rule(256, 128)", {"tanh", SIGNALS}),
    "bias": (ARCHITECTURE, "architecture.b_std or None", "architecture.b_std", NETWORKS),
    "effect of an import": ("neural_tangents_compat.py", r"zeros_like_p=", "zeros_like=", NETWORKS),
    "inputs": (PREPROCESSING, "/ self.pixel_max", "/ (self.pixel_max + 1)", CELLS),
    "pixels of the dataset": (CATALOGUE, "pixel_max=16", "pixel_max=17", CELLS - {"exact"} | {"arrays"} | CHARTS),
    "reading of originals": ("data/originals.py", "type_code != 0x08", "type_code != 0x09", CELLS | {"arrays"}),
    "preparing of one's own data": ("data/own_arrays.py", r"astype\(np\.float32\)", "astype(np.float16)", {"own arrays"}),
    "description of one's own data": ("data/own.py", "255 if is_image", "254 if is_image", {"own arrays"}),
    "writing of arrays": ("data/originals.py", r"np\.save\(whole, array\)", "np.save(whole, array[::-1])", CELLS | {"arrays", "own arrays"}),
    "threads": ("runtime.py", '"MKL_NUM_THREADS"', '"MKL_THREADS"', CELLS),
    "compilation": ("compilation.py", r"return lower\(\)\.compile\(compiler_options\(\)\)\n    finally", "return lower().compile()\n    finally", CELLS),
    "optimization": ("compilation.py", 'optimization_level": "2"', 'optimization_level": "3"', CELLS),
    "rows of a tile": (GRAM, "_TILE = 1024", "_TILE = 512", {*KERNELS, "descent"}),
    "strips of a tile": (GRAM, "STRIP = 64", "STRIP = 32", {*KERNELS, "descent"}),
    "angles": ("infinite_width/angles.py", r"_ROUNDING = 2\.0\*\*-56", "_ROUNDING = 2.0**-55", {*KERNELS_OF_RELU, "descent", SIGNALS}),
    "angles of other activations": ("infinite_width/arctan2.py", r"0\.66 \* larger", "0.7 * larger", {SIGNALS}),
    "gradient flow": ("kernels/dynamics.py", r"-np\.expm1\(-time", "-np.expm1(-2 * time", KERNELS - {"exact"}),
    "policy on singular matrices": (SOLVER, r"np\.floor", "np.ceil", KERNELS),
    "groups of the calibration": ("kernels/calibration.py", "GROUPS, LARGEST_GROUP = 20", "GROUPS, LARGEST_GROUP = 10", KERNELS),
    "constant of the exact solve": (SOLVE, "_PIVOTS = 256", "_PIVOTS = 512", {"exact"}),
    "decorator": ("kernels/exact/image_tiles.py", r"@jax\.jit\ndef _by", "def _by", {"exact"}),
    "argument of a call": (TILES, "symmetrize_input=False", "symmetrize_input=True", {"exact"}),
    "default argument": ("kernels/solver.py", "programs: Programs = compile_in_memory", "programs: Programs = None", KERNELS),
    "column of the calibration": ("measures.py", r"(    fraction: )", r'    more: Annotated[float, _measure("x")] = 0.0\n\1', {"calibration"}),
    "column of the kernels": ("measures.py", r"(    residual: )", r'    more: Annotated[float, _measure("x")] = 0.0\n\1', {"spectral", "exact", "tanh", "table"}),
    "aggregation": ("store/tables.py", r"sort_by\(list\(order\)\)", "sort_by(list(order)[:1])", {"table"}),
    "chart": ("charts/calibration.py", r"\[0, 1\]", "[0, 2]", {"calibration chart"}),
    "style of charts": ("charts/style.py", "#ececec", "#eeeeee", CHARTS),
    "resolution of charts": ("commands/chart.py", "_PER_INCH = 200", "_PER_INCH = 100", CHARTS),
}  # fmt: skip
EVERYWHERE = {"local variable", "private function", "private constant", "import alias"}


class Planner:
    """Asks for the records of a copy of the package, with a file of the user's own."""

    def __init__(self, own: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", RECORDS, own],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def records(self, source: Path) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{source}\n")
        self._process.stdin.flush()
        records: dict[str, Any] = json.loads(self._process.stdout.readline())
        return records

    def close(self) -> None:
        self._process.communicate()


def copy_of_source(to: Path) -> Path:
    """A copy of the package that can be edited."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "src/ntk_mnist", to / "ntk_mnist", ignore=ignored)
    return to


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planner]:
    planner = Planner(as_archive(tmp_path_factory.mktemp("own") / "own.npz", classified()))
    yield planner
    planner.close()


@pytest.fixture(scope="module")
def before(planner: Planner, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return planner.records(copy_of_source(tmp_path_factory.mktemp("before")))


@pytest.mark.slow
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_makes_again_what_it_decides_and_nothing_else(
    edit: str, planner: Planner, before: dict[str, Any], tmp_path: Path
) -> None:
    name, old, new, expected = EDITS[edit]
    file = copy_of_source(tmp_path) / "ntk_mnist" / name
    text, count = re.subn(old, new, file.read_text(), count=0 if edit in EVERYWHERE else 1)
    assert count, f"{name} has no {old}"
    file.write_text(text)
    after = planner.records(tmp_path)
    changed = {product for product in before if differences(before[product], after[product])}
    assert changed == expected


def test_at_least_half_of_forty_edits_run_something() -> None:
    running = [edit for edit, (*_, expected) in EDITS.items() if expected]
    assert len(EDITS) >= 40
    assert 20 <= len(running) <= len(EDITS) - 20
