"""The lines that a run of a comparison ends with."""

import subprocess
import sys
from itertools import product
from typing import Any

import pytest
from msgspec.structs import asdict

from ntk_mnist.charts.findings import findings, slopes_in_words
from ntk_mnist.settings import Architecture

RELU, ERF = (Architecture(activation=name, W_std=1.5, b_std=0.1) for name in ("relu", "erf"))
QUANTITIES = ("network_to_limit", "linearization_to_limit", "network_to_linearization")


def slopes(architecture: Architecture, first: float) -> list[dict[str, Any]]:
    """Of two times, the second 0.1 flatter; 0.01 flatter from width 256 on."""
    return [
        asdict(architecture)
        | {"size": 64, "quantity": quantity, "time": time, "smallest_width": width}
        | {"slope": slope, "low": slope - 0.02 * time, "high": slope + 0.02 * time}
        for i, quantity in enumerate(QUANTITIES)
        for width, of_range in ((64, first - i), (256, first - i + 0.01))
        for time, slope in ((1.0, of_range), (2.0, of_range + 0.1))
    ]


def ensembles(architecture: Architecture, gap: float) -> list[dict[str, Any]]:
    """Of two widths and times; the gap is that of the last."""
    return [
        asdict(architecture)
        | {"size": 64, "width": width, "time": time, "accuracy_gap_error": 0.004, "centred": True}
        | {"network_accuracy": 0.7 + own, "limit_accuracy": 0.7, "accuracy_gap": own}
        for width, time in product((1024, 64), (2.0, 1.0))
        for own in [gap if (width, time) == (1024, 2.0) else -0.5]
    ]


def test_each_architecture_and_size_has_its_slopes_and_the_gap_at_the_largest_width() -> None:
    lines = list(
        findings(
            [*slopes(RELU, -0.5), *slopes(ERF, -0.6)],
            [*ensembles(ERF, -0.0123), *ensembles(RELU, 0.03)],
        )
    )
    assert lines == [
        "erf, 2 hidden layers, W_std 1.5, b_std 0.1, 64 training images. Slopes of distances over "
        "width: network to NTK −0.60 … −0.50 (± 0.04), from width 256 on −0.59 … −0.49 (± 0.04); "
        "network to linearization −2.60 … −2.50 (± 0.04), from width 256 on −2.59 … −2.49 (± 0.04)."
        " Width 1,024, t = 2: test accuracy "
        "0.688, NTK 0.700, gap −0.012 ± 0.004",
        "relu, 2 hidden layers, W_std 1.5, b_std 0.1, 64 training images. Slopes of distances over "
        "width: network to NTK −0.50 … −0.40 (± 0.04), from width 256 on −0.49 … −0.39 (± 0.04); "
        "network to linearization −2.50 … −2.40 (± 0.04), from width 256 on −2.49 … −2.39 (± 0.04)."
        " Width 1,024, t = 2: test accuracy "
        "0.730, NTK 0.700, gap 0.030 ± 0.004",
    ]


@pytest.mark.parametrize(
    ("gap", "words"), [(-0.0004, "gap 0.000 ±"), (-0.0006, "gap −0.001 ±"), (0.0, "gap 0.000 ±")]
)
def test_no_gap_has_no_sign(gap: float, words: str) -> None:
    (line,) = findings([], ensembles(RELU, gap))
    assert words in line
    # One width has no slope.
    assert "Slopes" not in line


def test_networks_that_keep_their_random_start_are_said_not_to_approach_the_limit() -> None:
    rows = [row | {"centred": False} for row in ensembles(RELU, 0.1)]
    *_, last = findings([], rows)
    assert last.startswith("Not centred: a network keeps its random start")


def test_slopes_that_were_not_fitted_are_not_told() -> None:
    unknown = {"slope": None, "low": None, "high": None, "smallest_width": 64}
    assert slopes_in_words([unknown]) == {}
    one = {"slope": -0.5, "low": -0.55, "high": -0.45, "smallest_width": 64}
    assert slopes_in_words([one, unknown]) == {64: "−0.50 (± 0.05)"}


def test_snakemake_loads_no_library_of_charts_for_them() -> None:
    program = (
        "import sys; import ntk_mnist.charts.findings;"
        "sys.exit(bool({'altair', 'jax', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": "src"})
