"""Every config of the repository can run; every fault is one line with key, value and remedy."""

import copy
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout import REPOSITORY
from data.own_files import as_archive, real_valued
from hypothesis import given, settings
from hypothesis import strategies as st

from ntk_mnist.declarations import declared
from ntk_mnist.plan.config import complete, problems
from ntk_mnist.plan.schema import config_schema
from ntk_mnist.settings import AXES, Config

DEFAULT: dict[str, Any] = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
OVERLAYS = sorted(
    path for path in (REPOSITORY / "config").glob("*.yaml") if path.name != "config.yaml"
)
#: Every setting that may be one value or a list, as (section, name).
EVERY_AXIS = [
    (section.name, setting.name)
    for section in declared(Config)
    if section.type in AXES
    for setting in declared(section.type)
]


def section_of(config: dict[str, Any], section: str) -> dict[str, Any]:
    """A section of a completed config; of the architectures, the only group."""
    if section != "architecture":
        return dict(config[section])
    (group,) = config[section]
    return dict(group)


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
    assert problems(DEFAULT) == []
    powers = [2**k for k in range(6, 12)]
    assert DEFAULT["grid"]["size"] == DEFAULT["grid"]["width"] == powers
    assert DEFAULT["solve"]["times"] == [10**k for k in range(1, 8)]


def test_an_empty_config_is_the_default_config() -> None:
    assert problems({}) == []
    assert complete({}) == complete(DEFAULT)


@pytest.mark.parametrize("file", OVERLAYS, ids=lambda file: file.stem)
def test_every_overlay_can_run_and_has_a_results_folder_of_its_own(file: Path) -> None:
    overlay = yaml.safe_load(file.read_text())
    assert problems(merged(DEFAULT, overlay)) == []
    assert problems(overlay) == []
    assert overlay["experiment"] == file.stem


LIKE_FOR_LIKE = "training: {parameterization: ntk, loss: squared_error, optimizer: gradient_descent"


