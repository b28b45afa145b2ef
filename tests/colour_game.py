"""A toy environment that PPO must solve: press the one of two buttons that the picture's colour names."""

import numpy as np
import torch
from numpy.typing import NDArray

from semantic_rl.config import PPOConfig, SemanticConfig
from semantic_rl.envs.base import EnvStep
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.training.actors import RolloutBuffer
from semantic_rl.training.batch import make_batch
from semantic_rl.training.distributed import Workers
from semantic_rl.training.learner import Learner
from semantic_rl.training.rollout import Player


class ColourGame:
    """Red wants action 0, blue wants action 1; one step an episode; reward 1 or 0."""

    num_actions = 2
    observation_shape = (64, 64, 3)

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self._random = np.random.default_rng(0)
        self._colours = self._random.integers(0, 2, num_envs)
        self._reward = np.zeros(num_envs, np.float32)
        self._first = True

    def act(self, actions: NDArray[np.integer]) -> None:
        self._reward = (actions == self._colours).astype(np.float32)
        self._colours = self._random.integers(0, 2, self.num_envs)
        self._first = False

    def observe(self) -> EnvStep:
        pictures = np.zeros((self.num_envs, 64, 64, 3), np.uint8)
        pictures[np.arange(self.num_envs), :, :, 2 * self._colours] = 255
        over = np.full(self.num_envs, not self._first)
        return EnvStep(pictures, self._reward, over, np.zeros_like(over), self._reward > 0, self._colours)

    def state(self) -> list[bytes]:
        raise NotImplementedError

    def restore(self, state: list[bytes]) -> None:
        raise NotImplementedError

    def close(self) -> None:
        pass


def mean_return_after_training(num_updates: int = 12) -> float:
    """Train SPPO with λ = 1 and return the mean reward of the last 100 episodes."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    device = torch.device("cpu")
    ppo = PPOConfig(num_steps=16, num_minibatches=2)
    policy = SemanticPolicy(num_actions=2, num_codes=4)
    player = Player([ColourGame(8), ColourGame(8)], generator, device)
    buffer = RolloutBuffer(16, 16, (64, 64, 3), device)
    learner = Learner(policy, ppo, SemanticConfig(), "fp32", generator, Workers())
    for _ in range(num_updates):
        batch, _ = make_batch(player.play(policy, 16, buffer), ppo)
        learner.update(batch, semantic_weight=1.0)
    return player.monitor.statistics().mean_return
