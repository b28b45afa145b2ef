"""What is known of the recorded agent: from the recording, and from its run folder or its card where they are there.

A recording may come from another machine, or have been edited by hand: what is missing is left out, not invented. It
names its agent by the name of one that ships with the package, or by the way from the recording to it; older recordings
hold an absolute path.
"""

import os
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from semantic_rl.agents import shipped_agents
from semantic_rl.artifacts import (
    CARD_FILE,
    CHECKPOINT_PREFIX,
    CHECKPOINTS_FOLDER,
    POLICY_FILE,
    PROGRESS_FILE,
    STATE_FILE,
)
from semantic_rl.errors import UserError
from semantic_rl.json_files import read_json
from semantic_rl.recording.store import Recording


class About(NamedTuple):
    """The recorded agent and where it comes from."""

    game: str
    mode: str
    algorithm: str
    """As people write it: SPPO, PPO."""
    name: str
    """Of its folder, without the path, which would say more of a machine than of the agent."""
    sha256: str
    """Of its weights; empty if the recording does not say."""
    settings: dict[str, Any]
    """Its training's; empty if the recording does not say."""
    environment: dict[str, Any]
    """What was played in the recording."""
    timesteps: int | None
    """Steps it had been trained for."""
    run: Path | None
    """Folder with its `progress.csv`."""
    card: dict[str, Any] | None
    """The card of a packed agent."""
    imported_from: str | None
    """Name of the file of the paper's code that it was imported from."""


def about(recording: Recording, run: Path | None = None) -> About:
    """Gather what is known; raises UserError if the given `run` is no run folder."""
    if run is not None and not os.path.isfile(run / PROGRESS_FILE):
        raise UserError(
            f"run: {run} has no {PROGRESS_FILE}; expected the run folder that the recorded agent was trained in, or "
            "leave --run out."
        )
    agent, environment = _table(recording.description, "agent"), _table(recording.description, "environment")
    settings = _table(agent, "config")
    path = PurePath(str(agent.get("path", "")))
    name = path.parent.parent.name if path.parent.name == CHECKPOINTS_FOLDER else path.name
    folder = _folder(recording, agent, path)
    state = (_read(folder / STATE_FILE) if folder else None) or {}
    return About(
        game=str(environment.get("env", "unknown game")),
        mode=str(environment.get("distribution_mode", "unknown mode")),
        algorithm=str(agent.get("algorithm", "sppo" if recording.num_codes else "ppo")).upper(),
        name=name,
        sha256=str(agent.get("sha256", "")),
        settings=settings,
        environment=environment,
        timesteps=_timesteps(path, state, settings),
        run=run or (_run(folder) if folder else None),
        card=_read(folder / CARD_FILE) if folder else None,
        imported_from=PurePath(str(_table(state, "imported_from").get("file", ""))).name or None,
    )


def _table(content: dict[str, Any], name: str) -> dict[str, Any]:
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _folder(recording: Recording, agent: dict[str, Any], path: PurePath) -> Path | None:
    """Return the agent's folder, if it is there and holds the weights that were recorded, as far as that is known."""
    if not path.name:
        return None
    shipped = [found.path for found in shipped_agents() if found.name == str(path)]
    folder = shipped[0] if shipped else recording.path.resolve() / path
    recorded = agent.get("policy_sha256")
    is_other = recorded is not None and _table(_read(folder / STATE_FILE) or {}, "files").get(POLICY_FILE) != recorded
    return None if is_other or not os.path.isdir(folder) else folder


def _run(folder: Path) -> Path | None:
    """Return the run folder of a checkpoint, which a packed agent is itself."""
    places = (folder, folder.parent.parent)
    return next((place for place in places if os.path.isfile(place / PROGRESS_FILE)), None)


def _read(path: Path) -> dict[str, Any] | None:
    """Return a JSON object, or None where there is none: the page does without."""
    try:
        content = read_json(path, "")
    except UserError:
        return None
    return content if isinstance(content, dict) else None


def _timesteps(path: PurePath, state: dict[str, Any], settings: dict[str, Any]) -> int | None:
    """Steps of training, from the checkpoint if it is still there, else from its number and the size of an update."""
    if isinstance(state.get("timesteps"), int):
        return state["timesteps"]
    number, envs, steps = path.name.removeprefix(CHECKPOINT_PREFIX), settings.get("num_envs"), settings.get("num_steps")
    if not number.isdigit() or not isinstance(envs, int) or not isinstance(steps, int):
        return None
    return int(number) * envs * steps