@pytest.mark.parametrize(
    ("overlay", "line"),
    [
        (
            "grid: {size: [64, 70000]}",
            "grid.size[1]: 70000 is larger than mnist's training set; allowed: 60000",
        ),
        ("grid: {size: 70000}", "grid.size: 70000 is larger than mnist's training set; allowed: "),
        (
            "grid: {size: [64, 32]}",
            "training.batch_size: 64 is larger than the smallest of grid.size, 32; allowed: 32",
        ),
        (
            "grid: {size: 32}",
            "training.batch_size: 64 is larger than the smallest of grid.size, 32; allowed: 32",
        ),
        (
            "training: {linearized: true}",
            "training.linearized: true needs parameterization ntk, loss squared_error and optimizer",
        ),
        (
            "grid: {size: 5}\ntraining: {optimizer: adam, batch_size: 9, last_batch: dropped}",
            "training.batch_size: 9 is larger than the smallest of grid.size, 5; allowed: 5 or less, "
            "or training.last_batch partial",
        ),
        (
            "training: {last_batch: kept}",
            "training.last_batch: 'kept' is unknown; allowed: dropped",
        ),
        (
            f"{{{LIKE_FOR_LIKE}, step_size: 3}}, solve: {{times: [3, 10]}}}}",
            "solve.times: 10 is not a whole number of steps of training.step_size, 3",
        ),
        (
            f"{{{LIKE_FOR_LIKE}, step_size: 3}}, solve: {{times: [1, 3]}}}}",
            "solve.times: 1 is not a whole number of steps of training.step_size, 3",
        ),
        (
            f"{{{LIKE_FOR_LIKE}, step_size: 10}}, grid: {{size: [64, 8192]}}}}",
            "grid.size: 8192 is too large for training.optimizer gradient_descent; allowed: 4096",
        ),
        (
            f"{{{LIKE_FOR_LIKE}, step_size: 10}}, solve: {{kinds: [nngp]}}}}",
            "solve.kinds: ntk is missing, which networks that take the kernels' steps approach",
        ),
        (
            f"{{{LIKE_FOR_LIKE}, step_size: 10}}, solve: {{times: []}}}}",
            "solve.times: the list is empty; networks that take the kernels' steps need at least 1",
        ),
        (
            f"{{{LIKE_FOR_LIKE}, step_size: 10}}, solve: {{times: [10, 10]}}}}",
            "solve.times: 10 is there twice",
        ),
        (
            f"{{{LIKE_FOR_LIKE}, step_size: 10, until_train_accuracy: 1}}}}",
            "training.until_train_accuracy: 1 is not allowed, as networks that take the kernels' "
            "steps are trained to the largest of solve.times; allowed: 0",
        ),
        (
            "inputs: {test_size: 10001}",
            "inputs.test_size: 10001 is larger than mnist's test set; allowed: 10000",
        ),
        (
            "evidence: {size: 60001}",
            "evidence.size: 60001 is larger than mnist's training set; allowed: 60000",
        ),
        ("evidence: {W_std: [0.0]}", "evidence.W_std[0]: 0.0 is too small; allowed: more than 0"),
        ("evidence: {W_std: 0.0}", "evidence.W_std: 0.0 is too small; allowed: more than 0"),
        ("evidence: {depth: []}", "evidence.depth: the list is empty; at least 1 value is needed"),
        ("evidence: {depth: 1001}", "evidence.depth: 1001 is too large; allowed: 1000 or less"),
        ("evidence: {b_std: -1}", "evidence.b_std: -1 is too small; allowed: 0 or more"),
        (
            "architecture: {activation: tanhh}",
            "architecture.activation: 'tanhh' is unknown; allowed: relu, erf",
        ),
        (
            "architecture: {activation: [relu, tanhh]}",
            "architecture.activation[1]: 'tanhh' is unknown; allowed: relu, erf",
        ),
        (
            "architecture: {W_std: [1, 1.0]}",
            "architecture.W_std: 1.0 is there twice; every value is allowed once",
        ),
        ("architecture: {b_std: .nan}", "architecture.b_std: nan is not a finite number"),
        ("solve: {times: [10, -1]}", "solve.times[1]: -1 is too small; allowed: more than 0"),
        ("solve: {times: [.inf]}", "solve.times[0]: inf is not a finite number"),
        ("solve: {times: [10, 20, 10]}", "solve.times: 10 is there twice; every value is allowed"),
        ("solve: {kinds: [nngp, ntkk]}", "solve.kinds[1]: 'ntkk' is unknown; allowed: nngp, ntk"),
        ("solve: {kinds: []}", "solve.kinds: the list is empty; at least 1 value is needed"),
        ("solve: {kinds: nngp}", "solve.kinds: 'nngp' is not a list"),
        ("solve: {diag_reg: .nan}", "solve.diag_reg: nan is not a finite number"),
        ("grid: {width: [64, 128, 64]}", "grid.width: 64 is there twice; every value is allowed"),
        ("grid: {size: []}", "grid.size: the list is empty; at least 1 value is needed"),
        ("grid: {width: [64.0]}", "grid.width[0]: 64.0 is not a whole number; write 64"),
        ("grid: {width: 64.0}", "grid.width: 64.0 is not a whole number; write 64"),
        ("grid: {width: 0}", "grid.width: 0 is too small; allowed: 1 or more"),
        ("grid: {width: null}", "grid.width: None is not a whole number"),
        (
            "grid: {widht: [64]}",
            "grid: unknown key 'widht'; did you mean 'width'? allowed: size, width, seed",
        ),
        ("grid: {seed: [-1]}", "grid.seed[0]: -1 is too small; allowed: 0 or more"),
        ("grid: {seed: -1}", "grid.seed: -1 is too small; allowed: 0 or more"),
        (
            f"grid: {{seed: {2**32}}}",
            f"grid.seed: {2**32} is too large; allowed: {2**32 - 1} or less",
        ),
        # Beyond the floats.
        (f"grid: {{seed: {10**400}}}", "grid.seed: 10000"),
        (f"grid: {{seed: {-(10**400)}}}", "grid.seed: -10000"),
        ("grid: {seed: [true]}", "grid.seed[0]: True is not a whole number"),
        ("grid: {seed: [[0]]}", "grid.seed[0]: [0] is not a whole number"),
        ("training: {mass: 1}", "training.mass: 1 is too large; allowed: less than 1"),
        ("training: {optimizer: adma}", "training.optimizer: 'adma' is unknown; allowed: sgd"),
        ("training: {epochs: [20, 30]}", "training.epochs: [20, 30] is not a whole number"),
        (
            "training: {parameterization: glorrot}",
            "training.parameterization: 'glorrot' is unknown; allowed: glorot, glorot_u",
        ),
        ("training: null", "training: None is not a mapping"),
        ("grid: [64]", "grid: [64] is not a mapping"),
        ("inputs: {dataset: minst}", "inputs.dataset: 'minst' is unknown; allowed: mnist, fashion"),
        (
            "inputs: {dataset: minst}",
            "inputs.dataset: 'minst' is unknown; allowed: mnist, fashion_mnist, kmnist, digits, "
            "cifar10, or the path of an .npz file, or of a folder with a /, without braces",
        ),
        (
            "inputs: {dataset: 'a{b}.npz'}",
            "inputs.dataset: 'a{b}.npz' is unknown; allowed: mnist, ",
        ),
        (
            "inputs: {dataset: no/such.npz}",
            "inputs.dataset: no/such.npz: no such file or directory; needed: an .npz file",
        ),
        ("inputs: {preprocessing: scales}", "inputs.preprocessing: 'scales' is unknown; allowed: "),
        ("experiment: a/b", "experiment: 'a/b' is not allowed; allowed: letters A-Z and a-z"),
        ("experiment: -rf", "experiment: '-rf' is not allowed; allowed: letters A-Z and a-z"),
        ("experiment: ..", "experiment: '..' is not allowed; allowed: letters A-Z and a-z"),
        (
            "experiment: 'a; rm b'",
            "experiment: 'a; rm b' is not allowed; allowed: letters A-Z and a-z",
        ),
        ('experiment: "a\\n"', "experiment: 'a\\n' is not allowed; allowed: letters A-Z and a-z"),
        (f"experiment: {'x' * 101}", f"experiment: '{'x' * 56}... is too long; allowed: 100 char"),
        ("batch_minutes: 0", "batch_minutes: 0 is too small; allowed: more than 0"),
        (
            "sources: {mnist: ['ftp://a/b']}",
            "sources.mnist[0]: 'ftp://a/b' is not allowed; allowed: a folder",
        ),
        (
            "sources: {mnist: [-rf]}",
            "sources.mnist[0]: '-rf' is not allowed; allowed: a folder or an http(s):// address",
        ),
        ("sources: {mnist: []}", "sources.mnist: the list is empty; at least 1 value is needed"),
        ("sources: {digits: [a]}", "sources: unknown key 'digits'; allowed: mnist, fashion_mnist"),
        ("solve: {times: }", "solve.times: None is not a list; write []"),
        ("solve: {times: 10}", "solve.times: 10 is not a list; write [10]"),
        (
            "grid: {size: [1e7]}",
            "grid.size[0]: '1e7' is not a whole number; write 10000000",
        ),
        (
            "grid: {size: 1e7}",
            "grid.size: '1e7' is not a whole number; write 10000000",
        ),
        (f"solve: {{times: [{10**400}]}}", "solve.times[0]: 10000"),
        ("color: red", "config: unknown key 'color'; allowed: experiment, inputs"),
    ],
)
def test_a_fault_is_one_line_with_key_value_and_remedy(overlay: str, line: str) -> None:
    for config in (merged(DEFAULT, yaml.safe_load(overlay)), yaml.safe_load(overlay)):
        lines = problems(config)
        assert len(lines) == 1
        assert lines[0].startswith(line)
        assert "\n" not in lines[0]


