"""The environments of a recording: separate ones, so that each can stop or be restored independently of the others."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from semantic_rl.config import EnvConfig, to_dict
from semantic_rl.envs.base import EnvStep
from semantic_rl.envs.procgen.spec import procgen_spec
from semantic_rl.envs.procgen.vector_env import ProcgenVectorEnv
from semantic_rl.envs.spec import EnvSpec


class RecordableEnv(Protocol):
    """One environment, with a batch axis of 1, that can also show itself to people."""

    def act(self, actions: NDArray[Any]) -> None:
        """Begin a step with actions [1, …]; `observe` returns its result."""
        ...

    def observe(self) -> EnvStep:
        """Wait for the step begun by `act` and return its result."""
        ...

    def frames(self) -> NDArray[np.uint8]:
        """Return a picture [1, H, W, 3] of the last observation."""
        ...

    def close(self) -> None:
        """Free the environment."""
        ...


class RestorableEnv(RecordableEnv, Protocol):
    """An environment whose state can be saved and restored exactly; the next episode begins where one ends."""

    def state(self) -> list[bytes]:
        """Return the complete state; may be called only between `observe` and `act`."""
        ...

    def restore(self, state: list[bytes]) -> None:
        """Restore what `state` returned."""
        ...


class SeededEnv(RecordableEnv, Protocol):
    """An environment whose episodes are begun with a seed each, after which `observe` returns the first step."""

    def begin(self, seed: int) -> None:
        """Begin an episode."""
        ...

    @property
    def has_action_masks(self) -> bool:
        """It says which actions are allowed."""
        ...

    def action_masks(self) -> NDArray[np.bool_]:
        """Return which choices are allowed now, [1, number of choices]."""
        ...

    def agent_observation(self) -> Any:
        """Return what the agent sees of the last observation: an array [1, …], or a dictionary of arrays."""
        ...


class EnvSource(NamedTuple):
    """Makes the environments of a recording."""

    spec: EnvSpec
    settings: dict[str, Any]
    """What is written into `recording.json` as `environment`."""
    make: Callable[[int], Any]
    """Makes an environment from a seed: a `RestorableEnv` if the spec says so, else a `SeededEnv`."""
    make_rendering: Callable[..., Any]
    """Makes an environment of the same kind that also renders; a seed may be given and is not needed."""
    draws_anyway: bool = False
    """The environment draws each of its observations, so that a picture costs next to nothing while it is played."""
    make_apart: Callable[..., Any] | None = None
    """Makes an environment with `render`, True or False, and can be pickled; None if one process plays them all best.
    """
    info: tuple[str, ...] = ()
    """Keys of its info that are recorded; such an environment has their values as `info_values` after each step."""
    texts: frozenset[str] = frozenset()
    """Those of them whose values are texts."""


def procgen_source(config: EnvConfig) -> EnvSource:
    """Return the source of a Procgen game's environments."""
    settings = to_dict(config)
    return EnvSource(procgen_spec(settings), settings, partial(make_env, config), partial(make_rendering_env, config))


def make_env(config: EnvConfig, seed: int) -> RestorableEnv:
    """Make a game for playing; it steps in a thread of its own."""
    return ProcgenVectorEnv(config, 1, seed, num_threads=1)


def make_rendering_env(config: EnvConfig) -> RestorableEnv:
    """Make a game for replaying; it steps and renders in the caller's thread."""
    return ProcgenVectorEnv(config, 1, 0, num_threads=0, render=True)
