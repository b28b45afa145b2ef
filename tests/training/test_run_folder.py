"""The folder of a run: one training at a time, nothing written where a link leads, what a kill left is removed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import RUN_NAME, environment_variables, small_config, train_command
from training.torchrun import ONE_MACHINE, TORCHRUN, training

from semantic_rl.artifacts import checkpoint_folders
from semantic_rl.atomic_write import temporary_path
from semantic_rl.config import TrainConfig
from semantic_rl.errors import UserError
from semantic_rl.folder_lock import LOCK_FILE, hold_folder, read_holder
from semantic_rl.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from semantic_rl.training.distributed import Workers
from semantic_rl.training.logger import RunLogger
from semantic_rl.training.resume_checks import is_empty, remove_leftovers
from semantic_rl.training.run_folder import open_run_folder
from semantic_rl.training.train import train


@contextmanager
def opened(config: TrainConfig) -> Iterator[Path]:
    with open_run_folder(config, torch.device("cpu"), "fp32", Workers()) as (run, _):
        yield run


def begun(tmp_path: Path) -> Path:
    """A run folder in which nothing was trained yet."""
    with opened(small_config(tmp_path)) as run:
        return run


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_while_a_run_is_trained_a_second_training_is_told_by_whom(tmp_path: Path) -> None:
    with opened(small_config(tmp_path)) as run:
        assert read_holder(run)["pid"] == os.getpid()
        for more in ({}, {"resume": True}):
            with pytest.raises(
                UserError, match=rf"is being written by process {os.getpid()} on .*; wait for it or end"
            ):
                train(small_config(tmp_path, **more))
    assert os.listdir(run) == ["config.json"]
    with opened(small_config(tmp_path, resume=True)):
        pass


def test_what_goes_on_by_itself_waits_for_its_predecessor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("semantic_rl.training.run_folder.SECONDS_FOR_A_PREDECESSOR", 0.3)
    with opened(small_config(tmp_path)), pytest.raises(UserError, match="is being written by process"):
        train(small_config(tmp_path, auto_resume=True))
    assert "waiting up to 0 s for process" in capsys.readouterr().err


@pytest.mark.slow
def test_of_two_trainings_at_once_one_goes_on_and_after_a_kill_the_other_may_at_once(tmp_path: Path) -> None:
    run = tmp_path / RUN_NAME
    first = subprocess.Popen(
        train_command(tmp_path, 2000, "--checkpoint-interval", "1"),
        env=environment_variables(),
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while not checkpoint_folders(run):
            assert time.monotonic() < deadline
            assert first.poll() is None
            time.sleep(0.05)
        refused = subprocess.run(
            train_command(tmp_path, 2000, "--resume"), env=environment_variables(), capture_output=True, text=True
        )
        assert refused.returncode == 2
        assert refused.stderr.count("\n") == 1
        assert f"is being written by process {first.pid} on " in refused.stderr
        assert first.poll() is None
        first.send_signal(signal.SIGKILL)
        first.wait()
    finally:
        first.kill()
        first.wait()
    done = int(checkpoint_folders(run)[-1].name.removeprefix("update-"))
    resumed = subprocess.run(
        train_command(tmp_path, done + 2, "--resume"), env=environment_variables(), capture_output=True, text=True
    )
    assert resumed.returncode == 0, resumed.stderr
    assert load_checkpoint(run).state["update"] == done + 2
    assert not [name for name in tree(run) if ".tmp" in name or LOCK_FILE in name]


@pytest.mark.slow
def test_several_workers_are_refused_together_and_told_by_whom(tmp_path: Path) -> None:
    run = begun(tmp_path)
    script = tmp_path / "impatient.py"
    script.write_text(
        "import sys\n"
        "from semantic_rl.cli import main\n"
        "from semantic_rl.training import run_folder\n"
        "run_folder.SECONDS_FOR_A_PREDECESSOR = 0.5\n"
        "main(['train', *sys.argv[1:]])\n"
    )
    command = [*TORCHRUN, *ONE_MACHINE, str(script), *training(tmp_path, 2, "--resume")[3:]]
    with hold_folder(run):
        done = subprocess.run(command, env=environment_variables(), capture_output=True, text=True, timeout=240)
    assert done.returncode != 0
    assert f"is being written by process {os.getpid()} on " in done.stderr
    assert "stops because another worker failed" in done.stderr


def test_what_a_killed_training_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    run = begun(tmp_path)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "policy.safetensors").touch()
    checkpoints = run / "checkpoints"
    checkpoints.mkdir()
    for folder in (temporary_path(checkpoints), checkpoints / "update-000007.tmp"):
        folder.mkdir()
        (folder / "policy.safetensors").touch()
        (folder / "worker-000.safetensors").touch()
    for file in (temporary_path(run), run / "config.json.tmp", run / "progress.csv.tmp"):
        file.touch()
    (run / LOCK_FILE).write_text('{"host": "there", "pid": 1}')
    others = checkpoints / "update-000008.tmp"
    others.mkdir()
    (others / "notes.txt").touch()
    (checkpoints / "update-000009.tmp").symlink_to(precious)
    (checkpoints / "mine.tmp").mkdir()
    (run / "notes.tmp").touch()
    temporary_path(run).symlink_to(precious)
    with opened(small_config(tmp_path, resume=True)):
        pass
    left = [name for name in tree(run) if not name.startswith(".semantic-rl")]
    assert left == [
        "checkpoints",
        "checkpoints/mine.tmp",
        "checkpoints/update-000008.tmp",
        "checkpoints/update-000008.tmp/notes.txt",
        "checkpoints/update-000009.tmp",
        "config.json",
        "notes.tmp",
    ]
    assert [path.is_symlink() for path in run.iterdir() if path.name.startswith(".semantic-rl")] == [True]
    assert tree(precious) == ["policy.safetensors"]


def test_without_locks_only_what_is_old_and_unlocked_is_removed(tmp_path: Path) -> None:
    run = begun(tmp_path)
    young, old = temporary_path(run), temporary_path(run)
    for path in (young, old):
        path.mkdir()
    os.utime(old, (1, 1))
    remove_leftovers(run, is_held=False)
    assert young.exists()
    assert not old.exists()


def test_a_folder_with_nothing_but_leftovers_is_empty(tmp_path: Path) -> None:
    run = tmp_path / RUN_NAME
    assert is_empty(run)
    run.mkdir()
    temporary_path(run).touch()
    for name in ("config.json.tmp", LOCK_FILE):
        (run / name).touch()
    assert is_empty(run)
    with opened(small_config(tmp_path)):
        assert os.path.exists(run / "config.json")
    for name in ("notes.txt", "notes.tmp"):
        other = tmp_path / name
        other.mkdir()
        (other / name).touch()
        assert not is_empty(other)


@pytest.mark.parametrize("name", ["config.json", "config.json.tmp", "progress.csv.tmp", "progress.csv"])
def test_links_in_the_place_of_files_are_not_followed(tmp_path: Path, name: str) -> None:
    run = begun(tmp_path)
    mine = tmp_path / "mine"
    mine.write_bytes((run / "config.json").read_bytes())
    before = mine.read_bytes()
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(mine)
    with opened(small_config(tmp_path, resume=True)), RunLogger(run / "progress.csv", ("a", "misc/nupdates")) as log:
        log.write({"a": 1.0, "misc/nupdates": 1, "misc/total_timesteps": 1})
    assert mine.read_bytes() == before
    for written in ("config.json", "progress.csv"):
        assert not (run / written).is_symlink()


@pytest.mark.parametrize("name", ["tensorboard", "tensorboard/train"])
def test_logs_do_not_go_where_a_linked_folder_leads(tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).symlink_to(elsewhere)
    with pytest.raises(UserError, match=f"{name} is a link"):
        RunLogger(tmp_path / "progress.csv", ("a",), tag="train")
    assert not list(elsewhere.iterdir())


def untrained(update: int) -> Checkpoint:
    return Checkpoint({"a": torch.zeros(1)}, None, None, {"update": update})


def test_checkpoints_do_not_go_where_a_linked_folder_leads(tmp_path: Path) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    run.mkdir()
    elsewhere.mkdir()
    (run / "checkpoints").symlink_to(elsewhere)
    with pytest.raises(UserError, match=r"cannot write checkpoint .*checkpoints is a link"):
        save_checkpoint(run, untrained(1), keep=1)
    assert not list(elsewhere.iterdir())
    (run / "config.json").touch()
    with pytest.raises(UserError, match="checkpoints is a link"):
        remove_leftovers(run, is_held=True)


def test_pruning_of_checkpoints_leaves_the_run_folder_by_no_link(tmp_path: Path) -> None:
    run, precious = tmp_path / "run", tmp_path / "precious"
    precious.mkdir()
    (precious / "mine").touch()
    for update in (1, 2):
        save_checkpoint(run, untrained(update), keep=9)
    (run / "checkpoints" / "update-000000").symlink_to(precious)
    (run / "checkpoints" / "update-000001" / "inner").symlink_to(precious)
    save_checkpoint(run, untrained(3), keep=1)
    assert (precious / "mine").exists()
    assert sorted(os.listdir(run / "checkpoints")) == ["update-000000", "update-000003"]


def test_former_temporary_names_are_not_used(tmp_path: Path) -> None:
    run, precious = tmp_path / "run", tmp_path / "precious"
    (run / "checkpoints").mkdir(parents=True)
    precious.mkdir()
    (run / "checkpoints" / "update-000001.tmp").symlink_to(precious)
    save_checkpoint(run, untrained(1), keep=1)
    assert not list(precious.iterdir())
    assert sorted(os.listdir(run / "checkpoints")) == ["update-000001", "update-000001.tmp"]


def test_checkpoints_are_in_the_order_of_their_updates(tmp_path: Path) -> None:
    for name in ("update-1000000", "update-999999", "update-000010", "update-1", "update-000009.tmp", "update-mine"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    names = [path.name for path in checkpoint_folders(tmp_path)]
    assert names == ["update-000010", "update-999999", "update-1000000"]


def test_a_run_holds_no_path_of_the_machine(tmp_path: Path) -> None:
    run = train(small_config(tmp_path, 1))
    for path in run.rglob("*"):
        assert not path.is_file() or str(tmp_path).encode() not in path.read_bytes(), path
    moved = tmp_path / "moved"
    moved.mkdir()
    run.rename(moved / run.name)
    train(small_config(moved, 2, resume=True))
    assert load_checkpoint(moved / run.name).state["update"] == 2


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "cannot be read"),
        ("[" * 100_000, "nested too deep"),
        ('{"config": 1, "num_workers": 1}', "'config' is 1, expected an object"),
        ('{"config": {}, "num_workers": "1"}', "'num_workers' is '1', expected a whole number"),
        ('{"config": {"gamma": NaN}, "num_workers": 1}', "NaN stands where a finite number is due"),
        ('{"config": {"env": "\\ud800"}, "num_workers": 1}', "half of a surrogate pair"),
        ('{"config": {"num_codes": [[8]]}, "num_workers": 1}', "num_codes was [[8]], is 8"),
        ("1e999", "cannot be read"),
    ],
)
def test_a_configuration_that_is_damaged_is_one_line(tmp_path: Path, content: str, expected: str) -> None:
    run = begun(tmp_path)
    (run / "config.json").write_text(content)
    with pytest.raises(UserError) as refused:
        train(small_config(tmp_path, resume=True))
    assert expected in str(refused.value)
    assert str(run) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    run = begun(tmp_path)
    config: dict[str, Any] = json.loads((run / "config.json").read_text())
    (run / "config.json").unlink()
    os.mkfifo(run / "config.json")
    with pytest.raises(UserError, match=r"config\.json is no regular file"):
        train(small_config(tmp_path, resume=True))
    (run / "config.json").unlink()
    (run / "config.json").write_text(json.dumps(config))
    os.mkfifo(run / "progress.csv")
    with pytest.raises(UserError, match=r"progress\.csv is no regular file"):
        RunLogger(run / "progress.csv", ("a",), after_update=1)


@pytest.mark.slow
def test_a_disk_that_is_full_of_logs_is_one_line(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from semantic_rl.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))\n"  # as on a full disk, more fails
        "main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, *train_command(tmp_path, 60, "--checkpoint-interval", "99")[3:]]
    done = subprocess.run(command, env=environment_variables(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert f"cannot write to {tmp_path / RUN_NAME}: File too large; no checkpoint had been written yet" in done.stderr