REAL_VALUED = {
    "grid": {"size": 40, "width": 8},
    "evidence": {"size": 40},
    "training": {"loss": "squared_error", "batch_size": 16},
}


@pytest.mark.parametrize(
    ("section", "values", "line"),
    [
        ("inputs", {}, ""),
        ("inputs", {"targets": "zero_mean"}, ""),
        (
            *("inputs", {"targets": "zero_sum"}),
            "inputs.targets: zero_sum needs classes, as {name} has real-valued targets; allowed: "
            "one_hot, zero_mean",
        ),
        (
            *("inputs", {"selection": "first_of_each_class"}),
            "inputs.selection: first_of_each_class needs classes, as {name} has real-valued",
        ),
        (
            *("training", {"loss": "cross_entropy"}),
            "training.loss: cross_entropy needs classes, as {name} has real-valued targets; "
            "allowed: squared_error",
        ),
        (
            *("training", {"until_train_accuracy": 0.9}),
            "training.until_train_accuracy: 0.9 needs classes, as {name} has real-valued targets;",
        ),
        (
            *(
                "training",
                {"parameterization": "ntk", "optimizer": "gradient_descent", "step_size": 1},
            ),
            "training.optimizer: gradient_descent in ntk parameterization compares accuracies with",
        ),
        ("grid", {"size": 61}, "grid.size: 61 is larger than {name}'s training set; allowed: 60"),
    ],
)
def test_what_needs_classes_is_refused_of_real_valued_targets(
    tmp_path: Path, section: str, values: dict[str, Any], line: str
) -> None:
    name = as_archive(tmp_path / "own.npz", real_valued())
    config = merged(REAL_VALUED, {"inputs": {"dataset": name, "test_size": 20}})
    config = merged(config, {section: values})
    lines = problems(config)
    assert len(lines) == bool(line)
    assert all(found.startswith(line.replace("{name}", name)) for found in lines)
    assert all("\n" not in found for found in lines)


