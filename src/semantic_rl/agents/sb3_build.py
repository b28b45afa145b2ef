"""Makes the policy network of a Stable-Baselines3 zip again, without opening the pickles in it.

The class comes from the names that stand beside the pickled one, the sizes of the layers from the shapes of the
weights, the spaces from the environment. What only matters for training (optimiser, schedules) is left out.
"""

import re
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, NamedTuple, NoReturn, cast

import gymnasium as gym
import torch
from torch import Tensor, nn

from semantic_rl.agents.sb3_spaces import described_space, in_words, policy_spaces
from semantic_rl.agents.sb3_zip import Sb3File
from semantic_rl.agents.spaces import Spaces
from semantic_rl.errors import UserError, on_one_line
from semantic_rl.input_places import shown_path
from semantic_rl.json_files import shown

CLASSES: dict[str, tuple[str, ...]] = {
    "stable_baselines3.common.policies": (
        "ActorCriticPolicy", "ActorCriticCnnPolicy", "MultiInputActorCriticPolicy",
    ),
    "stable_baselines3.dqn.policies": ("DQNPolicy", "CnnPolicy", "MultiInputPolicy"),
    "stable_baselines3.sac.policies": ("SACPolicy", "CnnPolicy", "MultiInputPolicy"),
    "stable_baselines3.td3.policies": ("TD3Policy", "CnnPolicy", "MultiInputPolicy"),
    "sb3_contrib.ars.policies": ("ARSPolicy", "ARSLinearPolicy"),
    "sb3_contrib.common.maskable.policies": (
        "MaskableActorCriticPolicy", "MaskableActorCriticCnnPolicy", "MaskableMultiInputActorCriticPolicy",
    ),
    "sb3_contrib.common.recurrent.policies": (
        "RecurrentActorCriticPolicy", "RecurrentActorCriticCnnPolicy", "RecurrentMultiInputActorCriticPolicy",
    ),
    "sb3_contrib.qrdqn.policies": ("QRDQNPolicy", "CnnPolicy", "MultiInputPolicy"),
    "sb3_contrib.tqc.policies": ("TQCPolicy", "CnnPolicy", "MultiInputPolicy"),
}  # fmt: skip
"""Policy classes that can be made again, by module."""
EXTRACTORS = ("FlattenExtractor", "NatureCNN", "CombinedExtractor")
OF_TRAINING = ("net_arch", "ortho_init", "log_std_init", "optimizer_class", "optimizer_kwargs", "device", "n_critics",
               "n_quantiles", "lstm_hidden_size", "n_lstm_layers", "shared_lstm", "enable_critic_lstm",
               "share_features_extractor", "use_sde", "full_std")  # fmt: skip
"""Arguments of a policy that the weights say, or that only training needs."""
KEPT = ("activation_fn", "use_expln", "clip_mean", "squash_output", "normalize_images", "features_extractor_class",
        "features_extractor_kwargs", "with_bias", "lstm_kwargs")  # fmt: skip
_NAMED_CLASS = re.compile(r"<class '([\w.]+)'>")
_METHOD = re.compile(r"<function ([\w.<>]+)\.[\w<>]+ at 0x")


class PolicyClass(NamedTuple):
    """A policy class of the library, by where it is."""

    module: str
    name: str

    @property
    def family(self) -> str:
        """Return the class that the ones for images and for dictionaries derive from."""
        return CLASSES[self.module][0]


def policy_class_of(file: Sb3File) -> PolicyClass:
    """Return the policy class of a zip; raises UserError, with its name, if it is none of the library's."""
    entry = file.data.get("policy_class")
    described = cast(dict[str, Any], entry) if isinstance(entry, dict) else {}
    module = described.get("__module__")
    methods = (_METHOD.match(str(described.get(key, ""))) for key in ("__init__", "_build", "forward", *described))
    name = next((match[1] for match in methods if match), "")
    if module not in CLASSES or name not in CLASSES[module]:
        known = f"{module}.{name}" if name else str(module)
        cannot(file, f"its policy class '{on_one_line(known[:100])}' is none of the library's")
    return PolicyClass(module, name)


def cannot(file: Sb3File, reason: str) -> NoReturn:
    """Raise UserError: the policy cannot be made again without opening the pickles."""
    raise UserError(
        f"{shown_path(file.path)}: {reason}, so it cannot be made again without the Python objects that are pickled in "
        "the file; if you trust whoever wrote it, --trust opens it as Stable-Baselines3 itself does, which runs any "
        "code that the file holds."
    )


def build_policy(file: Sb3File, spaces: Spaces) -> nn.Module:
    """Return the policy of a zip with its weights, in eval mode, on the CPU, for an environment's spaces.

    Raises UserError if its class or a part of it is not the library's, or if the spaces do not fit.
    """
    where = policy_class_of(file)
    wanted = policy_spaces(spaces)
    weights = complete_names(file.weights)
    arguments = _arguments(file, weights, where)
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


def _arguments(file: Sb3File, weights: dict[str, Tensor], where: PolicyClass) -> dict[str, Any]:
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
    """Return those of the policy's arguments that the weights do not say, checked."""
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
