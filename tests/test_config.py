"""Every config that ships can run; every fault is a line that names key, value and remedy."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from ntk_mnist.config import problems
from ntk_mnist.datasets import CATALOGUE
from ntk_mnist.kernel import KINDS
from ntk_mnist.network import OPTIMIZERS

SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
DEFAULT = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
OVERLAYS = sorted(p for p in (REPOSITORY / "config").glob("*.yaml") if p.name != "config.yaml")


def merged(base: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """As Snakemake merges a --configfile."""
    result = dict(base)
    for key, value in overlay.items():
        old = result.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            value = merged(old, value)  # noqa: PLW2901
        result[key] = value
    return result


def test_the_default_experiment_is_the_notebooks() -> None:
    assert problems(DEFAULT, SCHEMA) == []
    powers = [2**k for k in range(6, 12)]
    assert DEFAULT["sizes"] == DEFAULT["network"]["widths"] == powers
    assert DEFAULT["kernel"]["times"] == [10**k for k in range(1, 8)]


@pytest.mark.parametrize("file", OVERLAYS, ids=lambda file: file.stem)
def test_every_overlay_can_run_and_has_a_folder_of_its_own(file: Path) -> None:
    config = merged(DEFAULT, yaml.safe_load(file.read_text()))
    assert problems(config, SCHEMA) == []
    assert config["experiment"] == file.stem


@pytest.mark.parametrize(
    ("overlay", "line"),
    [
        (
            "sizes: [64, 70000]",
            "sizes[1]: 70000 is larger than mnist's training set; allowed: 60000",
        ),
        ("sizes: [64, 32]", "network.batch_size: 64 is larger than the smallest of sizes, 32; "),
        ("test_size: 10001", "test_size: 10001 is larger than mnist's test set; allowed: 10000"),
        (
            "evidence: {size: 60001}",
            "evidence.size: 60001 is larger than mnist's training set; allowed: 60000",
        ),
        ("evidence: {W_std: [0.0]}", "evidence.W_std[0]: 0.0 is too small; allowed: more than 0"),
        ("evidence: {depth: []}", "evidence.depth: the list is empty; at least 1 value is needed"),
        (
            "network: {activation: tanhh}",
            "network.activation: 'tanhh' is unknown; allowed: relu, erf",
        ),
        ("kernel: {times: [10, -1]}", "kernel.times[1]: -1 is too small; allowed: more than 0"),
        ("kernel: {times: [.inf]}", "kernel.times[0]: inf is not a finite number"),
        (
            "kernel: {times: [1e3]}",
            "kernel.times[0]: '1e3' is not a finite number (YAML reads it as text); write 1000",
        ),
        ("kernel: {kinds: [nngp, ntkk]}", "kernel.kinds[1]: 'ntkk' is unknown; allowed: nngp, ntk"),
        ("kernel: {diag_reg: .nan}", "kernel.diag_reg: nan is not a finite number"),
        ("network: {widths: [64, 128, 64]}", "network.widths: 64 stands twice"),
        ("network: {widths: []}", "network.widths: the list is empty"),
        ("network: {widths: [64.0]}", "network.widths[0]: 64.0 is not a whole number; write 64"),
        ("network: {widths: 64}", "network.widths: 64 is not a list; write [64]"),
        (
            "network: {widhts: [64]}",
            "network: unknown key 'widhts'; did you mean 'widths'? allowed: widths",
        ),
        ("network: {seeds: [-1]}", "network.seeds[0]: -1 is too small; allowed: 0 or more"),
        ("network: {seeds: [true]}", "network.seeds[0]: True is not a whole number"),
        (
            "network: {optimizer: {mass: 1}}",
            "network.optimizer.mass: 1 is too large; allowed: less than 1",
        ),
        (
            "network: {optimizer: {name: adma}}",
            "network.optimizer.name: 'adma' is unknown; allowed: sgd",
        ),
        ("network: null", "network: None is not a mapping"),
        ("dataset: minst", "dataset: 'minst' is unknown; allowed: mnist, fashion_mnist"),
        ("experiment: a/b", "experiment: 'a/b' is not allowed; it must match"),
        ("experiment: -rf", "experiment: '-rf' is not allowed; it must match"),
        ("experiment: ..", "experiment: '..' is not allowed; it must match"),
        ("experiment: 'a; rm b'", "experiment: 'a; rm b' is not allowed; it must match"),
        ('experiment: "a\\n"', "experiment: 'a\\n' is not allowed; it must match"),
        (
            "sources: {mnist: ['ftp://a/b']}",
            "sources.mnist[0]: 'ftp://a/b' is not allowed; allowed: a folder",
        ),
        ("sources: {mnist: [-rf]}", "sources.mnist[0]: '-rf' is not allowed; it must match"),
        ("kernel: {times: }", "kernel.times: None is not a list; write []"),
        (
            "sizes: [1e7]",
            "sizes[0]: '1e7' is not a whole number (YAML reads it as text); write 10000000",
        ),
        (f"kernel: {{times: [{10**400}]}}", "kernel.times[0]: 10000"),
        ("color: red", "config: unknown key 'color'; allowed: experiment, dataset"),
    ],
)
def test_a_fault_is_one_line_with_key_value_and_remedy(overlay: str, line: str) -> None:
    lines = problems(merged(DEFAULT, yaml.safe_load(overlay)), SCHEMA)
    assert len(lines) == 1
    assert lines[0].startswith(line)
    assert "\n" not in lines[0]


def test_every_fault_is_told_at_once() -> None:
    config = merged(DEFAULT, {"test_size": 0, "network": {"epochs": 0, "depth": "two"}})
    assert [line.split(":")[0] for line in problems(config, SCHEMA)] == [
        "network.depth",
        "network.epochs",
        "test_size",
    ]


@pytest.mark.parametrize("key", DEFAULT)
def test_a_missing_key_is_named(key: str) -> None:
    config = {k: v for k, v in DEFAULT.items() if k != key}
    assert problems(config, SCHEMA) == [f"config: missing key {key}"]


def test_missing_keys_are_named_once() -> None:
    config = {**DEFAULT, "kernel": {}}
    assert problems(config, SCHEMA) == ["kernel: missing key kinds, times, diag_reg"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
paths = [
    ("sizes",),
    ("network", "widths"),
    ("kernel", "times"),
    ("network", "optimizer"),
    ("sources", "mnist"),
    ("experiment",),
    ("dataset",),
    ("test_size",),
    ("kernel",),
]


@settings(max_examples=500)
@given(st.sampled_from(paths), anything)
def test_no_value_ends_in_a_traceback_or_in_two_lines(path: tuple[str, ...], value: Any) -> None:
    config = copy.deepcopy(DEFAULT)
    *parents, last = path
    place = config
    for parent in parents:
        place = place[parent]
    place[last] = value
    assert all("\n" not in line for line in problems(config, SCHEMA))


def test_the_schema_allows_exactly_what_exists() -> None:
    properties = SCHEMA["properties"]
    assert properties["dataset"]["enum"] == list(CATALOGUE)
    assert properties["kernel"]["properties"]["kinds"]["items"]["enum"] == list(KINDS)
    optimizer = properties["network"]["properties"]["optimizer"]["properties"]
    assert optimizer["name"]["enum"] == list(OPTIMIZERS)
    fetched = [name for name, description in CATALOGUE.items() if description.files]
    assert list(properties["sources"]["properties"]) == fetched == list(DEFAULT["sources"])
