"""Detects whether a path is a recording, a run, a checkpoint or an agent, and checks it."""

from pathlib import Path

from semantic_rl.agents import shipped_agents
from semantic_rl.artifacts import (
    CARD_FILE,
    CHECKPOINTS_FOLDER,
    CONFIG_FILE,
    PROGRESS_FILE,
    RECORDING_FILE,
    STATE_FILE,
)
from semantic_rl.checking.result import Checked
from semantic_rl.errors import UserError
from semantic_rl.input_places import kind_of
from semantic_rl.progress_bar import OnPhase

EXPECTED = "a recording, a run, a checkpoint or an agent"


def check(path: Path, on_progress: OnPhase = lambda what, done, total: None) -> Checked:
    """Check the recording, run, checkpoint or agent at `path`, or the shipped agent of this name.

    Raises UserError if it is none of these.
    """
    if kind_of(path, EXPECTED) is None:
        shipped = {agent.name: agent.path for agent in shipped_agents()}
        if str(path) not in shipped:
            raise UserError(f"{path}: no such file or folder; expected {EXPECTED}.")
        path = shipped[str(path)]
    if kind_of(path, EXPECTED) != "folder":
        raise UserError(f"{path} is a file; expected {EXPECTED}, each of which is a folder.")

    def has(name: str) -> bool:
        return kind_of(path / name, EXPECTED) is not None

    if has(RECORDING_FILE):
        from semantic_rl.checking.recordings import check_recording

        return Checked(path, "recording", check_recording(path, on_progress))
    if has(STATE_FILE) or has(CARD_FILE):
        from semantic_rl.checking.runs import check_checkpoint

        return Checked(path, "agent" if has(CARD_FILE) else "checkpoint", check_checkpoint(path))
    if has(CONFIG_FILE) or has(PROGRESS_FILE) or has(CHECKPOINTS_FOLDER):
        from semantic_rl.checking.runs import check_run

        return Checked(path, "run", check_run(path, on_progress))
    raise UserError(f"{path} is none of these: expected {EXPECTED}.")
