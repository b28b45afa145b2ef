"""PPO's clipped surrogate objective (Schulman et al., 2017) with a clipped value loss."""

from typing import NamedTuple

import torch
from torch import Tensor

from semantic_rl.config import PPOConfig
from semantic_rl.shapes import check_shapes, check_types


class PPOLoss(NamedTuple):
    """Scalars of one minibatch; the last two carry no gradient."""

    policy_loss: Tensor
    value_loss: Tensor
    entropy: Tensor
    approx_kl: Tensor
    """0.5·mean((log π_old − log π)²), as baselines measures it."""
    clip_fraction: Tensor


def ppo_loss(
    logits: Tensor,
    value: Tensor,
    actions: Tensor,
    old_log_prob: Tensor,
    old_value: Tensor,
    advantages: Tensor,
    returns: Tensor,
    clip_range: float = PPOConfig.clip_range,
) -> PPOLoss:
    """Compute the losses of a minibatch: logits [B, A], everything else [B].

    `advantages` are used as given: call `normalize_advantages` first. Raises ValueError for other shapes and for
    actions that are not int64.
    """
    check_shapes(
        "ppo_loss",
        logits=(logits, "B A"),
        value=(value, "B"),
        actions=(actions, "B"),
        old_log_prob=(old_log_prob, "B"),
        old_value=(old_value, "B"),
        advantages=(advantages, "B"),
        returns=(returns, "B"),
    )
    check_types("ppo_loss", {"logits": logits}, {"actions": actions})
    log_probs = logits.log_softmax(1)
    log_prob = log_probs.gather(1, actions.unsqueeze(1)).squeeze(1)
    entropy = -(log_probs.exp() * log_probs).sum(1).mean()

    log_ratio = log_prob - old_log_prob
    ratio = log_ratio.exp()
    clipped_ratio = ratio.clamp(1 - clip_range, 1 + clip_range)
    policy_loss = torch.maximum(-advantages * ratio, -advantages * clipped_ratio).mean()

    clipped_value = old_value + (value - old_value).clamp(-clip_range, clip_range)
    value_loss = 0.5 * torch.maximum((value - returns).square(), (clipped_value - returns).square()).mean()

    with torch.no_grad():
        approx_kl = 0.5 * log_ratio.square().mean()
        clip_fraction = ((ratio - 1).abs() > clip_range).float().mean()
    return PPOLoss(policy_loss, value_loss, entropy, approx_kl, clip_fraction)


def normalize_advantages(advantages: Tensor) -> Tensor:
    """Scale advantages [B] to mean 0 and (population) standard deviation 1; a single one becomes 0."""
    check_shapes("normalize_advantages", advantages=(advantages, "B"))
    return (advantages - advantages.mean()) / (advantages.std(correction=0) + 1e-8)
