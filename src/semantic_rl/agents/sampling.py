"""Chooses actions from the columns of a policy, by the kinds that `protocol.PolicyKind` lists.

All randomness comes from the given generator; PyTorch's global generator is not used.
"""

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semantic_rl.agents.protocol import PolicyKind
from semantic_rl.errors import UserError


def choose_actions(
    kind: PolicyKind,
    columns: Tensor,
    space: gym.Space[Any],
    generator: torch.Generator,
    deterministic: bool,
    random_action_probability: float = 0.0,
) -> NDArray[Any]:
    """Return actions [B, *space.shape] for columns [B, P], most likely or drawn; raises UserError for kind unknown.

    Discrete actions are counted from 0, wherever their space begins. For Q-values, the action is the greatest; if
    actions are drawn, a uniformly random one takes its place with `random_action_probability`, as in training.
    """
    draw = None if deterministic else generator
    match kind:
        case "categorical":
            action = most_likely(columns) if draw is None else draw_categories(columns, draw)
        case "multi_categorical":
            parts = columns.split(choices_of(space), 1)
            chosen = [most_likely(part) if draw is None else draw_categories(part, draw) for part in parts]
            action = torch.stack(chosen, 1)
        case "q_values":
            action = columns.argmax(1)
            if draw is not None and random_action_probability:
                action = _replace_at_random(action, columns.shape[1], random_action_probability, draw)
        case "gaussian":
            return clip_to(space, _gaussian(columns, draw))
        case "squashed_gaussian":
            return stretch_over(space, _gaussian(columns, draw).tanh())
        case "beta":
            return stretch_over(space, 2.0 * _beta(columns, draw) - 1.0)
        case "deterministic":
            if isinstance(space, gym.spaces.Box):
                return clip_to(space, columns)
            action = columns.argmax(1)
        case "unknown":
            raise UserError("policy_kind: 'unknown' says nothing about how to choose an action.")
    return action.cpu().numpy().reshape(-1, *_shape(space)).astype(space.dtype or np.int64, copy=False)


def choices_of(space: gym.Space[Any]) -> list[int]:
    """Return how many choices each part of a multi-discrete or binary action has."""
    if isinstance(space, gym.spaces.MultiDiscrete):
        return [int(count) for count in space.nvec.ravel()]
    if isinstance(space, gym.spaces.MultiBinary):
        return [2] * int(np.prod(space.shape))
    if isinstance(space, gym.spaces.Discrete):
        return [int(space.n)]
    raise UserError(f"action_space: {space} has no choices; expected Discrete, MultiDiscrete or MultiBinary.")


def most_likely(logits: Tensor) -> Tensor:
    """Return the most likely categories [B] under logits [B, A]; of equal probabilities the first, as SB3 does."""
    return torch.softmax(logits - logits.logsumexp(1, keepdim=True), 1).argmax(1)


def draw_categories(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Draw categories [B] under logits [B, A]: the greatest of the logits plus Gumbel noise."""
    exponential = torch.empty(logits.shape, device=generator.device).exponential_(generator=generator)
    return (logits - exponential.to(logits.device).log()).argmax(1)


def normal(like: Tensor, generator: torch.Generator) -> Tensor:
    """Return standard normal numbers of the shape and on the device of a tensor."""
    return torch.randn(like.shape, generator=generator, device=generator.device).to(like.device)


def clip_to(space: gym.Space[Any], action: Tensor) -> NDArray[Any]:
    """Return actions [B, *space.shape] clipped to the bounds of their space."""
    assert isinstance(space, gym.spaces.Box)
    return np.clip(_as_array(space, action), space.low, space.high)


def stretch_over(space: gym.Space[Any], action: Tensor) -> NDArray[Any]:
    """Return actions [B, *space.shape] of −1 to 1 stretched over the bounds of their space, which must be finite."""
    assert isinstance(space, gym.spaces.Box)
    return space.low + (0.5 * (_as_array(space, action) + 1.0) * (space.high - space.low))


def _as_array(space: gym.spaces.Box, action: Tensor) -> NDArray[Any]:
    return action.cpu().numpy().reshape(-1, *space.shape)


def _shape(space: gym.Space[Any]) -> tuple[int, ...]:
    return space.shape or ()


def _gaussian(columns: Tensor, draw: torch.Generator | None) -> Tensor:
    mean, log_std = columns.chunk(2, 1)
    return mean if draw is None else mean + log_std.exp() * normal(mean, draw)


def _beta(columns: Tensor, draw: torch.Generator | None) -> Tensor:
    """Return numbers [B, A] of 0 to 1: the means, or drawn as x / (x + y) of two gamma variables."""
    alpha, beta = columns.chunk(2, 1)
    if draw is None:
        return alpha / (alpha + beta)
    drawn = torch._standard_gamma(columns.to(draw.device), generator=draw).to(columns.device)  # pyright: ignore
    x, y = drawn.chunk(2, 1)
    return x / (x + y)


def _replace_at_random(action: Tensor, num_actions: int, probability: float, draw: torch.Generator) -> Tensor:
    replaced = torch.rand(action.shape, generator=draw, device=draw.device) < probability
    uniform = torch.randint(num_actions, action.shape, generator=draw, device=draw.device)
    return torch.where(replaced.to(action.device), uniform.to(action.device), action)
