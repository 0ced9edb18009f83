"""The sentences that a run ends with: what they say, and of what."""

import math
import statistics
import subprocess
import sys
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from msgspec.structs import asdict

from ntk_mnist.charts.headline import COLUMNS, headline
from ntk_mnist.comparison.binomial import standard_error
from ntk_mnist.comparison.published import VERDICTS
from ntk_mnist.settings import Architecture
from ntk_mnist.store.schemas import TABLE_SCHEMAS

RELU, ERF = (Architecture(activation=name, W_std=1.5, b_std=0.1) for name in ("relu", "erf"))
#: Accuracies at t = ∞ by kernel and size.
LIMITS = {("nngp", 64): 0.60, ("nngp", 256): 0.90, ("ntk", 64): 0.62, ("ntk", 256): 0.91}

Rows = list[dict[str, Any]]


def kernels(architecture: Architecture = RELU, more: float = 0.0, last: float = math.inf) -> Rows:
    return [
        asdict(architecture)
        | {"size": size, "draw": 0, "kernel": kind, "time": time, "test_size": 1000}
        | {"test_accuracy": (value if time == last else 0.1) + more, "test_mse": value / 10}
        for (kind, size), value in LIMITS.items()
        for time in (10.0, last)
    ]


def networks(
    seeds: Mapping[int, float],
    architecture: Architecture = RELU,
    loss: str = "squared_error",
    parameterization: str = "ntk",
    train: float = 1.0,
) -> Rows:
    """Of widths 8 and 512: accuracy 0.5 and 0.8 plus what a seed adds, 0.1 less with 64 images."""
    return [
        asdict(architecture)
        | {"width": width, "size": size, "draw": 0, "seed": seed, "time": None, "test_size": 1000}
        | {"test_accuracy": value + more - (0.1 if size == 64 else 0.0), "test_mse": None}
        | {"train_accuracy": train, "train_mse": None}
        | {"loss": loss, "parameterization": parameterization}
        for width, value in ((8, 0.5), (512, 0.8))
        for size in (64, 256)
        for seed, more in seeds.items()
    ]


def slopes(architecture: Architecture, first: float) -> Rows:
    """Of two times, the second 0.1 flatter; 0.01 flatter from width 256 on."""
    return [
        asdict(architecture)
        | {"size": 64, "quantity": quantity, "time": time, "smallest_width": width}
        | {"slope": slope, "low": slope - 0.02 * time, "high": slope + 0.02 * time}
        for quantity, less in (("network_to_limit", 0.0), ("network_to_linearization", 0.4))
        for width, of_range in ((64, first - less), (256, first - less + 0.01))
        for time, slope in ((1.0, of_range), (2.0, of_range + 0.1))
    ]


def ensembles(architecture: Architecture, gap: float, *, centred: bool = True) -> Rows:
    """Of two widths and times; the gap is that of the last."""
    return [
        asdict(architecture)
        | {"size": 64, "width": width, "time": time, "accuracy_gap_error": 0.004}
        | {"network_accuracy": 0.7 + own, "limit_accuracy": 0.7, "accuracy_gap": own}
        | {"centred": centred}
        for width, time in product((1024, 64), (2.0, 1.0))
        for own in [gap if (width, time) == (1024, 2.0) else -0.5]
    ]


def test_like_for_like_it_tells_slopes_over_all_widths_and_the_gap_at_the_largest() -> None:
    said = headline(
        {
            "kernel": kernels(),
            "network": networks({0: 0.0, 1: 0.0}),
            "convergence": [*slopes(RELU, -0.5), *slopes(ERF, -0.6)],
            "ensemble": [*ensembles(ERF, -0.0123), *ensembles(RELU, 0.03)],
        }
    )
    assert said.lines == (
        "Like for like, the distance of networks' predictions from the NTK's goes as width^s, "
        "s = −0.60 … −0.40 (± up to 0.04 at 95 %), over 2 architectures, 64 training images and "
        "2 times; theory says −1/2.",
        "At width 1,024 and t = 2, mean test accuracy is 0.688 … 0.730, the NTK's 0.700 over 2 "
        "architectures and 64 training images: a gap of −1.2 … 3.0 percentage points, each ± up to "
        "0.4 by the shared test images.",
        "What training adds, the distance of networks from their own linearizations, goes as "
        "width^s, s = −1.00 … −0.80 (± up to 0.04 at 95 %).",
    )
    assert said.warnings == ()


