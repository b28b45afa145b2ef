"""A path that a user names as input: what is there, and one sentence where it cannot be seen or read."""

import os
from pathlib import Path

import pytest
from privileges import without_privileges

from semantic_rl.errors import UserError
from semantic_rl.input_places import kind_of, read_file

EXPECTED = "a run folder"


def test_what_is_there_is_told_apart_and_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    names = ("file", "link", "pipe", "broken", "nothing", "file/below")
    assert [kind_of(tmp_path / name, EXPECTED) for name in names] == ["file", "folder", "other", None, None, None]


@pytest.mark.parametrize("name", ["n" * 300, "n" * 5000, "a\0b"])
def test_a_name_that_cannot_be_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"cannot be read .*; expected a run folder\.$") as refused:
        kind_of(tmp_path / name, EXPECTED)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_links_that_lead_round_and_forbidden_folders_are_named(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(UserError, match="symbolic links"):
        kind_of(tmp_path / "a", EXPECTED)
    (tmp_path / "forbidden").mkdir(mode=0)
    with without_privileges(), pytest.raises(UserError, match="Permission denied"):
        kind_of(tmp_path / "forbidden" / "run", EXPECTED)


def test_only_regular_files_of_a_bearable_size_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1234")
    os.mkfifo(tmp_path / "pipe")
    assert read_file(tmp_path / "file", 4, "mend it.") == b"1234"
    for name, most, reason in (
        ("file", 3, "has 4 bytes, expected at most 3"),
        ("pipe", 4, "is no regular file"),
        (".", 4, "is no regular file"),
        ("nothing", 4, "No such file"),
        ("a\0b", 4, "null"),
    ):
        with pytest.raises(UserError, match=rf"{reason}.*mend it\.$"):
            read_file(tmp_path / name, most, "mend it.")
