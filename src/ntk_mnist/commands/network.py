"""``network``: one cell, a finite network of one width, size and seed."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from ntk_mnist.architecture import Architecture
from ntk_mnist.datasets import CATALOGUE, load
from ntk_mnist.network import Training, train
from ntk_mnist.programs import KeptPrograms
from ntk_mnist.provenance import of_network
from ntk_mnist.shards import NETWORK_SCHEMA, stands, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--dataset", required=True, choices=list(CATALOGUE))
    parser.add_argument("--prepared", required=True, type=Path, help="folder of the arrays")
    parser.add_argument("--test-size", required=True, type=int)
    parser.add_argument("--width", required=True, type=int)
    parser.add_argument("--size", required=True, type=int)
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--architecture", required=True, type=json.loads, help="as JSON")
    parser.add_argument("--training", required=True, type=json.loads, help="as JSON")
    parser.add_argument(
        "--attempt", type=int, default=1, help="after the first, a fresh shard is left as it is"
    )
    parser.add_argument("--compiled", required=True, type=Path, help="folder of kept programs")
    parser.add_argument("--output", required=True, type=Path, help="the shard")


def run(options: argparse.Namespace) -> None:
    """Load, train and write."""
    architecture = Architecture(**options.architecture)
    training = Training(**options.training)
    settings = {
        "dataset": options.dataset,
        "width": options.width,
        "size": options.size,
        "seed": options.seed,
        "test_size": options.test_size,
        **asdict(architecture),
        **asdict(training),
    }
    made = of_network(settings | {"threads": options.threads})
    if options.attempt > 1 and stands(options.output, made):
        return
    dataset = load(options.dataset, options.prepared, options.size, options.test_size)
    programs = KeptPrograms(options.compiled, made)
    trained = train(architecture, training, options.width, options.seed, dataset, programs)
    write(options.output, NETWORK_SCHEMA, [settings | trained._asdict()], made)
