"""The generated files are those that the declared settings and columns give now."""

import json
from pathlib import Path

import pytest
import yaml
from checkout import REPOSITORY

from ntk_mnist import UserError
from ntk_mnist.commands.generate import GENERATED, MARKER, generated
from ntk_mnist.declarations import declared
from ntk_mnist.plan.config import complete
from ntk_mnist.plan.reference import (
    columns_reference,
    default_config,
    schema_text,
    settings_reference,
)
from ntk_mnist.plan.schema import config_schema
from ntk_mnist.settings import OWN_AXES, Config
from ntk_mnist.store.schemas import SHARD_SCHEMAS, TABLE_SCHEMAS


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_file_is_up_to_date(name: str) -> None:
    up_to_date = (REPOSITORY / name).read_text() == generated(REPOSITORY, name)
    assert up_to_date, f"{name} does not follow from the declarations any more: run `make generate`"


def test_the_schema_file_holds_the_schema() -> None:
    assert yaml.safe_load(schema_text()) == json.loads(json.dumps(config_schema()))


#: The architecture as the one group that it is.
DEFAULTS = complete({}) | {
    "architecture": {k: v for k, v in complete({})["architecture"][0].items() if k not in OWN_AXES}
}


def test_the_default_config_holds_every_setting_with_its_default() -> None:
    config = yaml.safe_load(default_config())
    assert list(config) == [section.name for section in declared(Config)]
    assert complete(config) == complete({})
    for section, values in DEFAULTS.items():
        if isinstance(values, dict):
            assert list(config[section]) == list(values)


def test_every_line_of_the_default_config_fits_except_lists_of_sources() -> None:
    long = [line for line in default_config().splitlines() if len(line) > 100]
    assert all("http" in line for line in long)


def test_the_reference_has_a_row_for_every_setting() -> None:
    text = settings_reference()
    for section, values in DEFAULTS.items():
        keys = (
            [f"{section}.{name}" for name in values] if values and isinstance(values, dict) else []
        )
        for key in keys or [section]:
            assert text.count(f"| `{key}` |") == 1


def test_every_row_of_the_reference_has_five_cells() -> None:
    rows = [line for line in settings_reference().splitlines() if line.startswith("|")]
    assert len(rows) > 20
    assert {line.replace("\\|", "").count("|") for line in rows} == {6}


def test_the_reference_has_a_row_for_every_column_of_every_table() -> None:
    tables = columns_reference().split("### ")[1:]
    # Every shard has a table or is listed itself.
    without_table = [name for name in SHARD_SCHEMAS if name not in TABLE_SCHEMAS]
    names = [f"`{t}.parquet`" for t in TABLE_SCHEMAS] + [f"`{name}/…`" for name in without_table]
    assert [text.split("\n")[0] for text in tables] == names
    schemas = [*TABLE_SCHEMAS.values(), *(SHARD_SCHEMAS[name] for name in without_table)]
    for text, schema in zip(tables, schemas, strict=True):
        for field in schema:
            assert f"| `{field.name}` | {field.type} | " in text


def test_every_row_of_the_columns_has_three_cells() -> None:
    rows = [line for line in columns_reference().splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {4}


def test_text_above_the_marker_is_kept_and_text_below_it_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "config/README.md"
    file.parent.mkdir()
    file.write_text(f"# Mine\n\n{MARKER}\nold\n")
    text = generated(tmp_path, "config/README.md")
    assert text == f"# Mine\n\n{MARKER}\n{settings_reference()}"


def test_a_file_without_its_marker_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/README.md").write_text("# Mine\n")
    with pytest.raises(UserError, match=r"README.md: the line <!-- .* --> is missing"):
        generated(tmp_path, "config/README.md")