def test_the_examples_of_the_documentation_can_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (REPOSITORY / "config/README.md").read_text()
    programs, configs = (
        re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) for language in ("python", "yaml")
    )
    for program in programs:
        subprocess.run([sys.executable, "-c", program], check=True)
    found = [yaml.safe_load(config) for config in configs]
    # Facts are in files of their own.
    assert [problems(config) for config in found if "facts" not in config] == [[], []]


def test_all_faults_are_reported_at_once() -> None:
    config = merged(
        DEFAULT,
        {"inputs": {"test_size": 0}, "training": {"epochs": 0}, "architecture": {"depth": "two"}},
    )
    assert [line.split(":")[0] for line in problems(config)] == [
        "architecture.depth",
        "inputs.test_size",
        "training.epochs",
    ]


def test_all_contradictions_are_reported_at_once() -> None:
    config = {"inputs": {"dataset": "digits"}, "grid": {"size": [32, 2000]}}
    assert [line.split(":")[0] for line in problems(config)] == [
        "grid.size[1]",
        "training.batch_size",
        "inputs.test_size",
    ]


@pytest.mark.parametrize("how", [{"last_batch": "partial"}, {"optimizer": "gradient_descent"}])
def test_a_batch_may_be_larger_than_the_training_set_if_it_is_partial_or_not_used(
    how: dict[str, Any],
) -> None:
    config = {"grid": {"size": [5, 100]}, "training": {"batch_size": 64}}
    assert len(problems(config)) == 1
    assert problems(config | {"training": {"batch_size": 64} | how}) == []


@pytest.mark.parametrize(("section", "name"), EVERY_AXIS)
def test_one_value_of_an_axis_means_the_same_as_a_list_of_it(section: str, name: str) -> None:
    values = section_of(complete({}), section)[name]
    one, many = {section: {name: values[0]}}, {section: {name: values[:1]}}
    assert problems(one) == problems(many) == []
    assert complete(one) == complete(many)
    assert section_of(complete(one), section)[name] == values[:1]


@pytest.mark.parametrize(("section", "name"), EVERY_AXIS)
def test_a_list_of_an_axis_is_kept_in_its_order(section: str, name: str) -> None:
    values = {
        "activation": ["erf", "relu"],
        "W_std": [1.5, 1.0],
        "b_std": [0.1, 0.0],
    }.get(name, [128, 64])
    config = {section: {name: values}}
    if name == "draw":
        config["inputs"] = {"selection": "drawn_of_each_class"}
    assert problems(config) == []
    assert section_of(complete(config), section)[name] == values


@pytest.mark.parametrize(("section", "name"), EVERY_AXIS)
def test_a_fault_in_an_axis_names_the_value_and_in_a_list_its_place(
    section: str, name: str
) -> None:
    assert problems({section: {name: {}}})[0].startswith(f"{section}.{name}: {{}} is ")
    values = [*section_of(complete({}), section)[name][:1], {}]
    assert problems({section: {name: values}})[0].startswith(f"{section}.{name}[1]: {{}} is ")
    # Without widths, kernels run without networks.
    refused = [f"{section}.{name}: the list is empty; at least 1 value is needed"]
    assert problems({section: {name: []}}) == ([] if name == "width" else refused)
    assert len(problems({section: {name: values[:1] * 2}})) == 1


@pytest.mark.parametrize("key", DEFAULT)
def test_a_missing_key_takes_its_declared_default(key: str) -> None:
    config = {k: v for k, v in DEFAULT.items() if k != key}
    assert problems(config) == []
    assert complete(config) == complete(DEFAULT)


@pytest.mark.parametrize(
    ("section", "name"),
    [(key, name) for key, value in DEFAULT.items() if key != "sources" and isinstance(value, dict)
     for name in value],
)  # fmt: skip
def test_a_missing_key_of_a_section_takes_its_declared_default(section: str, name: str) -> None:
    config = copy.deepcopy(DEFAULT)
    del config[section][name]
    assert problems(config) == []
    assert complete(config) == complete(DEFAULT)


