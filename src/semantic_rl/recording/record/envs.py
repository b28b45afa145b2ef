"""The environments of a recording: separate ones, so that each can stop or be restored independently of the others."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semantic_rl.config import EnvConfig
from semantic_rl.envs.base import VectorEnv
from semantic_rl.envs.procgen.vector_env import ProcgenVectorEnv


class RecordableEnv(VectorEnv, Protocol):
    """An environment that can also render high-resolution pictures."""

    def frames(self) -> NDArray[np.uint8]:
        """Return pictures [N, H, H, 3] of the last observation."""
        ...


def make_env(config: EnvConfig, seed: int) -> RecordableEnv:
    """Make an environment for playing; it steps in a thread of its own."""
    return ProcgenVectorEnv(config, 1, seed, num_threads=1)


def make_rendering_env(config: EnvConfig) -> RecordableEnv:
    """Make an environment for replaying; it steps and renders in the caller's thread."""
    return ProcgenVectorEnv(config, 1, 0, num_threads=0, render=True)