def test_one_width_has_no_slope() -> None:
    (line,) = headline({"kernel": kernels(), "ensemble": ensembles(RELU, 0.0)}).lines
    assert line.endswith("a gap of 0.0 percentage points ± 0.4 by the shared test images.")


def test_networks_that_keep_their_random_start_are_said_not_to_approach_the_limit() -> None:
    said = headline(
        {"convergence": slopes(RELU, -0.5), "ensemble": ensembles(RELU, 0.1, centred=False)}
    )
    assert not any("Like for like" in line for line in said.lines)
    assert said.warnings[0].startswith("Not centred: a network keeps its random start")


def test_networks_by_epochs_are_told_beside_both_limits_with_the_error_of_the_test_images() -> None:
    said = headline(
        {
            "kernel": kernels(),
            "network": networks(
                {0: 0.0}, loss="cross_entropy", parameterization="glorot", train=0.5
            ),
        }
    )
    accuracies = (0.9, 0.91, 0.8, 0.6, 0.62)
    errors = {p: f"{p:.3f} ± {standard_error(p, 1000):.3f}" for p in accuracies}

    def gap(network: float, limit: float) -> str:
        error = math.hypot(*(standard_error(p, 1000) for p in (network, limit)))
        return f"{100 * (network - limit):.1f} ± {100 * error:.1f}".replace("-", "−")

    assert said.lines == (
        f"Infinite width, 256 training images, t = ∞: test accuracy NNGP {errors[0.9]}, "
        f"NTK {errors[0.91]} (± standard error, of 1,000 test images); with 64, "
        f"NNGP {errors[0.6]}, NTK {errors[0.62]}.",
        f"Finite width 512, 256 training images: test accuracy {errors[0.8]} (± standard error, of "
        f"1,000 test images); {gap(0.8, 0.9)} percentage points from the NNGP, "
        f"{gap(0.8, 0.91)} from the NTK.",
        f"From width 8 to 512, the gap to the NTK goes from {gap(0.5, 0.91)} to {gap(0.8, 0.91)} "
        "percentage points.",
    )
    assert said.warnings == (
        "Not like for like: the networks' loss is the cross-entropy, the kernels' the squared "
        "error; the networks' Glorot initialization has another limit; networks have not fitted "
        "their training sets (train accuracy 0.50).",
        "One seed: how much a network varies between seeds is not known.",
    )


def test_several_seeds_have_the_standard_error_of_their_mean() -> None:
    seeds = {0: 0.0, 1: 0.03, 2: 0.012}
    said = headline({"kernel": kernels(), "network": networks(seeds)})
    mean = 0.8 + statistics.fmean(seeds.values())
    error = statistics.stdev(seeds.values()) / math.sqrt(3)
    assert f"test accuracy {mean:.3f} ± {error:.3f} (± standard error, of 3 runs)" in said.lines[1]
    assert said.warnings == ()


def test_of_several_architectures_it_tells_the_range_and_picks_none_by_its_test_images() -> None:
    said = headline(
        {
            "kernel": [*kernels(), *kernels(ERF, -0.05)],
            "network": [*networks({0: 0.0}), *networks({0: 0.01}, ERF)],
        }
    )
    assert "NNGP 0.850 … 0.900, NTK 0.860 … 0.910 (over 2 architectures;" in said.lines[0]
    # Each architecture is compared with its own limit.
    assert "; −10.0 … −4.0 ± up to 1.7 percentage points from the NNGP, " in said.lines[1]
    assert "−11.0 … −5.0 ± up to 1.7 from the NTK." in said.lines[1]


