"""A folder that is being written is refused to a second process, and free again however the first one ends."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from semantic_rl.errors import UserError
from semantic_rl.folder_lock import LOCK_FILE, hold_folder, is_unused, read_holder

HOLD = """
import sys, time
from pathlib import Path
from semantic_rl.folder_lock import hold_folder
with hold_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path):
    """A process that holds the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_process_that_has_the_folder_is_named(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(UserError) as refused, hold_folder(tmp_path):
        pass
    assert str(refused.value) == (
        f"{tmp_path} is being written by process {holder.pid} on {socket.gethostname()}; wait for it or end it, then "
        "give the same command again."
    )


def test_a_killed_process_holds_nothing(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / LOCK_FILE).exists()
    assert is_unused(tmp_path)
    with hold_folder(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_the_same_process_cannot_hold_it_twice(tmp_path: Path) -> None:
    with hold_folder(tmp_path):
        with pytest.raises(UserError, match=f"process {os.getpid()} on"), hold_folder(tmp_path):
            pass
        with pytest.raises(UserError, match="is being written"), hold_folder(tmp_path):
            pass
    with hold_folder(tmp_path):
        pass


def test_a_planted_lock_file_leads_nowhere(tmp_path: Path) -> None:
    folder, mine = tmp_path / "foreign", tmp_path / "mine"
    folder.mkdir()
    mine.write_text("mine")
    lock = folder / LOCK_FILE
    for plant in (lock.symlink_to, lock.hardlink_to):
        plant(mine)
        with pytest.raises(UserError), hold_folder(folder):
            pass
        lock.unlink()
    os.mkfifo(lock)
    with pytest.raises(UserError, match="no lock file"), hold_folder(folder):
        pass
    assert mine.read_text() == "mine"


def test_a_folder_with_anything_else_is_in_use(tmp_path: Path) -> None:
    assert is_unused(tmp_path)
    (tmp_path / ".semantic-rl-0123456789abcdef.tmp").touch()
    assert is_unused(tmp_path)
    (tmp_path / "mine").touch()
    assert not is_unused(tmp_path)


def test_a_holder_that_leaves_is_waited_for(
    tmp_path: Path, holder: subprocess.Popen[str], capsys: pytest.CaptureFixture[str]
) -> None:
    timer = threading.Timer(0.5, holder.terminate)
    timer.start()
    with hold_folder(tmp_path, seconds=60) as is_held:
        assert is_held
    assert f"waiting up to 60 s for process {holder.pid} on " in capsys.readouterr().err


def test_a_holder_that_stays_is_waited_for_no_longer_than_asked(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(UserError, match=f"process {holder.pid} on "), hold_folder(tmp_path, seconds=0.3):
        pass


def test_what_the_holder_says_of_itself_can_be_read(tmp_path: Path) -> None:
    assert read_holder(tmp_path) == {}
    with hold_folder(tmp_path, {"attempt": 3}):
        assert read_holder(tmp_path) == {"host": socket.gethostname(), "pid": os.getpid(), "attempt": 3}
    assert read_holder(tmp_path) == {}
    for content in ("[", "[1]", "[" * 900, '{"a": ' * 100):
        (tmp_path / LOCK_FILE).write_text(content, encoding="utf-8")
        assert read_holder(tmp_path) == {}
    (tmp_path / LOCK_FILE).unlink()
    os.mkfifo(tmp_path / LOCK_FILE)
    assert read_holder(tmp_path) == {}
