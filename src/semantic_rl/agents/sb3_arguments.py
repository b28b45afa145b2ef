"""The arguments with which a policy of Stable-Baselines3 is rebuilt.

Sizes of layers are read from the shapes of the weights, the rest from the plain values beside the pickles. What only
matters for training (optimiser, schedules) is left out.
"""

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

import torch
from torch import Tensor, nn

from semantic_rl.agents.sb3_policy_class import PolicyClass, cannot
from semantic_rl.agents.sb3_spaces import described_space
from semantic_rl.agents.sb3_zip import Sb3File
from semantic_rl.errors import on_one_line
from semantic_rl.json_files import shown

EXTRACTORS = ("FlattenExtractor", "NatureCNN", "CombinedExtractor")
OF_TRAINING = ("net_arch", "ortho_init", "log_std_init", "optimizer_class", "optimizer_kwargs", "device", "n_critics",
               "n_quantiles", "lstm_hidden_size", "n_lstm_layers", "shared_lstm", "enable_critic_lstm",
               "share_features_extractor", "use_sde", "full_std")  # fmt: skip
"""Arguments of a policy that follow from the weights, or that only training needs."""
KEPT = ("activation_fn", "use_expln", "clip_mean", "squash_output", "normalize_images", "features_extractor_class",
        "features_extractor_kwargs", "with_bias", "lstm_kwargs")  # fmt: skip
_NAMED_CLASS = re.compile(r"<class '([\w.]+)'>")


def policy_arguments(file: Sb3File, weights: dict[str, Tensor], where: PolicyClass) -> dict[str, Any]:
    """Return the arguments of the policy class, those for sizes read from the weights."""
    kept = _plain_arguments(file)
    arguments: dict[str, Any] = {} if where.family == "ARSPolicy" else {"lr_schedule": _no_learning}
    layers = _layer_sizes(weights)
    match where.family:
        case "ActorCriticPolicy" | "MaskableActorCriticPolicy" | "RecurrentActorCriticPolicy":
            arguments["net_arch"] = {
                "pi": layers("mlp_extractor.policy_net"),
                "vf": layers("mlp_extractor.value_net"),
            }
            arguments["ortho_init"] = False
            arguments["share_features_extractor"] = _is_shared(weights)
            log_std = weights.get("log_std")
            if log_std is not None and log_std.ndim == 2:
                arguments |= {"use_sde": True, "full_std": log_std.shape[1] > 1 or _num_actions(weights) == 1}
            if where.family == "RecurrentActorCriticPolicy":
                arguments |= _recurrent_arguments(file, weights)
        case "DQNPolicy":
            arguments["net_arch"] = layers("q_net.q_net")[:-1]
        case "QRDQNPolicy":
            sizes = layers("quantile_net.quantile_net")
            arguments["net_arch"] = sizes[:-1]
            arguments["n_quantiles"] = _num_quantiles(file, sizes)
        case "SACPolicy" | "TQCPolicy":
            critic = layers("critic.qf0")
            arguments["net_arch"] = {"pi": layers("actor.latent_pi"), "qf": critic[:-1]}
            arguments["n_critics"] = _num_critics(weights)
            if where.family == "TQCPolicy" and critic:
                arguments["n_quantiles"] = critic[-1]
            if "actor.log_std" in weights:
                arguments["use_sde"] = True
                if "actor.mu.weight" in weights:
                    arguments["clip_mean"] = 0.0
        case "TD3Policy":
            arguments["net_arch"] = {"pi": layers("actor.mu")[:-1], "qf": layers("critic.qf0")[:-1]}
            arguments["n_critics"] = _num_critics(weights)
        case _:
            has_bias = any(name.startswith("action_net.") and name.endswith(".bias") for name in weights)
            arguments["with_bias"] = has_bias
            if where.name == "ARSPolicy":
                arguments["net_arch"] = layers("action_net")[:-1]
    return arguments | {name: value for name, value in kept.items() if name not in arguments}


