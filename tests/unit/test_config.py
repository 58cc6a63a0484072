"""Reading what people write: each fault names file, line and key, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modelyard.config import Share, StageConfig, merge, parse_setting, parse_yaml, read_text, validate
from modelyard.errors import BadConfig


class Inner(StageConfig):
    epochs: int = 1
    share: Share = 0.5
    names: tuple[str, ...] = ()


class Outer(StageConfig):
    train: Inner = Inner()
    title: str = "x"


def load(text: str) -> Outer:
    value, lines = parse_yaml(text, "modelyard.yaml")
    return validate(Outer, value, "modelyard.yaml", lines)


def fault(text: str) -> BadConfig:
    with pytest.raises(BadConfig) as error:
        load(text)
    return error.value


def test_an_unknown_key_names_its_line_and_the_nearest_key() -> None:
    found = fault("title: y\ntrain:\n  share: 0.1\n  epoch: 3\n")
    assert found.message == "unknown key epoch"
    assert found.where == "modelyard.yaml, line 4, key train.epoch"
    assert found.next == "did you mean epochs?"


def test_an_unknown_key_that_resembles_none_lists_those_there_are() -> None:
    assert fault("train:\n  zzzz: 3\n").next == "valid keys here: epochs, share, names"


def test_a_wrong_type_names_line_key_and_value() -> None:
    found = fault("# a comment\ntrain:\n  epochs: many\n")
    assert found.where == "modelyard.yaml, line 3, key train.epochs"
    assert "'many'" in found.message and "integer" in found.message


def test_a_value_out_of_range_is_refused() -> None:
    assert "less than or equal to 1" in fault("train: {share: 1.5}").message
    assert "finite" in fault("train: {share: .nan}").message


def test_several_faults_name_the_first_and_count_the_others() -> None:
    found = fault("train:\n  epochs: many\n  shar: 1\n")
    assert "(1 more after this one)" in found.message


def test_a_block_that_is_no_block_is_named() -> None:
    assert fault("train: 5\n").where == "modelyard.yaml, line 1, key train"


def test_an_item_of_a_list_names_its_own_line() -> None:
    assert fault("train:\n  names:\n    - a\n    - [b]\n").where == "modelyard.yaml, line 4, key train.names.1"


def test_a_key_given_twice_names_both_lines() -> None:
    found = fault("title: a\ntrain: {}\ntitle: b\n")
    assert found.message == "the key title stands twice"
    assert found.where == "modelyard.yaml, line 3, first at line 1"


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "Yes", "NO", "2024-01-02", "010", "1:30", "1_000"])
def test_words_that_yaml_turns_into_something_else_stay_text(word: str) -> None:
    assert parse_yaml(f"a: {word}", "f")[0] == {"a": word}


@pytest.mark.parametrize(
    ("word", "value"), [("true", True), ("False", False), ("3", 3), ("0.5", 0.5), ("-7", -7), ("null", None)]
)
def test_other_plain_words_are_what_they_look_like(word: str, value: Any) -> None:
    assert parse_yaml(f"a: {word}", "f")[0] == {"a": value}


@pytest.mark.parametrize("text", ["a: [1, 2", "a:\n\t- 1", "a: b: c", "a: &x 1\nb: *y\n", "a: !!python/name:os.system"])
def test_what_is_not_plain_yaml_names_the_line(text: str) -> None:
    found = fault(text)
    assert (found.where or "").startswith("modelyard.yaml, line ")


def test_an_alias_that_grows_is_no_way_to_fill_the_memory() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "alias" in fault("\n".join(rows)).message


def test_numbers_with_an_exponent_are_numbers() -> None:
    assert parse_yaml("a: 2e-5", "f")[0] == {"a": 2e-5}


def test_an_empty_file_is_the_defaults() -> None:
    value, _ = parse_yaml("# nothing\n", "f")
    assert value is None


def test_a_setting_is_nested_data_with_its_value_in_yaml() -> None:
    assert parse_setting("train.epochs=3") == {"train": {"epochs": 3}}
    assert parse_setting("a=b=c") == {"a": "b=c"}
    assert parse_setting("a.b=[x, no]") == {"a": {"b": ["x", "no"]}}
    assert parse_setting("a=") == {"a": None}


@pytest.mark.parametrize("setting", ["epochs", "=3", " =3", "a..b=1", ".a=1", "a=[1"])
def test_a_setting_that_is_none_says_how_one_looks(setting: str) -> None:
    with pytest.raises(BadConfig) as error:
        parse_setting(setting)
    assert "--set" in (error.value.where or "")


def test_of_two_values_the_later_wins_and_the_rest_stays() -> None:
    base = {"a": {"x": 1, "y": 2}, "b": [1]}
    assert merge(base, {"a": {"y": 3}, "b": [2], "c": 4}) == {"a": {"x": 1, "y": 3}, "b": [2], "c": 4}
    assert base == {"a": {"x": 1, "y": 2}, "b": [1]}
    assert merge({"a": 1}, {"a": {"x": 1}}) == {"a": {"x": 1}}


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    path = tmp_path / "modelyard.yaml"
    with pytest.raises(BadConfig, match="cannot be read"):
        read_text(path)
    path.write_bytes(b"title: \xff")
    with pytest.raises(BadConfig, match="not UTF-8 at byte 7"):
        read_text(path)
    path.write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(BadConfig, match="larger than 1 MiB"):
        read_text(path)
    path.write_bytes(b"\xef\xbb\xbftitle: a")
    assert read_text(path) == "title: a"


def test_a_config_does_not_change_after_reading() -> None:
    with pytest.raises(Exception, match="frozen"):
        Outer().title = "y"  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    ["a: \x07", "[" * 5000, "a: !!int abc", "a: !!bool maybe", "a: !!timestamp 2001-99-99", "a: !!python/object:x"],
)
def test_what_is_not_plain_yaml_is_the_users_to_mend_and_not_a_fault(text: str) -> None:
    with pytest.raises(BadConfig) as caught:
        parse_yaml(text, "modelyard.yaml")
    assert "modelyard.yaml" in str(caught.value.where)
