"""Of two keys or options of one name, none silently replaces the other."""

from pathlib import Path

import pytest
from checkout import REPOSITORY

from ntk_mnist.plan.config_sources import argument_faults, file_faults, option_faults


def faults(folder: Path, text: str, name: str = "mine.yaml", numbers: bool = True) -> list[str]:
    file = folder / name
    file.write_text(text)
    return file_faults(file, name, numbers)


@pytest.mark.parametrize("file", sorted((REPOSITORY / "config").glob("*.yaml")))
def test_the_configs_of_the_repository_have_no_fault(file: Path) -> None:
    assert file_faults(file, file.name) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("experiment: a\nexperiment: b\n", "line 2: experiment is there twice, first in line 1"),
        ("grid:\n  size: 1\n\n  size: 1\n", "line 4: grid.size is there twice, first in line 2"),
        ("grid: {size: 1, 'size': 2}", "line 1: grid.size is there twice, first in line 1"),
        ("grid: {size: 1}\ngrid: {width: 2}", "line 2: grid is there twice, first in line 1"),
        ('"grid": 1\n\ngrid: 2', "line 3: grid is there twice, first in line 1"),
        ("a: &x {b: 1, b: 2}\nc: *x\nd: *x", "line 1: a.b is there twice"),
        ("a: &x {b: 1}\nc: {<<: *x, b: 2, b: 3}", "line 2: c.b is there twice"),
        ("a: &x {b: 1}\nc: {<<: *x, <<: *x}", "line 2: c.<< is there twice"),
        ("a: [{}, [{b: 1, b: 2}]]", "line 1: a[1][0].b is there twice"),
        ("a: &x {b: [*x], c: 1, c: 2}", "line 1: a.c is there twice"),
        ("1: a\n1: b", "line 2: 1 is there twice"),
    ],
)
def test_a_key_that_a_file_has_twice_is_named_with_its_lines(
    tmp_path: Path, text: str, line: str
) -> None:
    (found,) = faults(tmp_path, text)
    assert found.startswith(f"mine.yaml, {line}")
    assert found.endswith("; keep one")


@pytest.mark.parametrize(
    "text",
    [
        "a: {b: 1}\nc: {b: 1}",
        "a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}",
        "a: &x {b: 1}\nc: &y {b: 2}\nd: {<<: [*x, *y]}",
        "a: &x [1, *x]",
        "a: 'b: 1, b: 2'",
        "'1': a\n1: b",
        "? [a, b]\n: 1\n? [a, b]\n: 2" if False else "? [a, b]\n: 1",
        "",
        "# only a comment",
        # Snakemake itself says that these are no YAML.
        "a: [",
        "\ta: 1",
        "a: 1\n---\na: 2",
    ],
)
def test_keys_of_different_mappings_and_merged_keys_are_not_there_twice(
    tmp_path: Path, text: str
) -> None:
    assert faults(tmp_path, text) == []


def test_a_key_that_a_json_file_has_twice_is_named_with_its_lines(tmp_path: Path) -> None:
    text = '{"experiment": "a",\n\t"grid": {"size": 1e3,\n\t"size": 010}}'.replace("010", "10")
    assert faults(tmp_path, text, "mine.json") == [
        "mine.json, line 3: grid.size is there twice, first in line 2; keep one"
    ]
    assert faults(tmp_path, '{"a": {"b": 1}, "b": 2}', "mine.json") == []


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0100", 64),
        ("1:30", 90),
        ("1:30.5", 90.5),
        ("0x40", 64),
        ("0b11", 3),
        ("2024_06", 202406),
        ("1_0", 10),
        ("1_0.5", 10.5),
        ("-017", -15),
    ],
)
def test_a_number_that_is_not_in_plain_decimals_is_named_with_what_yaml_reads(
    tmp_path: Path, text: str, read: float
) -> None:
    for value, place in ((text, "a.b"), (f"[1, {text}]", "a.b[1]")):
        (found,) = faults(tmp_path, f"a:\n  b: {value}")
        assert found.startswith(
            f"mine.yaml, line 2: {place}: YAML reads {text} as the number {read};"
        )
    assert faults(tmp_path, f"a: '{text}'") == []
    # Of the workflow around a module, they are none of our business.
    assert faults(tmp_path, f"a: {text}", numbers=False) == []


@pytest.mark.parametrize(
    "text", ["64", "-1", "0", "0.5", ".5", "1.0e+7", "1_000", ".inf", ".nan", "no"]
)
def test_plain_numbers_are_no_fault(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, f"a: {text}") == []


@pytest.mark.parametrize(
    "words",
    [
        ["--configfile", "a.yaml", "--configfile", "b.yaml"],
        ["--configfile", "a.yaml", "--configfiles", "b.yaml"],
        ["--configfile=a.yaml", "-n", "--configfile=b.yaml"],
        ["networks", "--configfile", "a.yaml", "--cores", "2", "--configfiles=b.yaml"],
        ["--configf", "a.yaml", "--configfil", "b.yaml"],
    ],
)
def test_a_second_configfile_is_refused_with_the_right_spelling(words: list[str]) -> None:
    (line,) = option_faults(words)
    assert line.startswith("--configfile is there 2 times")
    assert line.endswith("write it once, after the targets: --configfile a.yaml b.yaml")


def test_a_second_config_is_refused_with_the_right_spelling() -> None:
    right = "write it once, after the targets: --config 'experiment=my exp' 'grid={size: 64}'"
    for first, second in [(["--config"], ["--config"]), (["-C"], ["--config"])]:
        (line,) = option_faults([*first, "experiment=my exp", *second, "grid={size: 64}"])
        assert line.endswith(right)
    (line,) = option_faults(["--config=experiment=my exp", "-Cgrid={size: 64}"])
    assert line.endswith(right)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--configfile", "a.yaml", "b.yaml"],
        ["-n", "networks", "--configfile", "a.yaml", "--config", "experiment=a", "batch_minutes=5"],
        ["--configfile", "a.yaml", "--", "--configfile"],
        ["--conda-frontend", "conda", "--configfile=a.yaml"],
        ["-c", "2", "-c", "3", "--config", "experiment=a"],
    ],
)
def test_an_option_that_is_there_once_is_no_fault(words: list[str]) -> None:
    assert option_faults(words) == []


def test_a_key_that_the_command_line_sets_twice_is_named() -> None:
    assert argument_faults(["experiment=a", "experiment=b"]) == [
        "--config: experiment is there twice; keep one"
    ]
    assert argument_faults(["grid={size: 64, size: 128}"]) == [
        "--config: grid.size is there twice; keep one"
    ]
    assert argument_faults(["grid={size: 64}", "grid={width: 8}", "experiment=a"]) == []
