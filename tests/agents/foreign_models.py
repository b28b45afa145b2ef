"""Small models of Stable-Baselines3 and sb3-contrib, trained for a few steps: only what they compute matters."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from gymnasium.wrappers import FilterObservation
from numpy.typing import NDArray
from torch import nn

SMALL = {"net_arch": [16, 16]}


def door_key() -> gym.Env[Any, Any]:
    """Return a MiniGrid whose observation is a Dict of a picture and a direction."""
    from minigrid.wrappers import RGBImgPartialObsWrapper

    return FilterObservation(RGBImgPartialObsWrapper(gym.make("MiniGrid-Empty-5x5-v0")), ["image", "direction"])


class ManySwitches(gym.Env[NDArray[np.float32], NDArray[Any]]):
    """An environment whose actions are of whatever space it is given."""

    def __init__(self, space: gym.Space[Any]) -> None:
        self.observation_space = gym.spaces.Box(-1.0, 1.0, (3,), np.float32)
        self.action_space = space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action: NDArray[Any]) -> Any:
        return self.observation_space.sample(), 1.0, bool(self.np_random.random() < 0.1), False, {}

    def action_masks(self) -> NDArray[np.bool_]:
        """Return what is allowed: everything."""
        return np.ones(int(getattr(self.action_space, "n", 1)), np.bool_)


class Maker(NamedTuple):
    """How a model is trained."""

    env: Callable[[], gym.Env[Any, Any]]
    train: Callable[[gym.Env[Any, Any]], Any]


def _make(name: str) -> Callable[[], gym.Env[Any, Any]]:
    return lambda: gym.make(name)


def _on_policy(package: str, algorithm: str, policy: str = "MlpPolicy", **settings: Any) -> Callable[..., Any]:
    def train(env: gym.Env[Any, Any]) -> Any:
        from importlib import import_module

        chosen = deepcopy({"n_steps": 16, "seed": 1, "device": "cpu", **settings})  # the library adds to the dicts
        if algorithm != "A2C":
            chosen = {"batch_size": 16, **chosen}
        return getattr(import_module(package), algorithm)(policy, env, **chosen).learn(16)

    return train


def _off_policy(package: str, algorithm: str, **settings: Any) -> Callable[..., Any]:
    def train(env: gym.Env[Any, Any]) -> Any:
        from importlib import import_module

        chosen = {"learning_starts": 8, "buffer_size": 64, "seed": 1, "device": "cpu", "batch_size": 8, **settings}
        chosen = deepcopy(chosen)
        return getattr(import_module(package), algorithm)("MlpPolicy", env, **chosen).learn(16)

    return train


def _ars(env: gym.Env[Any, Any]) -> Any:
    from sb3_contrib import ARS

    return ARS("MlpPolicy", env, n_delta=1, seed=1, device="cpu", policy_kwargs=dict(SMALL)).learn(20)


SB3, CONTRIB = "stable_baselines3", "sb3_contrib"
RELU = {"activation_fn": nn.ReLU, "net_arch": {"pi": [16], "vf": [24, 8]}}
MAKERS: dict[str, Maker] = {
    "ppo": Maker(_make("CartPole-v1"), _on_policy(SB3, "PPO", policy_kwargs=RELU)),
    "ppo-dict": Maker(
        door_key,
        _on_policy(SB3, "PPO", "MultiInputPolicy", policy_kwargs={
            "features_extractor_kwargs": {"cnn_output_dim": 24}, "net_arch": [16]}),
    ),
    "ppo-unshared": Maker(
        door_key,
        _on_policy(SB3, "PPO", "MultiInputPolicy", policy_kwargs={
            "share_features_extractor": False, "features_extractor_kwargs": {"cnn_output_dim": 16}, "net_arch": []}),
    ),
    "ppo-gaussian": Maker(_make("Pendulum-v1"), _on_policy(SB3, "PPO", policy_kwargs=SMALL)),
    "ppo-sde": Maker(
        _make("Pendulum-v1"), _on_policy(SB3, "PPO", use_sde=True, policy_kwargs={"squash_output": True, **SMALL})
    ),
    "ppo-multi": Maker(
        lambda: ManySwitches(gym.spaces.MultiDiscrete([3, 2, 4])), _on_policy(SB3, "PPO", policy_kwargs=SMALL)
    ),
    "ppo-binary": Maker(lambda: ManySwitches(gym.spaces.MultiBinary(3)), _on_policy(SB3, "PPO", policy_kwargs=SMALL)),
    "a2c": Maker(_make("CartPole-v1"), _on_policy(SB3, "A2C", policy_kwargs=SMALL)),
    "trpo": Maker(_make("CartPole-v1"), _on_policy(CONTRIB, "TRPO", policy_kwargs=SMALL)),
    "maskable": Maker(
        lambda: ManySwitches(gym.spaces.Discrete(4)),
        _on_policy(CONTRIB, "MaskablePPO", policy_kwargs=SMALL),
    ),
    "recurrent": Maker(
        _make("CartPole-v1"),
        _on_policy(CONTRIB, "RecurrentPPO", "MlpLstmPolicy", policy_kwargs={"lstm_hidden_size": 8, **SMALL}),
    ),
    "recurrent-shared": Maker(
        _make("Pendulum-v1"),
        _on_policy(CONTRIB, "RecurrentPPO", "MlpLstmPolicy", policy_kwargs={
            "lstm_hidden_size": 8, "n_lstm_layers": 2, "shared_lstm": True, "enable_critic_lstm": False, **SMALL}),
    ),
    "dqn": Maker(_make("CartPole-v1"), _off_policy(SB3, "DQN", policy_kwargs=SMALL)),
    "qrdqn": Maker(_make("CartPole-v1"), _off_policy(CONTRIB, "QRDQN", policy_kwargs={"n_quantiles": 5, **SMALL})),
    "sac": Maker(_make("Pendulum-v1"), _off_policy(SB3, "SAC", policy_kwargs=SMALL)),
    "sac-sde": Maker(_make("Pendulum-v1"), _off_policy(SB3, "SAC", use_sde=True, policy_kwargs=SMALL)),
    "td3": Maker(_make("Pendulum-v1"), _off_policy(SB3, "TD3", policy_kwargs=SMALL)),
    "ddpg": Maker(_make("Pendulum-v1"), _off_policy(SB3, "DDPG", policy_kwargs={"net_arch": {"pi": [8], "qf": [9]}})),
    "tqc": Maker(_make("Pendulum-v1"), _off_policy(CONTRIB, "TQC", policy_kwargs={"n_quantiles": 5, **SMALL})),
    "ars": Maker(_make("CartPole-v1"), _ars),
}  # fmt: skip
"""By name: an environment and how a model is trained in it."""


def observations(env: gym.Env[Any, Any], count: int) -> Any:
    """Return observations [count, …] that an environment gave for random actions."""
    env.action_space.seed(0)
    seen = [env.reset(seed=0)[0]]
    while len(seen) < count:
        observation, _, terminated, truncated, _ = env.step(env.action_space.sample())
        seen.append(env.reset()[0] if terminated or truncated else observation)
    if isinstance(seen[0], dict):
        return {name: np.stack([one[name] for one in seen]) for name in seen[0]}
    return np.stack(seen)


def generator(seed: int = 0) -> torch.Generator:
    """Return a generator on the CPU."""
    return torch.Generator().manual_seed(seed)
