"""Procgen through procgen-gym, the maintained Gymnasium port.

Its `step` waits for the games. The library beneath it takes actions and returns observations in separate calls, which
lets games and network run at the same time; this is the only place where we use procgen-gym's internals.
"""

import ctypes
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_rl.config import EnvConfig
from semantic_rl.envs.base import EnvStep, StepBuffers
from semantic_rl.envs.procgen.games import NUM_ACTIONS
from semantic_rl.errors import UserError

GAMES_PYTHON = (3, 13)
"""The only Python that procgen-gym has wheels for."""


def missing_games(python: tuple[int, int]) -> str:
    """Return a message that the games are not installed, with advice for this version of Python."""
    missing = "procgen-gym, from which the games come, is not installed"
    if python == GAMES_PYTHON:
        return f"{missing}: pip install 'procgen-gym>=0.1.1,<0.2'."
    return (
        f"{missing}; it is available only for CPython 3.13, and this is Python {python[0]}.{python[1]}: install "
        "semantic-rl with Python 3.13 to play. Everything that plays no game works with this version, too."
    )


MAX_STATE_BYTES = 2**20
"""Room for the state of one game, which is what procgen-gym allows for; the states have tens of kilobytes."""

ABANDON = -1
"""Action that ends an episode: what `observe` then returns begins the next one."""

MakePictures = Callable[[tuple[int, ...]], NDArray[np.uint8]]
"""Allocates an array of a shape, in the memory that the games are to draw in."""


@contextmanager
def _drawing_in(make_pictures: MakePictures | None) -> Generator[None]:
    """Context in which procgen-gym's new games draw in memory of ours.

    procgen-gym allocates the games' memory itself, and the games accept only the first that they are given, so that it
    is exchanged in between.
    """
    if make_pictures is None:
        yield
        return
    from procgen_gym import env as package

    original: Any = package.CLibenv

    class Library(original):
        def _set_buffers(self) -> None:
            pictures = self._ob_bufs["rgb"]
            self._ob_bufs["rgb"] = make_pictures(pictures.shape)
            super()._set_buffers()

    package.CLibenv = Library
    try:
        yield
    finally:
        package.CLibenv = original


class ProcgenVectorEnv:
    """N copies of one Procgen game; implements `envs.base.VectorEnv` and `envs.base.LendingEnv`.

    With `render`, `frames()` returns 512×512 pictures after each `observe`. With `make_pictures`, the games draw their
    observations in the memory that it returns.
    """

    observation_shape: tuple[int, int, int] = (64, 64, 3)
    num_actions = NUM_ACTIONS

    def __init__(
        self,
        config: EnvConfig,
        num_envs: int,
        seed: int,
        num_threads: int = 1,
        render: bool = False,
        make_pictures: MakePictures | None = None,
    ) -> None:
        try:
            from procgen_gym import ProcgenVecEnv
        except ImportError as error:
            raise UserError(missing_games(sys.version_info[:2])) from error
        self.num_envs = num_envs
        options: dict[str, Any] = dict(config.options)
        with _drawing_in(make_pictures):
            self._games: Any = ProcgenVecEnv(
                num_envs=num_envs,
                env_name=config.env,
                distribution_mode=config.distribution_mode,
                num_levels=config.num_levels,
                start_level=config.start_level,
                rand_seed=seed,
                num_threads=num_threads,
                render_mode="rgb_array" if render else None,
                **options,
            )
        self._library: Any = self._games._clib
        self.buffers = StepBuffers(
            self._library.get_ob_bufs()["rgb"],
            self._library.get_reward_buf(),
            self._library.get_first_buf(),
            self._library.get_info_bufs()["prev_level_complete"],
        )
        self._actions: NDArray[np.int32] = self._library._ac_bufs["action"]
        self._begin_step: Callable[[int | None], None] = self._library._lib.libenv_act
        self._wait_for_step: Callable[[int | None], None] = self._library._lib.libenv_observe

    def act(self, actions: NDArray[np.integer]) -> None:
        """Begin a step with actions [N] in 0–14, or `ABANDON`."""
        self._actions[:] = actions
        self._begin_step(self._library._handle)

    def wait(self) -> None:
        """Wait for the step; `buffers` then hold its result until the next `act`."""
        self._wait_for_step(self._library._handle)

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
        # procgen-gym's get_state copies all the room of a state, a megabyte, for each game.
        room = ctypes.create_string_buffer(MAX_STATE_BYTES)
        lengths = (
            self._library.call_c_func("get_state", index, room, MAX_STATE_BYTES) for index in range(self.num_envs)
        )
        return [ctypes.string_at(room, length) for length in lengths]

    def restore(self, state: list[bytes]) -> None:
        """Restore what `state` returned."""
        self._games.set_state(state)

    def close(self) -> None:
        """Free the games."""
        self._games.close()
