"""The interface of vectorised environments.

Axes: N environments. Autoreset is same-step: the reward that ends an episode comes with the first observation of the
next one. `act` returns at once and `observe` waits, so that a caller can use the time in between.

`observe` returns arrays of the caller's own. A rollout copies what it keeps anyway, so it reads the environments' own
memory instead: `LendingEnv`.
"""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


class EnvStep(NamedTuple):
    """The result of one step of all environments."""

    observation: Any
    """An array [N, …], of the games uint8 [N, H, W, 3], or a dictionary of such arrays. Where an episode ended, the
    first observation of the next one if the environments begin it themselves."""
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


class StepBuffers(NamedTuple):
    """The memory of a `LendingEnv`, always the same arrays; `wait` completes their content and `act` ends it."""

    observation: NDArray[np.uint8]
    """[N, H, W, 3], as in `EnvStep`."""
    reward: NDArray[np.float32]
    """[N], raw."""
    done: NDArray[np.uint8]
    """[N]: not 0 where an episode ended."""
    is_complete: NDArray[np.uint8]
    """[N]: where an episode ended, not 0 if it reached the level's goal; elsewhere without meaning."""


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


@runtime_checkable
class LendingEnv(Protocol):
    """Environments that let a caller read their own memory; each is a `VectorEnv` too."""

    buffers: StepBuffers

    def act(self, actions: NDArray[np.integer]) -> None:
        """Begin a step with actions [N]; `wait` completes it."""
        ...

    def wait(self) -> None:
        """Wait for the step begun by `act`; `buffers` then hold what `observe` would return."""
        ...


def lend(env: VectorEnv) -> LendingEnv:
    """Return environments that lend their memory; for others, memory that each step is copied to."""
    return env if isinstance(env, LendingEnv) else _CopyingEnv(env)


class _CopyingEnv:
    """Lends a copy of what an environment's `observe` returns."""

    def __init__(self, env: VectorEnv) -> None:
        self._env = env
        size = env.num_envs
        self.buffers = StepBuffers(
            np.zeros((size, *env.observation_shape), np.uint8),
            np.zeros(size, np.float32),
            np.zeros(size, np.uint8),
            np.zeros(size, np.uint8),
        )

    def act(self, actions: NDArray[np.integer]) -> None:
        self._env.act(actions)

    def wait(self) -> None:
        step = self._env.observe()
        for buffer, array in zip(self.buffers, (step.observation, step.reward, step.done, step.success), strict=True):
            buffer[:] = array
