"""A record holds what decides a file, and differences between records are short words."""

import json
from typing import Any

import pytest

from ntk_mnist.store import records
from ntk_mnist.store.records import (
    Record,
    accepted,
    chart_record,
    differences,
    digest_of,
    make_record,
    marks,
    prepared_record,
    table_record,
    was_made_of,
)

ENTRIES = ["networks.training.batch_order"]


def changed(record: Record, part: str, **values: Any) -> Record:
    """A copy in which some values of one part differ; None removes one."""
    copy: Record = json.loads(json.dumps(record))
    copy[part] |= values
    copy[part] = {name: value for name, value in copy[part].items() if value is not None}
    return copy


@pytest.fixture
def record() -> Record:
    return make_record(
        {"epochs": 20, "times": [10.0], "width": 64}, ENTRIES, ["jax"], {"size": "int32"}
    )


def test_equal_records_have_no_differences(record: Record) -> None:
    assert differences(record, record) == []
    assert differences(json.loads(json.dumps(record)), record) == []


@pytest.mark.parametrize(
    ("part", "values", "words"),
    [
        ("settings", {"epochs": 30}, ["epochs was 30, is 20"]),
        ("settings", {"times": [10.0, 100.0]}, ["times was [10.0, 100.0], is [10.0]"]),
        ("settings", {"epochs": None}, ["epochs is new"]),
        ("settings", {"mass": 0.5}, ["mass is gone"]),
        ("columns", {"size": "int64"}, ["column size was int64, is int32"]),
        ("columns", {"size": None}, ["column size is new"]),
        ("columns", {"brightness": "double"}, ["column brightness is gone"]),
        ("libraries", {"jaxlib": "0.4.1"}, ["jaxlib is gone"]),
        ("libraries", {"jax": None}, ["jax is new"]),
    ],
)
def test_a_difference_is_in_the_words_that_a_plan_shows(
    record: Record, part: str, values: dict[str, Any], words: list[str]
) -> None:
    assert differences(changed(record, part, **values), record) == words


def test_a_new_version_of_a_library_is_a_difference(record: Record) -> None:
    now = record["libraries"]["jax"]
    made = changed(record, "libraries", jax="0.4.1")
    assert differences(made, record) == [f"jax was 0.4.1, is {now}"]


def test_another_digest_of_the_code_is_a_difference_and_names_the_definitions(
    record: Record,
) -> None:
    (name, *_) = record["code"]["definitions"]
    definitions = {**record["code"]["definitions"], name: "something else"}
    made = changed(record, "code", digest="another", definitions=definitions)
    assert differences(made, record) == [f"{name} changed"]


def test_the_text_of_definitions_is_no_difference_if_the_digest_is_the_same(
    record: Record,
) -> None:
    made = changed(record, "code", definitions={"networks.training.renamed": "something else"})
    assert differences(made, record) == []


def test_all_differences_are_given_in_a_fixed_order(record: Record) -> None:
    made = changed(record, "libraries", jax="0.4.1")
    made = changed(made, "settings", width=None, epochs=30, mass=0.5)
    made = changed(made, "columns", size=None)
    now = record["libraries"]["jax"]
    assert differences(made, record) == [
        "epochs was 30, is 20",
        "mass is gone",
        "width is new",
        "column size is new",
        f"jax was 0.4.1, is {now}",
    ]


def test_an_empty_record_differs(record: Record) -> None:
    words = differences({}, record)
    assert "epochs is new" in words
    assert any("batch_order" in word for word in words)


def test_a_record_is_json(record: Record) -> None:
    assert json.loads(json.dumps(record)) == record
    assert list(record) == ["settings", "columns", "code", "libraries"]


def test_the_entry_in_use_of_a_registry_counts_and_the_others_do_not() -> None:
    def made(dataset: str) -> Record:
        return make_record(
            {}, ["data.originals.prepare"], choices={"data.catalogue.CATALOGUE": dataset}
        )

    assert made("mnist") == made("mnist")
    assert made("mnist")["code"]["digest"] != made("digits")["code"]["digest"]


def test_an_entry_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"networks\.training\.no_such_function"):
        make_record({}, ["networks.training.no_such_function"])


def test_the_record_of_prepared_arrays_names_their_dataset() -> None:
    made, wanted = prepared_record("mnist"), prepared_record("digits")
    assert "dataset was mnist, is digits" in differences(made, wanted)
    assert "data.originals.prepare" in made["code"]["definitions"]


