"""Numerals are numbers where numbers are expected, names are as written, and nothing is guessed."""

import copy
from typing import Any

import pytest
import yaml
from checkout import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st
from snakemake.cli import parse_config  # type: ignore[import-untyped]

from ntk_mnist.declarations import declared
from ntk_mnist.plan.config import complete, problems
from ntk_mnist.plan.config_text import is_plain, understood
from ntk_mnist.settings import Config

DEFAULT: dict[str, Any] = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())


def from_command_line(*arguments: str) -> dict[str, Any]:
    """The config that ``--config`` alone gives."""
    parsed = parse_config(list(arguments))
    return understood(copy.deepcopy(parsed), parsed, arguments)


def as_text(value: Any) -> Any:
    """A config as it comes from ``--config``: every number and truth value is text."""
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    return [as_text(item) for item in value] if isinstance(value, list) else str(value)


def test_a_config_whose_numbers_are_text_is_the_config() -> None:
    assert understood(as_text(DEFAULT), {}, []) == DEFAULT
    # A word without a value says nothing.
    words = [f"{key}={as_text(value)}" for key, value in DEFAULT.items() if value != ""]
    given = from_command_line(*words)
    assert problems(given) == []
    assert complete(given) == complete(DEFAULT)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("64", 64),
        ("+64", 64),
        ("-3", -3),
        ("0", 0),
        ("1_000", 1000),
        ("1_000_000", 1_000_000),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e7", 1e7),
        ("1.5E-3", 0.0015),
        ("1.0e+07", 1e7),
    ],
)
def test_a_plain_numeral_is_its_number(text: str, number: float) -> None:
    assert is_plain(text)
    read = understood({"batch_minutes": text}, {}, [])["batch_minutes"]
    assert (type(read), read) == (type(number), number)
    times = understood({"solve": {"times": [text, "10"]}}, {}, [])["solve"]["times"]
    assert times == [number, 10]
    if isinstance(number, int):
        assert understood({"grid": {"size": text}}, {}, [])["grid"]["size"] == number
    else:
        # A whole number is written as one.
        assert understood({"grid": {"size": text}}, {}, [])["grid"]["size"] == text


@pytest.mark.parametrize(
    "text",
    [
        "007", "0100", "00.5", "1_0", "2024_06", "1__000", "_1", "0x40", "0o7", "0b1", "1:30",
        "inf", "-inf", "nan", ".inf", "1e999", "1e", "e5", ".", "-", "", " 64", "64 ", "6 4", "64\n",
        "٦٤", "64,5", "1,000", "six", "True", "null", "~", "2024-06-01", "9" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_plain_numeral_is_refused_with_its_key(text: str) -> None:
    for section in filter(lambda s: hasattr(s.type, "__struct_fields__"), declared(Config)):
        for setting in declared(section.type):
            if setting.type not in (int, float) or setting.name == "times":
                continue
            config = {section.name: {setting.name: text}}
            assert understood(config, {}, []) == config
            (line,) = problems(config)
            assert line.startswith(f"{section.name}.{setting.name}: {text!r}"[:60])
            assert not line.endswith(("write nan", "write inf"))


@pytest.mark.parametrize(
    "name",
    ["2024_06", "007", "1e3", "True", "False", "1_0", "12", "inf", "nan", "true", "0x1f", "no"],
)
def test_an_experiment_has_the_name_that_was_written(name: str) -> None:
    config = from_command_line(f"experiment={name}")
    assert config == {"experiment": name}
    assert problems(config) == []


@pytest.mark.parametrize(
    "name", ["1.5", "-3", "+7", " 7", "1e+3", "my exp", "a/b", "", "[a]", "{a: 1}"]
)
def test_a_name_that_is_not_allowed_is_refused_from_the_command_line_too(name: str) -> None:
    (line,) = problems(from_command_line(f"experiment={name}"))
    assert line.startswith("experiment: ")


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("batch_minutes=1_0", "batch_minutes: '1_0' is not a finite number; write 10"),
        ("batch_minutes=True", "batch_minutes: 'True' is not a finite number"),
        ("batch_minutes=010", "batch_minutes: '010' is not a finite number; write 10"),
        ("batch_minutes=nan", "batch_minutes: 'nan' is not a finite number"),
        ("batch_minutes=", "batch_minutes: None is not a finite number; give a value, or leave"),
        ("grid={size: 1e3}", "grid.size: '1e3' is not a whole number; write 1000"),
        ("grid={size: [64.0]}", "grid.size[0]: '64.0' is not a whole number; write 64"),
        ("grid={size: [64, '64']}", "grid.size: 64 is there twice"),
        ("grid=5", "grid: '5' is not a mapping"),
        ("grid=[64]", "grid: ['64'] is not a mapping"),
        ("inputs={dataset: 1}", "inputs.dataset: '1' is unknown; allowed: mnist, fashion_mnist"),
        ("architecture={activation: [1]}", "architecture.activation[0]: '1' is unknown; allowed:"),
        ("solve={times: 10}", "solve.times: 10 is not a list; write [10]"),
        ("widths=[8]", "config: unknown key 'widths'; did you mean grid.width?"),
    ],
)
def test_a_fault_on_the_command_line_names_its_key_and_what_was_written(
    argument: str, line: str
) -> None:
    (found,) = problems(from_command_line(argument))
    assert found.startswith(line)


def test_a_config_that_is_not_the_command_lines_keeps_its_values() -> None:
    # Of a module, beside the config of the workflow around it.
    parsed = parse_config(["experiment=7", "batch_minutes=5"])
    config = {"experiment": "mine", "grid": {"size": 64}}
    assert understood(config, parsed, ["experiment=7", "batch_minutes=5"]) == config


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.sampled_from(["grid", "batch_minutes", "experiment", "sources", "other"]), anything)
def test_only_numerals_change_and_what_was_given_stays_as_it_is(key: str, value: Any) -> None:
    config = {key: value, "grid": {"size": value, "more": value}}
    before = copy.deepcopy(config)
    after = understood(config, {}, [])
    assert config == before
    assert understood(after, {}, []) == after
    assert all("\n" not in line for line in problems(after))
