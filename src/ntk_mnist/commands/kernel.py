"""``kernel``: one cell, both infinite-width kernels at one training-set size."""

import argparse
import json
import time
from dataclasses import asdict
from math import inf
from pathlib import Path

import numpy as np

from ntk_mnist.architecture import Architecture
from ntk_mnist.datasets import CATALOGUE, load
from ntk_mnist.gradient_flow import accuracy, diagonalize, mean_squared_error
from ntk_mnist.kernel import KINDS, gram
from ntk_mnist.programs import KeptPrograms
from ntk_mnist.provenance import of_kernel
from ntk_mnist.shards import KERNEL_SCHEMA, stands, write


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
    parser.add_argument(
        "--attempt", type=int, default=1, help="after the first, a fresh shard is left as it is"
    )
    parser.add_argument("--compiled", required=True, type=Path, help="folder of kept programs")
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
        "threads": options.threads,
    }
    made = of_kernel(cell | solve)
    if options.attempt > 1 and stands(options.output, made):
        return
    dataset = load(options.dataset, options.prepared, options.size, options.test_size)
    train_images = dataset.train_images / np.float64(dataset.description.pixel_max)
    test_images = dataset.test_images / np.float64(dataset.description.pixel_max)
    targets = np.eye(dataset.description.classes)
    train_targets, test_targets = targets[dataset.train_labels], targets[dataset.test_labels]

    programs = KeptPrograms(options.compiled, made)
    k_train_train = gram(architecture, train_images, None, options.kinds, programs)
    k_test_train = gram(architecture, test_images, train_images, options.kinds, programs)
    times = [*options.times, inf]
    rows = []
    for kind in options.kinds:
        started = time.perf_counter()
        flow = diagonalize(k_train_train[kind], train_targets, options.diag_reg)
        on_train, on_test = flow.predict_train(times), flow.predict(k_test_train[kind], times)
        measured = [
            {
                "time": t,
                "train_accuracy": accuracy(on_train[i], train_targets),
                "test_accuracy": accuracy(on_test[i], test_targets),
                "train_mse": mean_squared_error(on_train[i], train_targets),
                "test_mse": mean_squared_error(on_test[i], test_targets),
            }
            for i, t in enumerate(times)
        ]
        solved = {
            "kernel": kind,
            "diag_reg": flow.diag_reg,
            "condition_number": flow.condition_number,
            "solve_seconds": time.perf_counter() - started,
        }
        rows += [cell | solved | observation for observation in measured]
    write(options.output, KERNEL_SCHEMA, rows, made)