def _plain_arguments(file: Sb3File) -> dict[str, Any]:
    """Return the arguments of the policy that do not follow from the weights, after checking them."""
    entry = file.data.get("policy_kwargs") or {}
    if not isinstance(entry, dict):
        cannot(file, f"its 'policy_kwargs' are {shown(entry)}")
    arguments: dict[str, Any] = {}
    for name, value in cast(dict[str, Any], entry).items():
        if name in OF_TRAINING or name.startswith(":"):
            continue
        if name not in KEPT:
            cannot(file, f"its policy takes an argument '{on_one_line(name[:60])}', which the library's does not")
        if name == "activation_fn":
            value = _activation(file, value)
        elif name == "features_extractor_class":
            value = _extractor(file, value)
        elif not isinstance(value, dict if name.endswith("_kwargs") else bool | int | float):
            if value is None:
                continue
            cannot(file, f"the argument '{name}' of its policy is {shown(value)}")
        arguments[name] = value
    return arguments


def _activation(file: Sb3File, value: Any) -> type[nn.Module]:
    found = _NAMED_CLASS.fullmatch(str(value))
    module, _, name = found[1].rpartition(".") if found else ("", "", "")
    if module == "torch.nn.modules.activation" and name in nn.modules.activation.__all__:
        return getattr(nn, name)
    return cannot(file, f"its activation function {shown(str(value))} is none of torch.nn's")


def _extractor(file: Sb3File, value: Any) -> Any:
    found = _NAMED_CLASS.fullmatch(str(value))
    module, _, name = found[1].rpartition(".") if found else ("", "", "")
    if module == "stable_baselines3.common.torch_layers" and name in EXTRACTORS:
        return getattr(import_module(module), name)
    return cannot(file, f"its features extractor {shown(found[1] if found else str(value))} is none of the library's")


def _layer_sizes(weights: dict[str, Tensor]) -> Callable[[str], list[int]]:
    """Return a function that gives the number of outputs of each linear layer of a Sequential, by its name."""

    def sizes(prefix: str) -> list[int]:
        pattern = re.compile(re.escape(prefix) + r"\.(\d+)\.weight")
        found = [(int(match[1]), value) for name, value in weights.items() if (match := pattern.fullmatch(name))]
        return [value.shape[0] for _, value in sorted(found, key=lambda item: item[0]) if value.ndim == 2]

    return sizes


def _is_shared(weights: dict[str, Tensor]) -> bool:
    """Say whether policy and value see the same features; if their extractors are equal, it makes no difference."""
    prefix = "pi_features_extractor."
    names = [name.removeprefix(prefix) for name in weights if name.startswith(prefix)]
    pairs = [(weights[prefix + name], weights.get(f"vf_features_extractor.{name}")) for name in names]
    return all(other is not None and torch.equal(one, other) for one, other in pairs)


def _num_actions(weights: dict[str, Tensor]) -> int:
    return weights["action_net.weight"].shape[0] if "action_net.weight" in weights else 0


def _num_critics(weights: dict[str, Tensor]) -> int:
    return len({name.split(".")[1] for name in weights if name.startswith("critic.qf")})


def _num_quantiles(file: Sb3File, sizes: list[int]) -> int:
    """Return the number of quantiles: the outputs of the last layer are quantiles times actions."""
    num_actions = described_space(file.data.get("action_space")).num_choices
    if sizes and num_actions and not sizes[-1] % num_actions:
        return sizes[-1] // num_actions
    return cannot(file, "the number of its quantiles is unknown")


def _recurrent_arguments(file: Sb3File, weights: dict[str, Tensor]) -> dict[str, Any]:
    hidden = weights.get("lstm_actor.weight_hh_l0")
    if hidden is None or hidden.ndim != 2:
        cannot(file, "it has no weights of an LSTM")
    has_lstm = any(name.startswith("lstm_critic.") for name in weights)
    return {
        "lstm_hidden_size": hidden.shape[1],
        "n_lstm_layers": sum(name.startswith("lstm_actor.weight_hh_l") for name in weights),
        "enable_critic_lstm": has_lstm,
        "shared_lstm": not has_lstm and "critic.weight" not in weights,
    }


def _no_learning(progress_remaining: float) -> float:
    """Stand in for the schedule of the learning rate."""
    return 0.0
