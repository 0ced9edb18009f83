"""Files of published numbers: what is read, and how a fault is told."""

from pathlib import Path

import pytest
import yaml
from checkout import REPOSITORY

from ntk_mnist import UserError
from ntk_mnist.charts import CHARTS
from ntk_mnist.plan.published import digest_of_published, read_published

FILES = sorted((REPOSITORY / "config/published").glob("*.yaml"))
FACT = (
    "{table: kernel, where: {kernel: nngp, time: .inf}, column: test_accuracy, decimals: 3, "
    "over: size, values: {64: 0.5}}"
)


def file_of(tmp_path: Path, fact: str) -> Path:
    file = tmp_path / "mine.yaml"
    file.write_text(f"title: T\ncitation: C\nexplanation: E\nfacts: [{fact}]\n")
    return file


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_file_of_the_repository_is_read_and_says_where_it_comes_from(file: Path) -> None:
    found = read_published(file)
    assert found.title
    assert len(found.citation) > 20
    assert len(found.explanation) > 80
    for facts in found.facts:
        for value in facts.values.values():
            assert value == round(value, facts.decimals)


def test_every_file_belongs_to_an_experiment() -> None:
    configs = [yaml.safe_load(f.read_text()) for f in (REPOSITORY / "config").glob("*.yaml")]
    named = {config["published"] for config in configs if config.get("published")}
    assert named == {f"config/published/{file.name}" for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_picture_is_a_chart_of_an_experiment(file: Path) -> None:
    for picture in read_published(file).pictures:
        config = REPOSITORY / f"config/{picture.experiment}.yaml"
        assert yaml.safe_load(config.read_text())["experiment"] == picture.experiment
        assert picture.chart in CHARTS


def test_numbers_and_places_are_read(tmp_path: Path) -> None:
    (facts,) = read_published(file_of(tmp_path, FACT)).facts
    assert facts.where == {"kernel": "nngp", "time": float("inf")}
    assert facts.values == {64: 0.5}


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("column: test_accuracy", "column: accuracy", "the table kernel has no column 'accuracy'"),
        ("over: size", "over: width", "the table kernel has no column 'width'"),
        ("time: .inf", "t: .inf", "the table kernel has no column 't'"),
        ("table: kernel", "table: networks", "Invalid enum value 'networks'"),
        ("decimals: 3, ", "", "missing required field `decimals`"),
        ("64: 0.5", "64: half", r"Expected `float`, got `str` .*values"),
        ("64: 0.5", "'64': 0.5", r"Expected `int`, got `str`"),
        ("over: size", "over: size, in: percent", "unknown field `in`"),
        (FACT, "", "Expected `array` of length >= 1"),
        ("{64: 0.5}", "{}", "Expected `object` of length >= 1"),
        ("64: 0.5", "64: .nan", r"facts\[0\]: values.64: nan is not a finite number"),
        ("64: 0.5", "64: 0.5, 64: 0.6", "64 is there twice, first in line 4; keep one"),
        (FACT, f"{FACT}, {FACT}", r"facts\[1\]: test_accuracy at size 64 is there twice"),
        ("kernel: nngp", "kernel: 1", "where.kernel: 1.0 is not allowed, as the column has text"),
        ("time: .inf", "time: inf", "where.time: 'inf' is not allowed, as the column has numbers"),
        ("column: test_accuracy", "column: solver", "column: solver is no measured number"),
        ("over: size", "over: draw", "over: draw is not allowed; allowed: a column of whole"),
        ("over: size", "over: time", "over: time is not allowed; allowed: a column of whole"),
        ("}}", "}", "not YAML"),
    ],
)
def test_a_fault_is_one_line_that_names_the_file(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    assert before in FACT
    file = file_of(tmp_path, FACT.replace(before, after))
    with pytest.raises(UserError, match=message) as error:
        read_published(file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere.yaml: No such file"):
        read_published(tmp_path / "nowhere.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"bytes.yaml: not"):
        read_published(tmp_path / "bytes.yaml")


def test_a_changed_file_has_another_digest(tmp_path: Path) -> None:
    file = file_of(tmp_path, FACT)
    before = digest_of_published(file)
    file.write_text(file.read_text().replace("0.5", "0.6"))
    assert digest_of_published(file) not in {before, ""}
    assert digest_of_published(tmp_path / "nowhere.yaml") == ""
