"""Makes a batch to learn from out of a rollout: estimates advantages and returns, and flattens all columns."""

from typing import NamedTuple

import torch
from torch import Tensor

from semantic_rl.config import PPOConfig
from semantic_rl.training.advantages import explained_variance, generalized_advantages
from semantic_rl.training.device import to_device
from semantic_rl.training.rollout import Rollout


class Batch(NamedTuple):
    """One rollout, flattened to S = T·N states, on the device."""

    observation: Tensor
    """[S, H, W, 3], uint8"""
    action: Tensor
    log_prob: Tensor
    value: Tensor
    advantage: Tensor
    returns: Tensor

    def take(self, indices: Tensor) -> "Batch":
        """Return the states [B] of one minibatch."""
        return Batch(*(tensor[indices] for tensor in self))


def make_batch(rollout: Rollout, ppo: PPOConfig) -> tuple[Batch, float]:
    """Return a rollout as a batch, and the explained variance of its values."""
    values = rollout.value.cpu().numpy()
    advantages = generalized_advantages(
        rollout.reward, values, rollout.done, rollout.next_value, ppo.gamma, ppo.gae_lambda
    )
    returns = advantages + values
    estimates = (to_device(torch.from_numpy(array), rollout.value.device) for array in (advantages, returns))
    columns = (rollout.observation, rollout.action, rollout.log_prob, rollout.value, *estimates)
    return Batch(*(column.flatten(0, 1) for column in columns)), explained_variance(values, returns)
