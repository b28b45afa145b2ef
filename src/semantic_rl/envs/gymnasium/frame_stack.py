"""Stacks the last observations of an episode along their last axis, as Stable-Baselines3's VecFrameStack does.

Before the episode's first observation there are zeros. Images whose channels come first are stacked along these.
"""

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from semantic_rl.envs.gymnasium.observations import as_array
from semantic_rl.errors import UserError


class FrameStack(gym.Wrapper[Any, Any, Any, Any]):
    """The last `num_frames` observations as one: [84, 84, 1] becomes [84, 84, 4], and [24] becomes [96]."""

    def __init__(self, env: gym.Env[Any, Any], num_frames: int) -> None:
        super().__init__(env)
        space = env.observation_space
        self._parts = dict(space.spaces) if isinstance(space, gym.spaces.Dict) else {"": space}
        for name, part in self._parts.items():
            if not isinstance(part, gym.spaces.Box) or not part.shape:
                raise UserError(f"wrap: 'frame-stack' needs arrays, got {part}{f' of {name}' if name else ''}.")
        self._num_frames = num_frames
        self._axes = {name: 0 if _has_channels_first(part) else -1 for name, part in self._parts.items()}
        self._stacks: dict[str, NDArray[Any]] = {}
        """In C order, whatever that of the observations is: `_push` moves a stack's memory."""
        self._stacked: dict[str, Any] = {name: self._stacked_space(name, part) for name, part in self._parts.items()}
        self._is_dict = isinstance(space, gym.spaces.Dict)
        self.observation_space = gym.spaces.Dict(self._stacked) if self._is_dict else self._stacked[""]

    def _stacked_space(self, name: str, part: Any) -> gym.spaces.Box:
        low, high = (np.repeat(bound, self._num_frames, axis=self._axes[name]) for bound in (part.low, part.high))
        return gym.spaces.Box(low, high, dtype=part.dtype)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._stacks = {name: np.zeros(space.shape, space.dtype) for name, space in self._stacked.items()}
        return self._push(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._push(observation), reward, terminated, truncated, info

    def _array(self, name: str, observation: Any) -> NDArray[Any]:
        """Return a part of an observation as its space says; raises ValueError, which says what it is instead."""
        space: Any = self._parts[name]
        value = observation[name] if self._is_dict else observation
        if type(value) is np.ndarray and value.dtype == space.dtype and value.shape == space.shape:
            return value
        try:
            return as_array(value, space.shape, space.dtype)
        except ValueError as error:
            part = f"'{name}' of the observation" if self._is_dict else "the observation"
            raise ValueError(f"{part} {error}; its space says {space.dtype} of the shape {space.shape}") from None

    def _push(self, observation: Any) -> Any:
        """Return the stack, a new array, with an observation at its end."""
        for name in self._parts:
            array = self._array(name, observation)
            before = self._stacks[name]
            self._stacks[name] = stack = np.empty_like(before)
            # Moved as one block, whichever the axis: what ends up in the last frame's place is written over.
            size = array.size if self._axes[name] == 0 else array.shape[-1]
            stack.reshape(-1)[:-size] = before.reshape(-1)[size:]
            if self._axes[name] == 0:
                stack[-len(array) :] = array
            else:
                stack[..., -size:] = array
        return dict(self._stacks) if self._is_dict else self._stacks[""]


def _has_channels_first(part: Any) -> bool:
    """Say whether a space is of images [C, H, W], where Stable-Baselines3 looks for the channels too."""
    if part.dtype != np.uint8 or len(part.shape) != 3 or not (np.all(part.low == 0) and np.all(part.high == 255)):
        return False
    return int(np.argmin(part.shape)) == 0
