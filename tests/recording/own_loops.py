"""Loops of a user's own: random actions in CartPole, features of a fixed linear map."""

from typing import Any

import gymnasium as gym
import numpy as np

NUM_FEATURES = 12
WEIGHTS = np.random.default_rng(0).normal(size=(4, NUM_FEATURES))


def play(seed: int, with_pictures: bool = False, limit: int = 500) -> dict[str, Any]:
    """Play an episode; return what `add_episode` takes."""
    env = gym.make("CartPole-v1", render_mode="rgb_array" if with_pictures else None, max_episode_steps=limit)
    env.action_space.seed(seed)
    found: dict[str, Any] = {name: [] for name in ("observations", "actions", "features", "rewards", "values")}
    angles, sides, pictures = list[float](), list[str](), list[np.ndarray]()
    observation, _ = env.reset(seed=seed)
    terminated = truncated = False
    while not terminated and not truncated:
        action = env.action_space.sample()
        found["observations"].append(observation)
        found["actions"].append(action)
        found["features"].append(np.tanh(observation @ WEIGHTS))
        found["values"].append(float(observation[0]))
        angles.append(float(observation[2]))
        sides.append("leans left" if observation[2] < 0 else "leans right")
        if with_pictures:
            pictures.append(env.render())  # pyright: ignore[reportArgumentType]
        observation, reward, terminated, truncated, _ = env.step(action)
        found["rewards"].append(reward)
    env.close()
    found |= {"terminated": terminated, "truncated": truncated, "extra": {"angle": angles, "side": sides}}
    return found | ({"pictures": np.array(pictures)} if with_pictures else {})
