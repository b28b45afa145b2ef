"""Environments and agents of users that a recording can hold only in part, or not at all."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from semantic_rl.agents.protocol import AgentStep

VECTOR = spaces.Box(-1, 1, (4,), np.float32)
LENGTH = 7


class Env(gym.Env[Any, Any]):
    """Draws observations; an episode has LENGTH steps."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    reward = 1.0

    def __init__(self, observation: gym.Space[Any] = VECTOR, action: gym.Space[Any] | None = None) -> None:
        self.render_mode = "rgb_array"
        self.observation_space, self.action_space = observation, action or spaces.Discrete(3)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        self.num_steps = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        self.num_steps += 1
        return self.observation_space.sample(), self.reward, self.num_steps == LENGTH, False, {}

    def render(self) -> Any:
        return np.full((64, 64 + 8 * self.num_steps, 3), 200, np.uint8)


def empty(render_mode: str | None = None) -> Env:
    return Env(spaces.Box(-1, 1, (0,)))


def empty_part(render_mode: str | None = None) -> Env:
    return Env(spaces.Dict({"a": spaces.Box(-1, 1, (0,)), "b": VECTOR}))


def nine_axes(render_mode: str | None = None) -> Env:
    return Env(spaces.Box(-1, 1, (1,) * 9))


def many_parts(render_mode: str | None = None) -> Env:
    return Env(spaces.Dict({f"part {index}": spaces.Box(-1, 1, (2,)) for index in range(70)}))


def many_actions(render_mode: str | None = None) -> Env:
    return Env(action=spaces.Discrete(100_000))


def great_rewards(render_mode: str | None = None) -> Env:
    env = Env()
    env.reward = 2e38
    return env


def plain(render_mode: str | None = None, **arguments: Any) -> Env:
    return Env()


class Agent:
    """Always takes the first action; attributes can be replaced."""

    def __init__(self, env: gym.Env[Any, Any], num_features: int = 3, **attributes: Any) -> None:
        self.observation_space, self.action_space = env.observation_space, env.action_space
        self.policy_kind, self.layer, self.num_features, self.sha256 = "unknown", "x", num_features, "0" * 64
        for name, value in attributes.items():
            setattr(self, name, value)

    def initial_state(self, num_envs: int) -> None:
        return None

    def act(self, observation: Any, state: Any, starts: Any, generator: Any, deterministic: bool) -> AgentStep:
        count = len(starts)
        action = np.zeros((count, *(self.action_space.shape or ())), self.action_space.dtype)
        features = np.arange(count * self.num_features, dtype=np.float32).reshape(count, -1)
        policy = np.zeros((count, 3), np.float32) if self.policy_kind != "unknown" else None
        return AgentStep(action, features, policy, None, None)
