"""What is known of the recorded agent: from the recording, and from its run folder or its card where they are there.

A recording may come from another machine, or have been edited by hand: what is missing is left out, not invented.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from semantic_rl.artifacts import CARD_FILE, CHECKPOINT_PREFIX, CHECKPOINTS_FOLDER, PROGRESS_FILE, STATE_FILE
from semantic_rl.errors import UserError
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
    """File of the paper's code that it was imported from."""


def about(recording: Recording, run: Path | None = None) -> About:
    """Gather what is known; raises UserError if the given `run` is no run folder."""
    if run is not None and not (run / PROGRESS_FILE).is_file():
        raise UserError(
            f"run: {run} has no {PROGRESS_FILE}; expected the run folder that the recorded agent was trained in, or "
            "leave --run out."
        )
    agent, environment = _table(recording.description, "agent"), _table(recording.description, "environment")
    settings = _table(agent, "config")
    path = Path(str(agent.get("path", "")))
    state = _read(path / STATE_FILE) or {}
    name = path.parent.parent.name if path.parent.name == CHECKPOINTS_FOLDER else path.name
    return About(
        game=str(environment.get("env", "unknown game")),
        mode=str(environment.get("distribution_mode", "unknown mode")),
        algorithm=str(agent.get("algorithm", "sppo" if recording.num_codes else "ppo")).upper(),
        name=name,
        sha256=str(agent.get("sha256", "")),
        settings=settings,
        environment=environment,
        timesteps=_timesteps(path, state, settings),
        run=run or next((place for place in (path, path.parent.parent) if _holds(place, PROGRESS_FILE)), None),
        card=_read(path / CARD_FILE),
        imported_from=str(source["file"]) if (source := _table(state, "imported_from")).get("file") else None,
    )


def _table(content: dict[str, Any], name: str) -> dict[str, Any]:
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _holds(folder: Path, name: str) -> bool:
    return folder.is_absolute() and (folder / name).is_file()


def _read(path: Path) -> dict[str, Any] | None:
    """Return a JSON object, or None where there is none: the page does without."""
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path.is_absolute() else None
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _timesteps(path: Path, state: dict[str, Any], settings: dict[str, Any]) -> int | None:
    """Steps of training, from the checkpoint if it is still there, else from its number and the size of an update."""
    if isinstance(state.get("timesteps"), int):
        return state["timesteps"]
    number, envs, steps = path.name.removeprefix(CHECKPOINT_PREFIX), settings.get("num_envs"), settings.get("num_steps")
    if not number.isdigit() or not isinstance(envs, int) or not isinstance(steps, int):
        return None
    return int(number) * envs * steps
