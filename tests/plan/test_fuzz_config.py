"""Ten thousand malformed configs: each fault is one line, and what is accepted can run."""

import copy
import random
from typing import Any

import numpy as np
import pytest
import yaml
from checkout import REPOSITORY

from ntk_mnist.plan.config import problems
from ntk_mnist.plan.experiment import experiment_of

CONFIGS = 10_000
DEFAULT = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
ODD: list[Any] = [
    None, True, 0, -1, 1.5, 10**400, float("nan"), float("inf"), "", " ", "64", "1e3", "..",
    "a/b", "$(rm -rf .)", "; ls", "--help", "\n", "\x00", "é", [], [[]], {}, {"a": {}},
    [None], [64, 64], ["64"], {"width": 3}, "mnist", "relu", [1] * 1000, "x" * 10_000,
]  # fmt: skip


def places(config: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in a config."""
    inner = (
        config.items()
        if isinstance(config, dict)
        else enumerate(config)
        if isinstance(config, list)
        else ()
    )
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def spoiled(rng: random.Random, everywhere: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The default config with up to three keys removed, renamed or given an odd value."""
    config: dict[str, Any] = copy.deepcopy(DEFAULT)
    for *parents, last in rng.sample(everywhere, rng.randint(1, 3)):
        place: Any = config
        for key in parents:
            inside = isinstance(place, dict) and key in place
            inside = inside or (
                isinstance(place, list) and isinstance(key, int) and key < len(place)
            )
            place = place[key] if inside else None
        if isinstance(place, dict):
            match rng.randrange(3):
                case 0:
                    place.pop(last, None)
                case 1:
                    place[f"{last}s"] = rng.choice(ODD)
                case _:
                    place[last] = rng.choice(ODD)
        elif isinstance(place, list) and isinstance(last, int) and last < len(place):
            place[last] = rng.choice(ODD)
    return config


@pytest.mark.slow
def test_faults_of_malformed_configs_are_short_lines_and_accepted_configs_make_an_experiment() -> (
    None
):
    rng = random.Random(0)
    everywhere = places(DEFAULT)[1:]
    accepted = 0
    for _ in range(CONFIGS):
        config = spoiled(rng, everywhere)
        lines = problems(config)
        assert all(line and "\n" not in line and len(line) < 1000 for line in lines)
        accepted += not lines
        if not lines:
            experiment = experiment_of(config)
            assert np.isfinite(experiment.training.step_size)
            assert experiment.name.replace("_", "").replace("-", "").isalnum()
    assert 0 < accepted < CONFIGS // 4
