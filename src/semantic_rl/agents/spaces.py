"""The spaces of an environment, which are needed to open an agent that was trained elsewhere."""

from typing import Any, NamedTuple, cast

import gymnasium as gym
import numpy as np

from semantic_rl.envs.gymnasium import calls
from semantic_rl.envs.gymnasium.make import EnvRecipe, open_recipe
from semantic_rl.envs.gymnasium.observations import find_leaves
from semantic_rl.envs.procgen.games import GAMES, NUM_ACTIONS, OBSERVATION_SHAPE
from semantic_rl.errors import UserError


class Spaces(NamedTuple):
    """What an agent sees and does, for one environment."""

    observation: gym.Space[Any]
    action: gym.Space[Any]


def game_spaces() -> Spaces:
    """Return what an agent sees and does in each of Procgen's games."""
    return Spaces(gym.spaces.Box(0, 255, OBSERVATION_SHAPE, np.uint8), gym.spaces.Discrete(NUM_ACTIONS))


def spaces_of(env: Any) -> Spaces:
    """Return the spaces of an environment, which is made for this purpose if only its name is given.

    `env` is what a user types (a Gymnasium id, a Procgen game or file.py:function), a recipe, an environment, several
    side by side, or Spaces. Raises UserError if it is something else, or if there is no such environment.
    """
    if isinstance(env, Spaces):
        return env
    if isinstance(env, str) and env in GAMES:
        return game_spaces()
    if isinstance(env, str):
        env = open_recipe(env, {}, (), None, None)
    if isinstance(env, EnvRecipe):
        made = env.make(render=False)
        try:
            return Spaces(made.observation_space, made.action_space)
        finally:
            calls.close(made)
    for prefix in ("single_", ""):
        found = [getattr(env, f"{prefix}{name}_space", None) for name in ("observation", "action")]
        if all(isinstance(space, gym.Space) for space in found):
            return Spaces(*cast(list[gym.Space[Any]], found))
    raise UserError(
        f"env: got {type(env).__name__}, expected the id of a Gymnasium environment, or an environment with "
        "observation_space and action_space."
    )


def zeros(space: gym.Space[Any], num_rows: int) -> Any:
    """Return observations [num_rows, …] of a space that hold zeros, in the form in which environments are read."""
    leaves = find_leaves(space, "observation_space")
    arrays = {leaf.name: np.zeros((num_rows, *leaf.shape), leaf.dtype) for leaf in leaves}
    return arrays if isinstance(space, gym.spaces.Dict | gym.spaces.Tuple) else arrays[leaves[0].name]
