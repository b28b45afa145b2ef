"""Files and folders appear whole or not at all, through no link, and past no other writer."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from semantic_rl import atomic_write
from semantic_rl.atomic_write import (
    check_own_folder,
    is_temporary,
    make_own_folder,
    remove_abandoned,
    temporary_path,
    whole_file,
    whole_folder,
)
from semantic_rl.errors import UserError


def age(path: Path) -> None:
    """Make a file look as if nobody had changed it for an hour."""
    then = time.time() - 3600
    os.utime(path, (then, then))


def test_a_file_appears_with_its_content_and_nothing_else(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
        assert not (tmp_path / "a.txt").exists()
    assert (tmp_path / "a.txt").read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_file_has_the_mode_that_the_user_s_mask_gives(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with whole_file(tmp_path / "a.txt") as temporary:
        temporary.unlink()  # as libraries do that write a file of their own and rename it
        os.close(os.open(temporary, os.O_CREAT | os.O_WRONLY, 0o600))
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_writing_that_fails_leaves_the_former_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("former")

    def fail() -> None:
        with whole_file(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise OSError("disk is full")

    with pytest.raises(OSError, match="disk is full"):
        fail()
    assert (tmp_path / "a.txt").read_text() == "former"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_link_in_the_place_of_the_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "a.txt").symlink_to(tmp_path / "precious")
    with whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / "a.txt").is_symlink()


def test_links_under_the_former_temporary_names_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "a.txt.tmp").symlink_to(tmp_path / "precious")
    with whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "precious").read_text() == "mine"
    assert (tmp_path / "a.txt.tmp").is_symlink()


def test_writers_of_one_file_at_once_leave_one_of_their_contents(tmp_path: Path) -> None:
    contents = [str(index) * 100_000 for index in range(8)]

    def write(content: str) -> None:
        for _ in range(20):
            with whole_file(tmp_path / "a.txt") as temporary:
                temporary.write_text(content)
            assert (tmp_path / "a.txt").read_text() in contents

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, contents))
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_appears_with_all_that_is_in_it(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "a") as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner" / "b.txt").write_text("new")
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a" / "inner" / "b.txt").read_text() == "new"
    assert os.listdir(tmp_path) == ["a"]


def test_a_folder_does_not_replace_one_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine").touch()
    with pytest.raises(OSError, match=r"not empty|exists"), whole_folder(tmp_path / "a") as temporary:
        (temporary / "b.txt").touch()
    assert os.listdir(tmp_path) == ["a"]
    assert os.listdir(tmp_path / "a") == ["mine"]


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from semantic_rl.atomic_write import *\n"
        "with whole_file(Path(sys.argv[1]) / 'a') as a, whole_folder(Path(sys.argv[1]) / 'b') as b:\n"
        "    (b / 'inner').touch(); a.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, env={**os.environ, "PYTHONPATH": "src"})
    left = list(tmp_path.iterdir())
    assert len(left) == 2
    assert all(is_temporary(path) for path in left)
    remove_abandoned(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(left), "its writer might still be about to lock it"
    for path in left:
        age(path)
    with whole_file(tmp_path / "c"):
        pass
    assert os.listdir(tmp_path) == ["c"]


def test_what_a_writer_has_at_work_is_left_alone_however_old(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a") as a, whole_folder(tmp_path / "b") as b:
        age(a)
        age(b)
        remove_abandoned(tmp_path)
        assert a.exists()
        assert b.exists()


def test_of_others_files_nothing_is_removed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "mine").touch()
    link = temporary_path(tmp_path)
    link.symlink_to(tmp_path / "precious")
    pipe = temporary_path(tmp_path)
    os.mkfifo(pipe)
    for name in ("a.tmp", ".semantic-rl-0.tmp", atomic_write.PREFIX):
        (tmp_path / name).touch()
    for path in tmp_path.iterdir():
        if not path.is_symlink():
            age(path)
    before = sorted(tmp_path.rglob("*"))
    remove_abandoned(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_of_our_own_is_refused_where_it_is_a_link_or_a_file(tmp_path: Path) -> None:
    assert make_own_folder(tmp_path, "derived") == tmp_path / "derived"
    check_own_folder(tmp_path / "nothing")
    (tmp_path / "link").symlink_to(tmp_path / "derived")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    for name, reason in (("link", "is a link"), ("broken", "is a link"), ("file", "no folder")):
        with pytest.raises(UserError, match=reason):
            check_own_folder(tmp_path / name)
    assert not (tmp_path / "nowhere").exists()
