"""Procgen through procgen-gym, the maintained Gymnasium port.

Its `step` waits for the games. The library beneath it takes actions and returns observations in separate calls, which
lets games and network run at the same time; this is the only place where we use procgen-gym's internals.
"""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_rl.config import EnvConfig
from semantic_rl.envs.base import EnvStep
from semantic_rl.errors import UserError

GAMES_PYTHON = (3, 13)
"""The only Python that procgen-gym has wheels for."""


def missing_games(python: tuple[int, int]) -> str:
    """Return a message that the games are not installed, with advice for this version of Python."""
    missing = "procgen-gym, from which the games come, is not installed"
    if python == GAMES_PYTHON:
        return f"{missing}: pip install 'procgen-gym>=0.1.1,<0.2'."
    return (
        f"{missing}; it comes for CPython 3.13 alone, and this is Python {python[0]}.{python[1]}: install semantic-rl "
        "with Python 3.13 to play. What plays no game works with this one."
    )


class ProcgenVectorEnv:
    """N copies of one Procgen game; implements `envs.base.VectorEnv`.

    With `render`, `frames()` returns 512×512 pictures after each `observe`.
    """

    observation_shape: tuple[int, int, int] = (64, 64, 3)
    num_actions = 15

    def __init__(self, config: EnvConfig, num_envs: int, seed: int, num_threads: int = 1, render: bool = False) -> None:
        try:
            from procgen_gym import ProcgenVecEnv
        except ImportError as error:
            raise UserError(missing_games(sys.version_info[:2])) from error
        self.num_envs = num_envs
        self._games: Any = ProcgenVecEnv(
            num_envs=num_envs,
            env_name=config.env,
            distribution_mode=config.distribution_mode,
            num_levels=config.num_levels,
            start_level=config.start_level,
            rand_seed=seed,
            num_threads=num_threads,
            render_mode="rgb_array" if render else None,
        )
        self._library: Any = self._games._clib

    def act(self, actions: NDArray[np.integer]) -> None:
        """Begin a step with actions [N] in 0–14."""
        self._library.act(actions)

    def observe(self) -> EnvStep:
        """Wait for the step; the returned arrays belong to the caller."""
        first, observation, reward, info = self._library.observe()
        terminated = first.astype(np.bool_)
        return EnvStep(
            observation=observation["rgb"],
            reward=reward,
            terminated=terminated,
            truncated=np.zeros_like(terminated),
            success=terminated & (info["prev_level_complete"] != 0),
            level_seed=info["level_seed"].astype(np.int64),
        )

    def frames(self) -> NDArray[np.uint8]:
        """Return high-resolution pictures [N, 512, 512, 3] of the last observation; needs `render`."""
        frames: NDArray[np.uint8] = self._library.get_info_bufs()["rgb"].copy()
        return frames

    def state(self) -> list[bytes]:
        """Return the state of each game, including its level and random generators."""
        states: list[bytes] = self._games.get_state()
        return states

    def restore(self, state: list[bytes]) -> None:
        """Restore what `state` returned."""
        self._games.set_state(state)

    def close(self) -> None:
        """Free the games."""
        self._games.close()
