"""Checkpoints that are damaged, foreign, newer, or cannot be written."""

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_runs import RUN_NAME, environment_variables, small_config, train_command

from semantic_rl.artifacts import checkpoint_folders
from semantic_rl.errors import UserError
from semantic_rl.training.checkpoint import load_checkpoint, load_policy, pack_bytes, read_state, unpack_bytes
from semantic_rl.training.train import train


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(small_config(tmp_path_factory.mktemp("finished"), 2, checkpoint_interval=1))


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of a run that a test may spoil."""
    return Path(shutil.copytree(finished, tmp_path / finished.name))


def last(run: Path) -> Path:
    return checkpoint_folders(run)[-1]


@pytest.mark.parametrize("name", ["policy.safetensors", "optimizer.safetensors", "worker-000.safetensors"])
def test_a_truncated_file_is_named_with_the_way_out(run: Path, name: str):
    file = last(run) / name
    file.write_bytes(file.read_bytes()[:-100])

    with pytest.raises(
        UserError, match=rf"damaged checkpoint: {name}.*; delete .*update-000002 to fall back to the checkpoint before"
    ):
        load_checkpoint(run)


def test_a_flipped_bit_is_found(run: Path):
    file = last(run) / "policy.safetensors"
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)

    with pytest.raises(UserError, match="SHA-256 differs"):
        load_policy(run)


def test_a_truncated_state_is_damaged(run: Path):
    (last(run) / "state.json").write_text('{"format": "semantic-rl ch')

    with pytest.raises(
        UserError, match=r"state\.json cannot be read: .*; delete .*update-000002 to fall back to the checkpoint before"
    ):
        load_policy(run)


def test_a_foreign_state_is_refused(run: Path):
    (last(run) / "state.json").write_text('{"hello": 1}')

    with pytest.raises(UserError, match="not a semantic-rl checkpoint"):
        load_policy(run)


def test_a_newer_version_asks_for_an_update(run: Path):
    state = read_state(run)
    (last(run) / "state.json").write_text(json.dumps({**state, "version": 99}))

    with pytest.raises(UserError, match=r"written by a newer semantic-rl \(checkpoint version 99"):
        load_policy(run)


def test_a_half_written_checkpoint_is_passed_over(run: Path):
    folder = last(run)
    folder.rename(folder.with_name("update-000009.tmp"))

    assert read_state(run)["update"] == 1


def test_a_folder_without_checkpoints_and_a_missing_path_are_named(tmp_path: Path):
    with pytest.raises(UserError, match="holds no checkpoint"):
        load_policy(tmp_path)
    with pytest.raises(UserError, match="no such file or folder"):
        load_policy(tmp_path / "absent")


def test_a_checkpoint_folder_can_be_loaded_itself(finished: Path):
    first = checkpoint_folders(finished)[0]

    assert read_state(first)["update"] == 1
    assert not torch.equal(load_policy(first).value_head.weight, load_policy(finished).value_head.weight)


def test_whoever_may_read_the_folder_may_read_its_files(finished: Path):
    folder = last(finished)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {folder.stat().st_mode & 0o666}


def test_packed_bytes_come_back():
    items = [b"", b"abc", bytes(range(256))]

    assert unpack_bytes(*pack_bytes(items)) == items


@pytest.mark.slow
def test_a_full_disk_ends_the_run_with_a_message_and_keeps_the_last_checkpoint(tmp_path: Path):
    train(small_config(tmp_path, 1))
    before = load_policy(tmp_path / RUN_NAME).state_dict()

    def no_room() -> None:  # what is written past 1 MB fails, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))

    process = subprocess.run(
        train_command(tmp_path, 2, "--resume"),
        env=environment_variables(),
        preexec_fn=no_room,
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert process.returncode == 2, process.stderr
    assert "cannot write checkpoint" in process.stderr
    assert "the last good checkpoint is" in process.stderr
    assert "update-000001" in process.stderr
    assert "Traceback" not in process.stderr
    assert [path.name for path in (tmp_path / RUN_NAME / "checkpoints").iterdir()] == ["update-000001"]
    for name, value in before.items():
        assert torch.equal(value, load_policy(tmp_path / RUN_NAME).state_dict()[name])


def test_loading_runs_no_code_of_the_file(run: Path):
    code = (
        f"import semantic_rl.training.checkpoint as c, sys; c.load_policy({str(run)!r}); print('pickle' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], env=environment_variables(), check=True).returncode == 0
