"""Every way in which a JSON file can be wrong becomes one sentence that names file, field and way out."""

import os
from pathlib import Path

import pytest

from semantic_rl.errors import UserError
from semantic_rl.json_files import JsonObject, read_json, read_json_object, shown

GOOD = '{"name": "é", "count": 3, "rate": 0.5, "on": true, "inner": {"count": -1}, "list": [1, 2], "none": null}'


def read(path: Path) -> JsonObject:
    return read_json_object(path, "write it anew.")


def test_fields_are_returned_in_their_types(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(GOOD, encoding="utf-8")
    found = read(tmp_path / "a.json")
    assert found.text("name") == "é"
    assert found.integer("count") == 3
    assert found.number("count") == 3.0
    assert found.number("rate") == 0.5
    assert found.flag("on") is True
    assert found.array("list") == [1, 2]
    assert found.text("missing", "default") == "default"
    assert found.integer("missing", default=7) == 7
    assert dict(found)["none"] is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"[1]", "holds \\[1\\], expected an object"),
        (b"null", "expected an object"),
        (b'{"a": NaN}', "NaN stands where"),
        (b'{"a": -Infinity}', "-Infinity stands where"),
        (b'{"a": 1e999}', "1e999' stands where"),
        (b'{"a": ' + b"9" * 5000 + b"}", "5,000 digits"),
        (b"\xff\xfe{}", "utf-8"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deep"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UserError, match=reason) as refused:
        read(tmp_path / "a.json")
    text = str(refused.value)
    assert str(tmp_path / "a.json") in text
    assert text.endswith("write it anew.")
    assert "\n" not in text


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with open(tmp_path / "huge", "wb") as file:
        file.truncate(60_000_000)
    for name, reason in (("pipe", "no regular file"), ("huge", "60,000,000 bytes"), ("nothing", "No such file")):
        with pytest.raises(UserError, match=reason):
            read_json(tmp_path / name, "write it anew.")
    with pytest.raises(UserError, match=r"Is a directory|no regular file"):
        read_json(tmp_path, "write it anew.")


def test_a_field_of_another_type_is_named_with_its_value(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(GOOD, encoding="utf-8")
    found = read(tmp_path / "a.json")
    for call, reason in (
        (lambda: found.integer("name"), "'name' is 'é', expected a whole number of at least 0"),
        (lambda: found.integer("on"), "'on' is true, expected a whole number"),
        (lambda: found.integer("rate"), "'rate' is 0.5, expected a whole number"),
        (lambda: found.integer("count", 0, 2), "'count' is 3, expected a whole number from 0 to 2"),
        (lambda: found.object("inner").integer("count"), "'inner.count' is -1, expected"),
        (lambda: found.number("on"), "'on' is true, expected a finite number"),
        (lambda: found.text("none"), "'none' is null, expected a text"),
        (lambda: found.flag("count"), "'count' is 3, expected true or false"),
        (lambda: found.array("inner"), "expected an array"),
        (lambda: found.object("list"), "expected an object"),
        (lambda: found.text("missing"), "'missing' is missing, expected a text"),
    ):
        with pytest.raises(UserError, match=reason):
            call()


def test_a_value_is_shown_on_one_line_and_cut() -> None:
    assert shown("a\nb") == "'a\\nb'"
    assert len(shown("x" * 1000)) < 70
    assert len(shown(list(range(1000)))) < 70


def test_an_array_of_objects_names_the_place_of_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"clips": [{"cluster": 1}, {"cluster": "x"}], "runs": [{}, 3]}')
    content = read_json_object(tmp_path / "a.json", "make it anew.")
    first, second = content.objects("clips")
    assert first.integer("cluster") == 1
    with pytest.raises(UserError, match=r"'clips\[1\].cluster' is 'x', expected a whole number"):
        second.integer("cluster")
    with pytest.raises(UserError, match=r"'runs\[1\]' is 3, expected an object; make it anew"):
        content.objects("runs")
