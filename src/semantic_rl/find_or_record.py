"""Finds the recording at a path; for the name of an agent that ships with the package, one is made first."""

import sys
from pathlib import Path

from semantic_rl.agents import shipped_agents
from semantic_rl.artifacts import CONFIG_FILE, RECORDING_FILE
from semantic_rl.config import DemoConfig, RecordConfig
from semantic_rl.errors import UserError
from semantic_rl.input_places import kind_of
from semantic_rl.recording.store.description import read_description

RECORDINGS = Path("recordings")
"""Folder, in the working folder, for recordings of the agents that ship with the package."""


def find_or_record(path: Path) -> Path:
    """Return the recording at a path; for the name of a shipped agent, one is made if it does not exist yet.

    Raises UserError for the user's own agents, since the user must choose what to record.
    """
    expected = "a recording, or the name of an agent that ships with the package"
    if kind_of(path, expected) is not None:
        has_config, is_recording = (kind_of(path / name, expected) == "file" for name in (CONFIG_FILE, RECORDING_FILE))
        if has_config and not is_recording:
            raise UserError(
                f"{path} is an agent; expected a recording. Make one: semantic-rl record {path} --states 5000 "
                f"--out {RECORDINGS / path.name}"
            )
        return path
    if str(path) not in [agent.name for agent in shipped_agents()]:
        return path
    folder = RECORDINGS / path
    begun = kind_of(folder / RECORDING_FILE, "a recording") == "file"
    if begun and read_description(folder).get("complete") is True:
        return folder
    from semantic_rl.recording.record import record  # PyTorch is not needed until here

    print(f"recording {DemoConfig.states:,} states of the agent {path} into {folder} first", file=sys.stderr)
    return record(RecordConfig(agent=path, out=folder, states=DemoConfig.states, resume=begun))
