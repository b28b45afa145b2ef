"""The preprocessing of Atari games that Stable-Baselines3's AtariWrapper does.

An episode begins with 1 to 30 steps without an action and, where the game waits for it, with the fire button; an action
is repeated for 4 frames, whose rewards are added; the observation is the brighter of the last two frames at each pixel,
grey, as 84×84×1. Unlike in training, a lost life does not end the episode, and rewards are not clipped.
"""

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from semantic_rl.errors import UserError

MOST_NOOPS = 30
SIDE = 84
DEFAULT_SKIP = 4
NOOP, FIRE = 0, 1

Step = tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]


class AtariPreprocessing(gym.Wrapper[Any, Any, Any, Any]):
    """An Atari game with the observations that most trained agents expect; raises UserError for other environments."""

    def __init__(self, env: gym.Env[Any, Any], skip: int = DEFAULT_SKIP) -> None:
        super().__init__(env)
        meanings = getattr(env.unwrapped, "get_action_meanings", None)
        frame = env.observation_space.shape or ()
        if meanings is None or len(frame) != 3 or frame[2] != 3:
            raise UserError(f"wrap: 'atari' is for Atari games with pictures in colour; got {env}.")
        try:
            import cv2
        except ImportError as error:
            raise UserError("wrap: 'atari' needs OpenCV: pip install 'semantic-rl[atari]'.") from error
        self._cv2: Any = cv2
        self._skip = skip
        self._waits_for_fire = "FIRE" in meanings()
        self.observation_space = gym.spaces.Box(0, 255, (SIDE, SIDE, 1), np.uint8)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        frame, info = self.env.reset(seed=seed, options=options)
        for _ in range(int(self.unwrapped.np_random.integers(1, MOST_NOOPS + 1))):
            frame, _, terminated, truncated, info = self.env.step(NOOP)
            if terminated or truncated:
                frame, info = self.env.reset(seed=seed, options=options)
        if self._waits_for_fire:
            for action in (FIRE, FIRE + 1):
                frame, _, terminated, truncated, info = self._repeat(action)
                if terminated or truncated:
                    frame, info = self.env.reset(seed=seed, options=options)
        return self._observation(frame), info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Repeat an action."""
        frame, reward, terminated, truncated, info = self._repeat(action)
        return self._observation(frame), reward, terminated, truncated, info

    def _repeat(self, action: Any) -> Step:
        """Return the brighter of the last two frames, and the sum of the rewards."""
        total, frame, before = 0.0, None, None
        terminated = truncated = False
        info: dict[str, Any] = {}
        for _ in range(self._skip):
            before = frame
            frame, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            if terminated or truncated:
                break
        assert frame is not None
        return frame if before is None else np.maximum(before, frame), total, terminated, truncated, info

    def _observation(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        grey = self._cv2.cvtColor(frame, self._cv2.COLOR_RGB2GRAY)
        return self._cv2.resize(grey, (SIDE, SIDE), interpolation=self._cv2.INTER_AREA)[:, :, None]
