"""Which agent was recorded, as far as the recording says: one that was edited by hand may say less."""

from pathlib import PurePath
from typing import Any, NamedTuple

from semantic_rl.artifacts import CHECKPOINT_PREFIX, CHECKPOINTS_FOLDER
from semantic_rl.recording.store import Recording


class About(NamedTuple):
    """The recorded agent."""

    name: str
    """Of its folder, without the path, which would say more of a machine than of the agent."""
    algorithm: str
    """As people write it: SPPO, PPO."""
    sha256: str
    """Of its weights; empty if the recording does not say."""
    timesteps: int | None
    """Steps it had been trained for; None if that cannot be told."""
    settings: dict[str, Any]
    """Its training's."""
    environment: dict[str, Any]
    """What was played."""


def about(recording: Recording) -> About:
    """Gather what the recording says of its agent."""
    agent, environment = table(recording.description, "agent"), table(recording.description, "environment")
    settings = table(agent, "config")
    path = PurePath(str(agent.get("path", "")))
    return About(
        path.parent.parent.name if path.parent.name == CHECKPOINTS_FOLDER else path.name,
        str(agent.get("algorithm", "sppo" if recording.num_codes else "ppo")).upper(),
        str(agent.get("sha256", "")),
        _timesteps(path, settings),
        settings,
        environment,
    )


def table(content: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object of a JSON object; an empty one if it is not there, or something else."""
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _timesteps(path: PurePath, settings: dict[str, Any]) -> int | None:
    """Steps of training: from the checkpoint's number and the size of an update, else what was to be trained."""
    number, envs, steps = path.name.removeprefix(CHECKPOINT_PREFIX), settings.get("num_envs"), settings.get("num_steps")
    if number != path.name and number.isdigit() and isinstance(envs, int) and isinstance(steps, int):
        return int(number) * envs * steps
    planned = settings.get("timesteps")
    return planned if isinstance(planned, int) else None
