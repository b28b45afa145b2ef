"""Rebuilds the policy network of a Stable-Baselines3 zip without opening the pickles in it.

The class comes from `sb3_policy_class`, its arguments from `sb3_arguments`, the spaces from the environment.
"""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn

from semantic_rl.agents.sb3_arguments import policy_arguments
from semantic_rl.agents.sb3_policy_class import PolicyClass, cannot, policy_class_of
from semantic_rl.agents.sb3_spaces import described_space, in_words, policy_spaces
from semantic_rl.agents.sb3_zip import Sb3File
from semantic_rl.agents.spaces import Spaces
from semantic_rl.errors import UserError, on_one_line
from semantic_rl.input_places import shown_path


def build_policy(file: Sb3File, spaces: Spaces) -> nn.Module:
    """Return the policy of a zip with its weights, in eval mode, on the CPU, for an environment's spaces.

    Raises UserError if its class or a part of it is not the library's, or if the spaces do not fit.
    """
    where = policy_class_of(file)
    wanted = policy_spaces(spaces)
    weights = complete_names(file.weights)
    arguments = policy_arguments(file, weights, where)
    _check_kinds(file, where, arguments, wanted)
    policy_class: Callable[..., nn.Module] = getattr(import_module(where.module), where.name)
    before = torch.random.get_rng_state()
    try:
        policy = policy_class(wanted.observation, wanted.action, **arguments)
    except (AssertionError, RuntimeError, ValueError, NotImplementedError, TypeError, IndexError) as error:
        reason = on_one_line(str(error))[:200]
        raise UserError(
            f"{shown_path(file.path)}: no {where.name} can be made for observations {in_words(wanted.observation)} and "
            f"actions {in_words(wanted.action)} ({reason}); give the environment that it was trained on."
        ) from error
    finally:
        torch.random.set_rng_state(before)
    _load(policy, weights, file, wanted)
    return policy.eval()


def complete_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights under today's names: before version 1.7 an actor-critic had one features extractor, named once."""
    prefix = "features_extractor."
    if any(name.startswith("action_net") for name in weights) and any(name.startswith("value_net") for name in weights):
        extra = {
            f"{part}_{name}": value
            for name, value in weights.items()
            if name.startswith(prefix)
            for part in ("pi", "vf")
            if f"{part}_{name}" not in weights
        }
        return {**weights, **extra}
    return weights


def _check_kinds(file: Sb3File, where: PolicyClass, arguments: dict[str, Any], spaces: Spaces) -> None:
    """Raise UserError if the kind of a space, whatever its size, is not what the policy works with."""
    discrete = where.family in ("DQNPolicy", "QRDQNPolicy")
    continuous = where.family in ("SACPolicy", "TQCPolicy", "TD3Policy")
    is_box = isinstance(spaces.action, gym.spaces.Box)
    log_std = "log_std" in file.weights
    if (discrete and not isinstance(spaces.action, gym.spaces.Discrete)) or (
        is_box != (continuous or log_std) and where.family != "ARSPolicy"
    ):
        raise UserError(does_not_fit(file, spaces, "action"))
    name = getattr(arguments.get("features_extractor_class"), "__name__", "")
    takes_dict = name == "CombinedExtractor" or (not name and "MultiInput" in where.name)
    if takes_dict != isinstance(spaces.observation, gym.spaces.Dict):
        raise UserError(does_not_fit(file, spaces, "observation"))


def does_not_fit(file: Sb3File, spaces: Spaces, name: str) -> str:
    """Return a message: the environment's observations, or actions, are not those that the agent was trained with."""
    there = in_words(getattr(spaces, name))
    trained = described_space(file.data.get(f"{name}_space")).text
    trained = f"it was trained with {trained}" if trained else "it was trained with others"
    return (
        f"{shown_path(file.path)} does not fit the environment, whose {name} space is {there}: {trained}; give the "
        "environment that it was trained on, with the wrappers of its training."
    )


def _load(policy: nn.Module, weights: dict[str, Tensor], file: Sb3File, spaces: Spaces) -> None:
    """Put the weights into the policy; raises UserError that names the first that does not fit."""
    expected: dict[str, Tensor] = policy.state_dict()
    strange = _first(name for name in weights if name not in expected)
    missing = _first(name for name in expected if name not in weights)
    if strange or missing:
        found = f"has weights '{strange}'" if strange else f"lacks weights '{missing}'"
        cannot(file, f"it {found}, unlike the library's {type(policy).__name__} of today for these spaces")
    misfits = [name for name, value in weights.items() if value.shape != expected[name].shape]
    # Other inputs come from other observations; where only outputs differ, the actions do.
    inputs = [name for name in misfits if weights[name].shape[1:] != expected[name].shape[1:]]
    for name in [*inputs, *misfits]:
        said = does_not_fit(file, spaces, "observation" if inputs else "action")
        sizes = f"its weights '{name}' are {list(weights[name].shape)}, {list(expected[name].shape)} would fit"
        raise UserError(said.replace("; give", f" ({sizes}); give", 1))
    policy.load_state_dict(weights)


def _first(names: Iterable[str]) -> str:
    return on_one_line(next(iter(names), "")[:80])
