"""``kernel``: one cell, both infinite-width kernels at one training-set size."""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from math import inf, isinf
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntk_mnist.architecture import Architecture
from ntk_mnist.calibration import Calibration, calibrate
from ntk_mnist.checkpoint import Checkpoint
from ntk_mnist.datasets import CATALOGUE, load
from ntk_mnist.exact_solve import exact_solve
from ntk_mnist.gradient_flow import accuracy, mean_squared_error, spectral_solve
from ntk_mnist.kernel import KINDS, diagonal, gram
from ntk_mnist.programs import KeptPrograms
from ntk_mnist.progress import ProgressLines
from ntk_mnist.provenance import of_kernel
from ntk_mnist.shards import KERNEL_SCHEMA, stands, write
from ntk_mnist.solution import Solution


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--dataset", required=True, choices=list(CATALOGUE))
    parser.add_argument("--prepared", required=True, type=Path, help="folder of the arrays")
    parser.add_argument("--test-size", required=True, type=int)
    parser.add_argument("--size", required=True, type=int)
    parser.add_argument("--architecture", required=True, type=json.loads, help="as JSON")
    parser.add_argument("--kinds", required=True, nargs="+", choices=KINDS)
    parser.add_argument("--times", nargs="*", type=float, default=[], help="infinity is added")
    parser.add_argument("--diag-reg", required=True, type=float)
    parser.add_argument("--solver", required=True, choices=("spectral", "exact"))
    parser.add_argument(
        "--attempt", type=int, default=1, help="after the first, a fresh shard is left as it is"
    )
    parser.add_argument("--compiled", required=True, type=Path, help="folder of kept programs")
    parser.add_argument(
        "--checkpoint", required=True, type=Path, help="folder of what an exact solve has finished"
    )
    parser.add_argument("--output", required=True, type=Path, help="the shard")


def run(options: argparse.Namespace) -> None:
    """Load, solve each kernel at every time, and write."""
    architecture = Architecture(**options.architecture)
    cell = {
        "dataset": options.dataset,
        "size": options.size,
        "test_size": options.test_size,
        **asdict(architecture),
    }
    solve = {
        "kinds": sorted(options.kinds),
        "times": sorted(options.times),
        "diag_reg": options.diag_reg,
        "solver": options.solver,
    }
    if options.solver == "spectral":
        solve["threads"] = options.threads
    made = of_kernel(cell | solve)
    if options.attempt > 1 and stands(options.output, made):
        return
    dataset = load(options.dataset, options.prepared, options.size, options.test_size)
    targets = np.eye(dataset.description.classes)
    images = _Images(
        dataset.train_images,
        targets[dataset.train_labels],
        dataset.test_images,
        targets[dataset.test_labels],
        dataset.description.pixel_max,
    )
    times = [*options.times, inf]
    if options.solver == "spectral":
        programs = KeptPrograms(options.compiled, made)
        found = _spectral(architecture, options.kinds, images, times, options.diag_reg, programs)
    else:
        checkpoints = {kind: Checkpoint(options.checkpoint / kind, made) for kind in options.kinds}
        found = _exact(architecture, checkpoints, images, times, options.diag_reg)
    rows = [cell | {"solver": options.solver} | observation for observation in found]
    write(options.output, KERNEL_SCHEMA, rows, made)
    if options.solver == "exact":
        shutil.rmtree(options.checkpoint)


class _Images(NamedTuple):
    """Pixels from 0 to ``pixel_max``, and one-hot labels."""

    train: NDArray[np.uint8]
    train_targets: NDArray[np.float64]
    test: NDArray[np.uint8]
    test_targets: NDArray[np.float64]
    pixel_max: int


def _spectral(
    architecture: Architecture,
    kinds: Sequence[str],
    images: _Images,
    times: Sequence[float],
    diag_reg: float,
    programs: KeptPrograms,
) -> Iterator[dict[str, Any]]:
    train, test = (x / np.float64(images.pixel_max) for x in (images.train, images.test))
    k_train_train = gram(architecture, train, None, kinds, programs)
    k_test_train = gram(architecture, test, train, kinds, programs)
    prior = diagonal(architecture, test, kinds, programs)
    for kind in kinds:
        solve = partial(
            spectral_solve,
            *(k_train_train[kind], k_test_train[kind], prior[kind]),
            *(images.train_targets, times, diag_reg),
        )
        yield from _observations(kind, solve, images, times)


def _exact(
    architecture: Architecture,
    checkpoints: Mapping[str, Checkpoint],
    images: _Images,
    times: Sequence[float],
    diag_reg: float,
) -> Iterator[dict[str, Any]]:
    for kind, kept in checkpoints.items():
        if "observations" not in kept:
            solve = partial(
                exact_solve,
                *(architecture, kind, images.train, images.train_targets, images.test),
                *(times, diag_reg),
                pixel_max=images.pixel_max,
                progress=ProgressLines(f"{kind}, {len(images.train):,} images", sys.stderr),
                kept=kept,
            )
            observations = list(_observations(kind, solve, images, times))
            # One kernel's tiles are the most that the disk need hold.
            kept.clear()
            kept["observations"] = np.array(json.dumps(observations))
        yield from json.loads(str(kept["observations"]))


def _observations(
    kind: str, solve: Callable[[], Solution], images: _Images, times: Sequence[float]
) -> Iterator[dict[str, Any]]:
    """What is seen of one kernel, a row a time."""
    started = time.perf_counter()
    solution = solve()
    solved = {
        "kernel": kind,
        "diag_reg": solution.diag_reg,
        "condition_number": solution.condition_number,
        "residual": solution.residual,
        "jitter": solution.jitter,
        "log_marginal_likelihood": solution.log_marginal_likelihood,
        "log_marginal_likelihood_error": solution.log_marginal_likelihood_error,
        "solve_seconds": time.perf_counter() - started,
    }
    for at, on_train, on_test, error in zip(
        times, solution.train, solution.test, solution.errors, strict=True
    ):
        calibration = (
            calibrate(solution.variances, on_test, images.test_targets)
            if isinf(at)
            else Calibration([], [], [], [])
        )
        yield solved | {
            "time": at,
            "train_accuracy": accuracy(on_train, images.train_targets),
            "test_accuracy": accuracy(on_test, images.test_targets),
            "train_mse": mean_squared_error(on_train, images.train_targets),
            "test_mse": mean_squared_error(on_test, images.test_targets),
            "prediction_error": float(error),
            **{f"calibration_{name}": values for name, values in calibration._asdict().items()},
        }
