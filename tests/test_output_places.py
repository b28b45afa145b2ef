"""Places in which a command must not, or cannot, write are refused before anything is done."""

import os
from pathlib import Path

import pytest

from semantic_rl.errors import UserError
from semantic_rl.output_places import check_output_file, check_output_folder, exists


def is_ours(beginning: bytes) -> bool:
    return beginning.startswith(b"ours")


def check(path: Path, own: tuple[Path, ...] = ()) -> None:
    check_output_file(path, "one of ours", is_ours, "out", own)


def test_a_new_file_and_one_of_the_same_kind_may_be_written(tmp_path: Path) -> None:
    check(tmp_path / "new.txt")
    check(tmp_path / "a" / "b" / "new.txt")
    (tmp_path / "old.txt").write_text("ours, from before")
    check(tmp_path / "old.txt")


def test_what_is_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "foreign.txt").write_text("mine")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    for path, reason in (
        (tmp_path / "foreign.txt", "exists and is not one of ours"),
        (tmp_path / "folder", "is a folder"),
        (tmp_path / "pipe", "no regular file"),
        (Path("/dev/null"), "no regular file"),
        (tmp_path / "round", "cannot write to"),
        (tmp_path / "foreign.txt" / "inner", "is no folder"),
        (tmp_path / ("a" * 300), "too long|longer than 255 bytes"),
        (tmp_path / "nothing" / ("a" * 300) / "b", "too long|longer than 255 bytes"),
        (tmp_path / "zero\0byte", "null byte|null character"),
    ):
        with pytest.raises(UserError, match=reason) as refused:
            check(path)
        assert "\n" not in str(refused.value)
    assert (tmp_path / "foreign.txt").read_text() == "mine"


@pytest.mark.parametrize("marker", ["recording.json", "state.json", "card.json"])
def test_inside_a_recording_or_an_agent_only_its_own_places_may_be_written(tmp_path: Path, marker: str) -> None:
    (tmp_path / marker).touch()
    (tmp_path / "derived").mkdir()
    (tmp_path / "elsewhere").symlink_to(tmp_path / "derived")
    for path in (tmp_path / "new.txt", tmp_path / "derived" / "new.txt", tmp_path / "a" / "b" / "new.txt"):
        with pytest.raises(UserError, match="lies inside"):
            check(path)
        with pytest.raises(UserError, match="lies inside"):
            check_output_folder(path)
    with pytest.raises(UserError, match=f"{tmp_path} is an? .*whose files belong together"):
        check_output_folder(tmp_path)
    check(tmp_path / "derived" / "new.txt", own=(tmp_path / "derived",))
    with pytest.raises(UserError, match="lies inside"):
        check(tmp_path / "new.txt", own=(tmp_path / "derived",))


def test_folders_may_be_new_or_there_but_no_files(tmp_path: Path) -> None:
    check_output_folder(tmp_path)
    check_output_folder(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    for path, reason in ((tmp_path / "file", "is a file"), (tmp_path / "file" / "a", "no folder")):
        with pytest.raises(UserError, match=reason):
            check_output_folder(path)


def test_something_is_there_even_if_it_is_a_broken_link(tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    assert exists(tmp_path / "broken")
    assert not exists(tmp_path / "nowhere")
    with pytest.raises(UserError, match="too long"):
        exists(tmp_path / ("a" * 300))
