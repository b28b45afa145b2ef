"""The protocol between environments and whoever plays them.

Axes: N environments. Autoreset is same-step: with the reward that ends an episode comes the first observation of
the next one. `act` returns at once and `observe` waits, so that a caller can use the time between.
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class EnvStep(NamedTuple):
    """What one step of all environments gave."""

    observation: NDArray[np.uint8]
    """[N, H, W, 3]; where an episode ended, the first of the next one."""
    reward: NDArray[np.float32]
    """[N], raw."""
    terminated: NDArray[np.bool_]
    """[N]: the game ended the episode."""
    truncated: NDArray[np.bool_]
    """[N]: a limit from outside ended it."""
    success: NDArray[np.bool_]
    """[N]: the episode that ended here reached the level's goal (False where none ended)."""
    level_seed: NDArray[np.int64]
    """[N]: level of the observation."""

    @property
    def done(self) -> NDArray[np.bool_]:
        """[N]: an episode ended."""
        return self.terminated | self.truncated


class VectorEnv(Protocol):
    """N environments that step together."""

    num_envs: int
    num_actions: int
    observation_shape: tuple[int, int, int]

    def act(self, actions: NDArray[np.integer]) -> None:
        """Begin a step with actions [N]; `observe` gives its outcome."""
        ...

    def observe(self) -> EnvStep:
        """Wait for the step begun by `act`; before the first one, the initial observation."""
        ...

    def state(self) -> list[bytes]:
        """Everything that decides what follows, one item an environment; only between `observe` and `act`."""
        ...

    def restore(self, state: list[bytes]) -> None:
        """Go back to what `state` returned; `observe` then gives what it gave then."""
        ...

    def close(self) -> None:
        """Free the environments."""
        ...
