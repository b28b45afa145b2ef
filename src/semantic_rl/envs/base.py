"""The interface of vectorised environments.

Axes: N environments. Autoreset is same-step: the reward that ends an episode comes with the first observation of the
next one. `act` returns at once and `observe` waits, so that a caller can use the time in between.
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class EnvStep(NamedTuple):
    """The result of one step of all environments."""

    observation: NDArray[np.uint8]
    """[N, H, W, 3]; where an episode ended, the first observation of the next one."""
    reward: NDArray[np.float32]
    """[N], raw."""
    terminated: NDArray[np.bool_]
    """[N]: the game ended the episode."""
    truncated: NDArray[np.bool_]
    """[N]: an external limit ended the episode."""
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
        """Begin a step with actions [N]; `observe` returns its result."""
        ...

    def observe(self) -> EnvStep:
        """Wait for the step begun by `act` and return its result; before the first step, the initial observation."""
        ...

    def state(self) -> list[bytes]:
        """Return the complete state of each environment; may be called only between `observe` and `act`."""
        ...

    def restore(self, state: list[bytes]) -> None:
        """Restore what `state` returned; `observe` then returns the same result as it did then."""
        ...

    def close(self) -> None:
        """Free the environments."""
        ...
