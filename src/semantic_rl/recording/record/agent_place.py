"""How a recording refers to its agent: enough to find it again, without revealing anything about the machine.

Recordings are shared, so they hold no absolute path. An agent that ships with the package is referred to by its name.
If agent and recording are both below the working folder or the home folder, the relative path between them is stored.
Otherwise only the names of the run and of the checkpoint are stored.
"""

import os
from pathlib import Path
from typing import Any

from semantic_rl.agents import FOLDER
from semantic_rl.agents.protocol import Agent
from semantic_rl.artifacts import CHECKPOINTS_FOLDER, POLICY_FILE

OF_THE_MACHINE = ("run_root", "resume")
"""Training settings that describe the machine, not the agent."""


def describe_agent(checkpoint: Path, state: dict[str, Any], recording: Path) -> dict[str, Any]:
    """Return the entry of `recording.json` on a checkpoint's agent; `state` is the content of its state.json."""
    trained: dict[str, Any] = state["config"]
    return {
        "path": path_from(recording, checkpoint),
        "policy_sha256": state["files"][POLICY_FILE],
        "algorithm": trained["algorithm"],
        "config": {name: value for name, value in trained.items() if name not in OF_THE_MACHINE},
    }


def path_from(recording: Path, checkpoint: Path) -> str:
    """Return the relative path from a recording to a checkpoint, or only names if that would reveal the machine."""
    start, end = Path(os.path.realpath(recording)), Path(os.path.realpath(checkpoint))
    if end.parent == FOLDER:
        return end.name
    for base in _common_bases():
        if start.is_relative_to(base) and end.is_relative_to(base):
            return Path(os.path.relpath(end, start)).as_posix()
    run = end.parent.parent
    return f"{run.name}/{CHECKPOINTS_FOLDER}/{end.name}" if end.parent.name == CHECKPOINTS_FOLDER else end.name


def _common_bases() -> list[Path]:
    """Return the working folder and the home folder, except for folders that hold those of all users."""
    home = Path(os.path.realpath(os.path.expanduser("~")))
    try:
        bases = [Path(os.path.realpath(os.getcwd())), home]
    except OSError:  # the working folder was removed
        bases = [home]
    return [base for base in bases if base != Path(base.anchor) and base not in home.parents]


def describe_foreign(agent: Agent, name: str) -> dict[str, Any]:
    """Return the entry of `recording.json` on an agent that others trained."""
    return {
        "name": name,
        "algorithm": getattr(agent, "algorithm", ""),
        "sha256": agent.sha256,
        "layer": agent.layer,
        "trained_with_clusters": False,
    }
