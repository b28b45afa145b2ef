"""The spaces of an environment, which an agent from outside needs before it can be opened; zeros of such a space."""

from typing import Any, NamedTuple, cast

import gymnasium as gym
import numpy as np

from semantic_rl.errors import UserError


class Spaces(NamedTuple):
    """What an agent sees and does, for one environment."""

    observation: gym.Space[Any]
    action: gym.Space[Any]


def spaces_of(env: Any) -> Spaces:
    """Return the spaces of an environment: a Gymnasium id, an environment, several side by side, or Spaces.

    Raises UserError if it is something else, or if there is no such environment.
    """
    if isinstance(env, Spaces):
        return env
    if isinstance(env, str):
        return _spaces_of_id(env)
    for prefix in ("single_", ""):
        found = [getattr(env, f"{prefix}{name}_space", None) for name in ("observation", "action")]
        if all(isinstance(space, gym.Space) for space in found):
            return Spaces(*cast(list[gym.Space[Any]], found))
    raise UserError(
        f"env: got {type(env).__name__}, expected the id of a Gymnasium environment, or an environment with "
        "observation_space and action_space."
    )


def _spaces_of_id(name: str) -> Spaces:
    try:
        env = gym.make(name)
    except (gym.error.Error, ImportError) as error:
        raise UserError(f"env: '{name}' cannot be made: {error}") from error
    try:
        return Spaces(env.observation_space, env.action_space)
    finally:
        env.close()


def zeros(space: gym.Space[Any], num_rows: int) -> Any:
    """Return observations [num_rows, …] of a space that hold zeros, or the least that is allowed above it."""
    if isinstance(space, gym.spaces.Dict):
        return {name: zeros(part, num_rows) for name, part in space.spaces.items()}
    if space.shape is None:
        raise UserError(f"observation_space: {space} is not supported; expected arrays of numbers, or a Dict of them.")
    least = np.zeros(space.shape, space.dtype)
    if isinstance(space, gym.spaces.Box):
        least = np.clip(least, space.low, space.high).astype(space.dtype)
    return np.stack([least] * num_rows)
