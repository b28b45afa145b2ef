"""Gathers what is known about the recorded agent: from the recording and, if available, its run folder or its card.

A recording may come from another machine, or may have been edited by hand: missing information is left out. The agent
is given by the name of a shipped agent or by a path relative to the recording; older recordings hold an absolute path.
"""

import os
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from semantic_rl.agents import shipped_agents
from semantic_rl.artifacts import (
    CARD_FILE,
    POLICY_FILE,
    PROGRESS_FILE,
    STATE_FILE,
)
from semantic_rl.errors import UserError
from semantic_rl.json_files import read_json
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.agent_info import agent_info, table


class About(NamedTuple):
    """The recorded agent and where it comes from."""

    environment_id: str
    mode: str | None
    """Difficulty; None where there is none."""
    layer: str | None
    """The recorded layer; None for agents of this package, which have one."""
    num_features: int
    algorithm: str
    """In its usual spelling: SPPO, PPO."""
    name: str
    """Name of the agent's folder, without the path, which would describe the machine rather than the agent."""
    sha256: str
    """Hash of its weights; empty if the recording does not say."""
    settings: dict[str, Any]
    """Settings of its training; empty if the recording does not say."""
    environment: dict[str, Any]
    """Settings of the environment that was recorded."""
    timesteps: int | None
    """Number of environment steps it was trained for."""
    run: Path | None
    """The folder with its `progress.csv`."""
    card: dict[str, Any] | None
    """The card of a packed agent."""
    imported_from: str | None
    """Name of the original checkpoint that it was imported from."""


def about(recording: Recording, run: Path | None = None) -> About:
    """Gather what is known; raises UserError if the given `run` is not a run folder."""
    if run is not None and not os.path.isfile(run / PROGRESS_FILE):
        raise UserError(
            f"run: {run} has no {PROGRESS_FILE}; expected the run folder that the recorded agent was trained in, or "
            "leave --run out."
        )
    known, agent = agent_info(recording), table(recording.description, "agent")
    folder = _folder(recording, agent, PurePath(str(agent.get("path", ""))))
    mode = recording.spec.arguments.get("distribution_mode")
    state = (_read(folder / STATE_FILE) if folder else None) or {}
    counted = state.get("timesteps")
    return About(
        environment_id=recording.spec.id,
        mode=None if mode is None else str(mode),
        layer=known.layer,
        num_features=recording.layout.num_features,
        algorithm=known.algorithm,
        name=known.name,
        sha256=known.sha256,
        settings=known.settings,
        environment=known.environment,
        timesteps=counted if isinstance(counted, int) and counted > 0 else known.timesteps,
        run=run or (_run(folder) if folder else None),
        card=_read(folder / CARD_FILE) if folder else None,
        imported_from=PurePath(str(table(state, "imported_from").get("file", ""))).name or None,
    )


def _folder(recording: Recording, agent: dict[str, Any], path: PurePath) -> Path | None:
    """Return the agent's folder if it exists and, as far as can be checked, holds the recorded weights."""
    if not path.name:
        return None
    shipped = [found.path for found in shipped_agents() if found.name == str(path)]
    folder = shipped[0] if shipped else recording.path.resolve() / path
    recorded = agent.get("policy_sha256")
    is_other = recorded is not None and table(_read(folder / STATE_FILE) or {}, "files").get(POLICY_FILE) != recorded
    return None if is_other or not os.path.isdir(folder) else folder


def _run(folder: Path) -> Path | None:
    """Return the run folder of a checkpoint; for a packed agent this is its own folder."""
    places = (folder, folder.parent.parent)
    return next((place for place in places if os.path.isfile(place / PROGRESS_FILE)), None)


def _read(path: Path) -> dict[str, Any] | None:
    """Return a JSON object, or None if there is none: the page can do without it."""
    try:
        content = read_json(path, "")
    except UserError:
        return None
    return content if isinstance(content, dict) else None
