"""What a recording says of where its agent is: enough to find it again, and nothing of the machine.

A recording is passed on, so it holds no absolute path. Of an agent that ships with the package the name suffices; one
that lies with the recording below the working folder or the home folder is named by the way from the one to the other;
of any other only the names of its run and its checkpoint are told.
"""

import os
from pathlib import Path
from typing import Any

from semantic_rl.agents import FOLDER
from semantic_rl.artifacts import CHECKPOINTS_FOLDER, POLICY_FILE

OF_THE_MACHINE = ("run_root", "resume")
"""Settings of a training that say something of where it ran, not of the agent."""


def describe_agent(checkpoint: Path, state: dict[str, Any], recording: Path) -> dict[str, Any]:
    """Return what `recording.json` says of the agent of a checkpoint; `state` is what its state.json says."""
    trained: dict[str, Any] = state["config"]
    return {
        "path": path_from(recording, checkpoint),
        "policy_sha256": state["files"][POLICY_FILE],
        "algorithm": trained["algorithm"],
        "config": {name: value for name, value in trained.items() if name not in OF_THE_MACHINE},
    }


def path_from(recording: Path, checkpoint: Path) -> str:
    """Return the way from a recording folder to a checkpoint, or names alone where that would tell of the machine."""
    start, end = Path(os.path.realpath(recording)), Path(os.path.realpath(checkpoint))
    if end.parent == FOLDER:
        return end.name
    for base in _common_bases():
        if start.is_relative_to(base) and end.is_relative_to(base):
            return Path(os.path.relpath(end, start)).as_posix()
    run = end.parent.parent
    return f"{run.name}/{CHECKPOINTS_FOLDER}/{end.name}" if end.parent.name == CHECKPOINTS_FOLDER else end.name


def _common_bases() -> list[Path]:
    """Return the working folder and the home folder, without those that hold the folders of all users."""
    home = Path(os.path.realpath(os.path.expanduser("~")))
    try:
        bases = [Path(os.path.realpath(os.getcwd())), home]
    except OSError:  # the working folder was removed
        bases = [home]
    return [base for base in bases if base != Path(base.anchor) and base not in home.parents]