def test_real_valued_targets_are_told_by_their_squared_error() -> None:
    without = {"test_accuracy": None}
    said = headline(
        {
            "kernel": [row | without for row in kernels()],
            "network": [
                row | without | {"test_mse": 0.5, "train_accuracy": None}
                for row in networks({0: 0.0})
            ],
        }
    )
    assert (
        "test squared error NNGP 0.09, NTK 0.091; with 64, NNGP 0.06, NTK 0.062." in (said.lines[0])
    )
    assert "test squared error 0.5; 0.4100 from the NNGP, 0.4090 from the NTK." in said.lines[1]


def test_kernels_alone_are_told_at_their_last_time() -> None:
    (line,) = headline({"kernel": kernels(last=1000.0)}).lines
    assert line.startswith("Infinite width, 256 training images, t = 1e3: test accuracy NNGP 0.900")


@pytest.mark.parametrize("verdict", VERDICTS)
def test_published_numbers_are_counted_by_what_may_be_said_of_them(verdict: str) -> None:
    rows = [{"verdict": verdict}] * 2
    *_, line = headline({"kernel": kernels(), "reproduction": rows}).lines
    assert line.startswith("Of 2 published numbers, 2 ")


def test_it_has_at_most_three_lines() -> None:
    tables = {"kernel": kernels(), "network": networks({0: 0.0})}
    assert len(headline(tables | {"reproduction": [{"verdict": "equal"}]}).lines) == 3


def test_without_a_table_it_says_nothing() -> None:
    assert headline({}) == ((), ())


def test_its_columns_are_those_of_the_tables() -> None:
    for name, columns in COLUMNS.items():
        assert set(columns) <= set(TABLE_SCHEMAS[name].names)


def test_snakemake_loads_no_library_of_charts_for_it() -> None:
    program = (
        "import sys; import ntk_mnist.charts.headline;"
        "sys.exit(bool({'altair', 'jax', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": "src"})


def test_with_groups_only_architectures_that_ran_with_both_sizes_are_compared() -> None:
    large = [row for row in kernels() if row["size"] == 256]
    small = [row for row in kernels(ERF) if row["size"] == 64]
    first, *_ = headline({"kernel": [*large, *small]}).lines
    assert first.endswith("NTK 0.910 ± 0.009 (relu, depth 2, W_std 1.5, b_std 0.1; ± standard "
                          "error, of 1,000 test images).")  # fmt: skip


def test_each_architecture_is_told_at_its_own_widest_networks() -> None:
    narrow = [row for row in networks({0: 0.1}, ERF) if row["width"] == 8]
    said = headline(
        {"kernel": [*kernels(), *kernels(ERF)], "network": [*networks({0: 0}), *narrow]}
    )
    assert said.lines[1].startswith(
        "The widest networks of each architecture (8 … 512), 256 training images: test accuracy "
        "0.600 … 0.800 (over 2 architectures;"
    )
    # Of other widths, no gap from one to another.
    assert len(said.lines) == 2


def test_a_gap_is_to_the_limit_of_the_same_draw_of_training_images() -> None:
    limits = [
        row | {"draw": draw, "test_accuracy": row["test_accuracy"] + 0.02 * draw}
        for row in kernels()
        for draw in (0, 1)
    ]
    own = [
        row | {"draw": draw, "test_accuracy": row["test_accuracy"] + 0.02 * draw}
        for row in networks({0: 0.0})
        for draw in (0, 1)
    ]
    line = headline({"kernel": limits, "network": own}).lines[1]
    # The draws differ by 0.02 on both sides, so that the gap does not vary.
    assert "; −10.0 ± 0.0 percentage points from the NNGP" in line
    assert "0.810 ± 0.010 (± standard error, of 2 runs)" in line
