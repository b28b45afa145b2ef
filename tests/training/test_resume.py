"""Runs that are killed or asked to stop, and then go on: nothing may differ from a run that was never stopped."""

import csv
import signal
import subprocess
import time
from pathlib import Path

import pytest
from small_runs import RUN_NAME, environment_variables, train_command

from semantic_rl.artifacts import checkpoint_folders
from semantic_rl.training.checkpoint import load_checkpoint

TIME_COLUMNS = ("fps", "misc/time_elapsed")
NUM_UPDATES = 8


def run_to_the_end(run_root: Path, *more: str) -> Path:
    command = train_command(run_root, NUM_UPDATES, "--checkpoint-interval", "2", *more)
    subprocess.run(command, env=environment_variables(), check=True, capture_output=True, timeout=300)
    return run_root / RUN_NAME


def start_and_signal(run_root: Path, number: int, *more: str) -> tuple[int, str]:
    """Start a run, send the signal in the middle of the update after the fifth, return exit code and stderr."""
    command = train_command(run_root, NUM_UPDATES, "--checkpoint-interval", "2", *more)
    process = subprocess.Popen(
        command, env=environment_variables(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    progress = run_root / RUN_NAME / "progress.csv"
    deadline = time.monotonic() + 120
    while not progress.exists() or len(progress.read_text().splitlines()) < 6:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


def assert_same_run(run: Path, other: Path) -> None:
    """Weights, optimiser, environments, generators and logs are equal, bit for bit; times aside."""
    ours, theirs = load_checkpoint(run), load_checkpoint(other)
    assert ours.worker is not None
    assert theirs.worker is not None
    assert ours.optimizer is not None
    assert theirs.optimizer is not None
    pairs = [
        (ours.policy, theirs.policy),
        (ours.optimizer, theirs.optimizer),
        (ours.worker.tensors, theirs.worker.tensors),
    ]
    for left, right in pairs:
        assert left.keys() == right.keys()
        for name in left:
            assert left[name].numpy().tobytes() == right[name].numpy().tobytes(), name
    assert ours.worker.values == theirs.worker.values
    assert rows_without_times(run) == rows_without_times(other)


def rows_without_times(run: Path) -> list[dict[str, str]]:
    with (run / "progress.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: value for name, value in row.items() if name not in TIME_COLUMNS} for row in rows]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_to_the_end(tmp_path_factory.mktemp("uninterrupted"))


@pytest.mark.slow
def test_a_killed_run_goes_on_bit_for_bit(tmp_path: Path, uninterrupted: Path):
    code, _ = start_and_signal(tmp_path, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert checkpoint_folders(tmp_path / RUN_NAME)[-1].name < "update-000008"

    assert_same_run(run_to_the_end(tmp_path, "--resume"), uninterrupted)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_saves_the_last_finished_update_and_goes_on_bit_for_bit(
    tmp_path: Path, uninterrupted: Path, number: signal.Signals
):
    code, errors = start_and_signal(tmp_path, number)

    assert code == 128 + number
    assert "saved after update" in errors
    assert "Traceback" not in errors
    logged = len(rows_without_times(tmp_path / RUN_NAME))
    assert load_checkpoint(tmp_path / RUN_NAME).state["update"] == logged
    assert_same_run(run_to_the_end(tmp_path, "--resume"), uninterrupted)
