"""Small runs asked for through `semantic-rl reproduce`, and what an undisturbed run comes to."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from small_runs import environment_variables, small_arguments

from semantic_rl.training.checkpoint import load_checkpoint

NAME = "ppo-coinrun_easy_0_0_7"
ONE_RUN = ("--games", "coinrun", "--algorithms", "ppo", "--seeds", "7")


def command(out: Path, num_updates: int, *more: str) -> list[str]:
    """The command line, with the smallest settings of the tests of training."""
    arguments = small_arguments(out, num_updates, "--checkpoint-interval", "2", *more)
    return [sys.executable, "-m", "semantic_rl.cli", "reproduce", *arguments]


def as_reproduce_takes_it(arguments: list[str]) -> list[str]:
    """The runs' folder is called --out there."""
    return ["--out" if word == "--run-root" else word for word in arguments]


def reproduce(out: Path, num_updates: int, *more: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    line = as_reproduce_takes_it(command(out, num_updates, *more))
    return subprocess.run(
        line, env=environment_variables(), capture_output=True, text=True, timeout=300, check=False, cwd=out.parent
    )


def start(out: Path, num_updates: int, *more: str) -> subprocess.Popen[str]:
    """Begin it."""
    line = as_reproduce_takes_it(command(out, num_updates, *more))
    return subprocess.Popen(
        line, env=environment_variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=out.parent
    )


def wait_until(process: subprocess.Popen[str], condition: Callable[[], bool], seconds: float = 120) -> None:
    """Wait while the process runs."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "\n".join(process.communicate())
        assert time.monotonic() < deadline
        time.sleep(0.05)


def num_rows(out: Path, name: str = NAME) -> int:
    """Updates that a run has logged."""
    progress = out / name / "progress.csv"
    return max(len(progress.read_text().splitlines()) - 1, 0) if progress.exists() else 0


def assert_same_weights(run: Path, other: Path) -> None:
    """Bit for bit, after the same number of updates."""
    ours, theirs = load_checkpoint(run), load_checkpoint(other)
    assert ours.state["update"] == theirs.state["update"]
    assert ours.policy.keys() == theirs.policy.keys()
    for name, value in ours.policy.items():
        assert value.numpy().tobytes() == theirs.policy[name].numpy().tobytes(), name