def test_the_record_of_a_table_holds_its_columns_shards_and_rows() -> None:
    record = table_record({"size": "int32"}, {"a": "1", "b": "2"}, "{}")
    assert table_record({"size": "int32"}, {"b": "2", "a": "1"}, "{}") == record
    assert differences(table_record({"size": "int64"}, {"a": "1", "b": "2"}, "{}"), record) == [
        "column size was int64, is int32"
    ]
    for shards, words in (
        ({"a": "1"}, "shards: 1 added"),
        ({"a": "1", "b": "missing"}, "shards: 1 added"),
        ({"a": "1", "b": "3"}, "shards: 1 changed"),
        ({"a": "1", "c": "2"}, "shards: 1 added, 1 gone"),
        ({"a": "3", "b": "1", "c": "2", "d": "2"}, "shards: 2 changed, 2 gone"),
    ):
        made = table_record({"size": "int32"}, shards, "{}")
        assert differences(made, record) == [words]
        # One that was made before tables listed their shards.
        assert differences({**made, "shards": None}, record) == ["shards changed"]
    other_rows = table_record({"size": "int32"}, {"a": "1", "b": "2"}, "{'seed': (0,)}")
    assert differences(other_rows, record) == ["rows was {'seed': (0,)}, is {}"]


def test_a_shard_that_is_to_be_made_is_added_and_one_that_was_deleted_is_gone() -> None:
    made = table_record({}, {"a": "1", "b": "2"}, "{}")
    wanted = table_record({}, {"a": "1", "b": "2", "c": "missing"}, "{}")
    assert differences(made, wanted) == ["shards: 1 added"]
    wanted = table_record({}, {"a": "missing", "b": "2"}, "{}")
    assert differences(made, wanted) == ["shards: 1 gone"]
    assert [was_made_of(wanted, path) for path in "abc"] == [False, True, False]


def test_the_record_of_a_chart_holds_its_tables_their_dataset_and_the_libraries_that_draw() -> None:
    tables = {"network": "1", "kernel": "2"}
    record = chart_record("comparison", tables, "mnist")
    assert set(record["libraries"]) == {"altair", "jinja2", "vl-convert-python"}
    (word,) = differences(chart_record("comparison", {**tables, "kernel": "3"}, "mnist"), record)
    assert word == "tables: kernel changed"
    other_chart = differences(chart_record("calibration", tables, "mnist"), record)
    assert "chart was calibration, is comparison" in other_chart
    other_dataset = differences(chart_record("comparison", tables, "digits"), record)
    assert "dataset was digits, is mnist" in other_dataset


def test_one_digest_of_several_depends_on_names_and_values_and_not_on_their_order() -> None:
    digest = digest_of({"a": "1", "b": "2"})
    assert digest == digest_of({"b": "2", "a": "1"})
    assert len({digest, digest_of({"a": "2", "b": "1"}), digest_of({"a": "1"}), digest_of({})}) == 4


def test_an_upgraded_library_changes_the_record(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "_version", lambda name: "99.0")
    upgraded = make_record(record["settings"], ENTRIES, ["jax"], record["columns"])
    (word,) = differences(record, upgraded)
    assert word.endswith("is 99.0")


def test_the_record_of_a_table_lists_the_shards_that_were_accepted() -> None:
    plain = table_record({}, {"a": "1"}, "{}")
    marked = table_record({}, {"a": "1"}, "{}", {"a": {"2026-01-02": ["x changed"]}, "b": {}})
    assert marked["accepted"] == {"a": {"2026-01-02": ["x changed"]}}
    assert differences(plain, marked) == ["accepted shards was none, is 1, 2026-01-02"]


def test_marks_are_no_difference_and_accumulate(record: Record) -> None:
    older = record | {"libraries": {}}
    first = accepted(older, record, "2026-01-01")
    assert differences(first, record) == []
    words = differences(older, record)
    assert marks(first) == {"2026-01-01": words}
    second = accepted(first | {"libraries": {}}, record, "2026-01-02")
    assert marks(second) == {"2026-01-01": words, "2026-01-02": words}
    same = accepted(first | {"libraries": {}}, record, "2026-01-01")
    assert marks(same) == {"2026-01-01": words + words}
