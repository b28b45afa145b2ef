"""Reads from a recording which agent was recorded; fields are missing if the recording was edited by hand."""

import math
from pathlib import PurePath
from typing import Any, NamedTuple

from semantic_rl.artifacts import CHECKPOINT_PREFIX, CHECKPOINTS_FOLDER
from semantic_rl.envs.spec import as_typed
from semantic_rl.recording.store.description import is_of_procgen
from semantic_rl.recording.store.reader import Recording

OF_ANY_ENVIRONMENT = ("env", "num_envs", "wrappers")
"""Settings that are not arguments of the environment."""


class AgentInfo(NamedTuple):
    """The recorded agent."""

    name: str
    """Name of the agent's folder, without the path, which would describe the machine rather than the agent."""
    algorithm: str
    """In its usual spelling: SPPO, PPO; the class of a network that others trained; empty if it is unknown."""
    layer: str | None
    """The recorded layer; None if the recording does not say."""
    sha256: str
    """Hash of its weights; empty if the recording does not say."""
    timesteps: int | None
    """Number of environment steps it was trained for; None if unknown."""
    settings: dict[str, Any]
    """Settings of its training."""
    environment: dict[str, Any]
    """Settings of the environment that was played."""


def agent_info(recording: Recording) -> AgentInfo:
    """Return what the recording says about its agent."""
    agent, environment = table(recording.description, "agent"), _environment(recording)
    settings = table(agent, "config")
    path = PurePath(str(agent.get("path", "")))
    folder = path.parent.parent if path.parent.name == CHECKPOINTS_FOLDER else path
    algorithm = str(agent.get("algorithm", "sppo" if recording.num_codes else "ppo"))
    return AgentInfo(
        str(agent.get("name") or folder.name),
        algorithm.upper() if algorithm.islower() else algorithm,
        (agent["layer"] or None) if isinstance(agent.get("layer"), str) else None,
        str(agent.get("sha256", "")),
        _timesteps(path, agent, settings),
        settings,
        environment,
    )


def have_same_agent(first: Recording, second: Recording) -> bool:
    """Say whether two recordings are of the same agent; False if that is not known."""
    sha256 = agent_info(first).sha256
    return bool(sha256) and sha256 == agent_info(second).sha256


def have_same_features(first: Recording, second: Recording) -> bool:
    """Say whether the features of two recordings come from the same layer of the same agent."""
    layers = {agent_info(recording).layer for recording in (first, second)}
    return have_same_agent(first, second) and len(layers) == 1


def _environment(recording: Recording) -> dict[str, Any]:
    """Return the settings of the environment; its arguments, which earlier versions wrote among them, as one text."""
    found = table(recording.description, "environment")
    if is_of_procgen(recording.description):
        return found
    typed = {"env_args": as_typed(recording.spec.arguments)} if recording.spec.arguments else {}
    return {name: found[name] for name in OF_ANY_ENVIRONMENT if name in found} | typed


def table(content: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object nested in a JSON object; an empty one if it is missing or of another type."""
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _timesteps(path: PurePath, agent: dict[str, Any], settings: dict[str, Any]) -> int | None:
    """Return the steps that the agent was trained for, which may be fewer than its settings planned; None if unknown.

    Older recordings do not say: there it is the checkpoint's update, or the number in its name, times the size of an
    update. An imported agent has 0, since its file does not say.
    """
    if isinstance(agent.get("timesteps"), int):
        return agent["timesteps"] or None
    number = path.name.removeprefix(CHECKPOINT_PREFIX)
    named = int(number) if number != path.name and number.isdecimal() else None
    factors = [agent.get("update", named), settings.get("num_envs"), settings.get("num_steps")]
    known = [factor for factor in factors if isinstance(factor, int)]
    return (math.prod(known) or None) if len(known) == len(factors) else None
