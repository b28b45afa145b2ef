"""The folder of a recording: whose it is, and that a recording can be gone on with whenever it was killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semantic_rl.config import RecordConfig
from semantic_rl.errors import UserError
from semantic_rl.folder_lock import LOCK_FILE
from semantic_rl.recording.record import record, record_policy
from semantic_rl.recording.store import open_recording

from .conftest import GAME, config, make_policy
from .test_record import Killed, files, make_run, stop_after

KILLED_AT = """
import os, signal, sys
from pathlib import Path
from semantic_rl.config import RecordConfig
from semantic_rl.recording.record import record

replace, replaced = os.replace, []

def counted(source, target):
    if len(replaced) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    replaced.append(target)
    replace(source, target)

os.replace = counted
record(RecordConfig(Path(sys.argv[1]), Path(sys.argv[2]), states=60, num_envs=4, frame_size=0, device="cpu",
                    precision="fp32", num_threads=1))
"""
"""Records, and is killed before the file that is renamed into its place after so many others."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "run", make_policy(), GAME)


def small(run: Path, out: Path, resume: bool = False) -> RecordConfig:
    return RecordConfig(
        run, out, states=60, num_envs=4, frame_size=0, device="cpu", precision="fp32", num_threads=1, resume=resume
    )


@pytest.fixture(scope="module")
def whole(run: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a recording that was made without an interruption."""
    out = tmp_path_factory.mktemp("recordings") / "whole"
    record(small(run, out))
    return files(out)


@pytest.mark.slow
@pytest.mark.parametrize("num_files", [0, 1, 2])
def test_a_recording_killed_between_its_first_files_can_be_gone_on_with(
    tmp_path: Path, run: Path, whole: dict[str, bytes], num_files: int
) -> None:
    out = tmp_path / "r"
    command = [sys.executable, "-c", KILLED_AT, str(run), str(out), str(num_files)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    begun = (out / "recording.json").is_file()
    assert begun == (num_files > 0)
    record(small(run, out, resume=begun))
    assert files(out) == whole


def test_what_a_killed_recording_left_before_it_began_is_in_nobodys_way(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    for name in (".semantic-rl-0123456789abcdef.tmp", LOCK_FILE):
        (folder / name).touch()
    with pytest.raises(UserError, match="leave --resume out"):
        record_policy(make_policy(), GAME, config(folder, states=60, resume=True))
    record_policy(make_policy(), GAME, config(folder, states=60))
    assert not list(folder.glob(".*"))


@pytest.mark.slow
def test_a_second_recording_into_one_folder_is_refused_by_the_first_ones_name(tmp_path: Path, run: Path) -> None:
    out = tmp_path / "r"
    command = [sys.executable, "-m", "semantic_rl.cli", "record", str(run), "--out", str(out), "--states", "1000000"]
    process = subprocess.Popen([*command, "--num-threads", "1", "--frame-size", "0"])
    try:
        while not (out / "recording.json").is_file():
            assert process.poll() is None
            time.sleep(0.05)
        for resume in (False, True):
            with pytest.raises(UserError) as refused:
                record(small(run, out, resume))
            assert f"is being written by process {process.pid} on {socket.gethostname()}" in str(refused.value)
    finally:
        process.kill()
        process.wait()
    with pytest.raises(UserError, match="exists already; add --resume"):
        record(small(run, out))


def begin(out: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a recording that has just begun."""
    with monkeypatch.context() as patch:
        stop_after(patch, 3, "killed")
        with pytest.raises(Killed):
            record(small(run, out))


@pytest.mark.parametrize("name", ["frames", "parts"])
def test_going_on_with_a_strangers_recording_writes_nowhere_else(
    tmp_path: Path, run: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, mine = tmp_path / "r", tmp_path / "mine"
    mine.mkdir()
    begin(out, run, monkeypatch)
    (out / name).rmdir()
    (out / name).symlink_to(mine)
    with pytest.raises(UserError, match=f"{name} is a link"):
        record(small(run, out, resume=True))
    assert not list(mine.iterdir())


def test_links_in_the_place_of_its_files_are_not_followed(
    tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, mine = tmp_path / "r", tmp_path / "mine"
    mine.write_text("mine")
    begin(out, run, monkeypatch)
    for name in (
        "states.parquet", "states.parquet.tmp", "episodes.parquet", "recording.json.tmp", "parts/states-00000.arrow",
        "frames/observations-00000.arrow", "frames/observations-00000.arrow.tmp",
    ):  # fmt: skip
        (out / name).symlink_to(mine)
    record(small(run, out, resume=True))
    assert mine.read_text() == "mine"
    assert not (out / "states.parquet").is_symlink()
    assert open_recording(out).num_states >= 60


def test_nothing_is_recorded_into_another_recording_or_an_agent(tmp_path: Path, run: Path) -> None:
    record(small(run, tmp_path / "r"))
    for folder in (tmp_path / "r" / "inner", run / "checkpoints" / "update-000003" / "inner"):
        with pytest.raises(UserError, match="lies inside"):
            record(small(run, folder))


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (lambda folder: os.mkfifo(folder / "r"), "exists already; choose another"),
        (lambda folder: (folder / "r").symlink_to(folder / "r"), "exists already|cannot write"),
        (lambda folder: (folder / "r").write_text("mine"), "exists already; choose another"),
    ],
)
def test_what_is_no_folder_is_refused(tmp_path: Path, place: object, reason: str) -> None:
    place(tmp_path)  # type: ignore[operator]
    with pytest.raises(UserError, match=reason):
        record_policy(make_policy(), GAME, config(tmp_path / "r", states=60))
    with pytest.raises(UserError):
        record_policy(make_policy(), GAME, config(tmp_path / ("a" * 300), states=60))


def test_a_recording_tells_nothing_of_the_machine(tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(small(run, tmp_path / "elsewhere"))
    described = json.loads((tmp_path / "elsewhere" / "recording.json").read_text())
    assert described["agent"]["path"] == "run/checkpoints/update-000003"
    assert "run_root" not in described["agent"]["config"]
    for path in (run, tmp_path, Path.home(), Path.cwd()):
        assert str(path) not in (tmp_path / "elsewhere" / "recording.json").read_text()
    monkeypatch.chdir(run.parent)
    record(small(Path("run"), Path("recordings/r")))
    described = json.loads(Path("recordings/r/recording.json").read_text())
    assert described["agent"]["path"] == "../../run/checkpoints/update-000003"
    record(RecordConfig(Path("sppo-coinrun"), Path("shipped"), episodes=1, num_envs=1, frame_size=0))
    assert json.loads(Path("shipped/recording.json").read_text())["agent"]["path"] == "sppo-coinrun"


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_what_is_there_can_be_gone_on_with(
    tmp_path: Path, run: Path, whole: dict[str, bytes]
) -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
    script = limited + KILLED_AT.replace("== int(sys.argv[3])", "< 0")
    script = script.replace(
        "record(RecordConfig",
        "from semantic_rl.cli import run_or_exit\nrun_or_exit('record', lambda: record(RecordConfig",
    )
    script = script.replace("num_threads=1))", "num_threads=1)))")
    command = [sys.executable, "-c", script, str(run), str(tmp_path / "r")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cannot write recording" in done.stderr
    assert "the same command with --resume continues" in done.stderr
    record(small(run, tmp_path / "r", resume=True))
    assert files(tmp_path / "r") == whole