def test_a_completed_config_is_complete_and_has_the_same_meaning() -> None:
    completed = complete({"grid": {"width": 64}, "sources": {"mnist": ["here"]}})
    assert problems(completed) == []
    assert complete(completed) == completed
    assert completed["grid"] == complete({})["grid"] | {"width": [64]}
    assert completed["sources"] == {"mnist": ["here"]}


def test_completing_leaves_the_config_unchanged() -> None:
    config = {"grid": {"width": 64}}
    complete(config)
    assert config == {"grid": {"width": 64}}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
PLACES = [
    ("grid",),
    ("grid", "size"),
    ("grid", "width"),
    ("grid", "seed"),
    ("architecture", "activation"),
    ("evidence", "W_std"),
    ("solve",),
    ("solve", "times"),
    ("training", "optimizer"),
    ("sources",),
    ("sources", "mnist"),
    ("experiment",),
    ("inputs", "dataset"),
    ("inputs", "test_size"),
]


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(st.sampled_from(PLACES), anything)
def test_no_value_causes_a_traceback_or_a_line_break(path: tuple[str, ...], value: Any) -> None:
    config = copy.deepcopy(DEFAULT)
    *parents, last = path
    place = config
    for parent in parents:
        place = place[parent]
    place[last] = value
    assert all("\n" not in line for line in problems(config))


@pytest.mark.parametrize(
    ("overlay", "line"),
    [
        (
            "training: {epochs: [2, 3]}",
            "training.epochs: [2, 3] is not a whole number; this key takes one value",
        ),
        (
            "training: {optimizer: [sgd, momentum]}",
            "training.optimizer: ['sgd', 'momentum'] is not text; this key takes one value",
        ),
        ("solve: {kinds: nngp}", "solve.kinds: 'nngp' is not a list; write [nngp]"),
        ("solve: {times: 1e3}", "solve.times: '1e3' is not a list; write [1000]"),
        ("experiment: 2024", "experiment: 2024 is not text; write it in quotes"),
        ("training: {width: 3}", "training: unknown key 'width'; did you mean grid.width?"),
        ("seed: 3", "config: unknown key 'seed'; did you mean grid.seed?"),
        ("widths: [3]", "config: unknown key 'widths'; did you mean grid.width?"),
        ("sizes: 3", "config: unknown key 'sizes'; did you mean grid.size or evidence.size?"),
        ("grid.size: 3", "config: unknown key 'grid.size'; write grid: {size: ...}; allowed:"),
        ("kernel: {diag_reg: 0}", "config: unknown key 'kernel'; did you mean solve.diag_reg?"),
        ("grid: {training: {}}", "grid: unknown key 'training'; did you mean training, outside of"),
        ("architecture: {w_std: 1}", "architecture: unknown key 'w_std'; did you mean 'W_std'?"),
        ("experiment: 2024_06", "experiment: 202406 is not text; write it in quotes"),
        ("experiment: 2024-06-01", "experiment: 2024-06-01 is not text; write it in quotes"),
        ("experiment: no", "experiment: False is not text; write it in quotes"),
        ("experiment: 12:30", "experiment: 750 is not text; write it in quotes"),
        ("experiment: null", "experiment: None is not text; give a value, or leave the key out"),
        ("inputs: {dataset: 1}", "inputs.dataset: 1 is unknown; allowed: mnist, fashion_mnist"),
        ("architecture: {activation: [no]}", "architecture.activation[0]: False is unknown; all"),
        ("solve: {kinds: 5}", "solve.kinds: 5 is not a list; allowed: a list of nngp, ntk"),
        ("grid: ", "grid: None is not a mapping of keys to values; give a value, or leave the key"),
    ],
)
def test_a_fault_of_habit_says_what_to_write(overlay: str, line: str) -> None:
    (found,) = problems(yaml.safe_load(overlay))
    assert found.startswith(line)


def patterns(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of a schema that has a pattern."""
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from patterns(part)


def test_every_pattern_is_explained_in_words() -> None:
    found = list(patterns(config_schema()))
    assert len(found) > 1
    for part in found:
        assert part["patternErrorMessage"]
        assert part["pattern"] not in part["patternErrorMessage"]


def test_no_fault_is_answered_with_a_regular_expression() -> None:
    config = {"experiment": "my exp", "sources": {"mnist": ["\n"]}}
    lines = problems(config)
    assert len(lines) == 2
    assert not any("^" in line or "\\" in line.split(";")[1] for line in lines)
