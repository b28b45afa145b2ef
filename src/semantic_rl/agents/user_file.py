"""Agents that a user's own code makes: `file.py:make_agent` names a function that takes nothing and returns one."""

from typing import Any

import torch
from torch import nn

from semantic_rl.agents.layers import PROBED_ROWS, Layer, layers_of
from semantic_rl.agents.module import module_agent, to_tensors
from semantic_rl.agents.protocol import Agent
from semantic_rl.agents.spaces import spaces_of, zeros
from semantic_rl.errors import UserError
from semantic_rl.input_places import shown_path
from semantic_rl.user_code import UserFunction, call_user_function

OF_AN_AGENT = ("observation_space", "action_space", "policy_kind", "layer", "num_features", "sha256", "initial_state",
               "act")  # fmt: skip


def module_layers(network: nn.Module, env: Any) -> list[Layer]:
    """Return the layers that a network runs through for an environment's observations; raises UserError without one."""
    spaces = spaces_of(_known(env, network))
    observation = to_tensors(zeros(spaces.observation, PROBED_ROWS), torch.device("cpu"))
    return layers_of(network.eval(), lambda: network(observation))


def _known(env: Any, network: nn.Module) -> Any:
    if env is None:
        raise UserError(f"a {type(network).__name__} does not say what it plays; name the environment with --env.")
    return env


def open_user_file(function: UserFunction, env: Any, layer: str | None) -> Agent:
    """Run a user's function; return its Agent, or make one of its model of Stable-Baselines3 or of its torch module.

    Raises UserError if it returns something else, or if a module comes without a layer or an environment.
    """
    made = call_user_function(function, {})
    where = f"{shown_path(function.path)}:{function.name}"
    if isinstance(made, nn.Module):
        if layer is None:
            names = [found.name for found in module_layers(made, env)]
            raise UserError(
                f"{where} returns a {type(made).__name__} without the name of a layer; name one with --layer "
                f"({', '.join(names[:20])}), or return semantic_rl.module_agent(network, layer, env)."
            )
        return module_agent(made, layer, _known(env, made))
    if type(made).__module__.startswith(("stable_baselines3.", "sb3_contrib.")):
        from semantic_rl.agents.sb3 import sb3_agent

        return sb3_agent(made, layer)
    missing = [name for name in OF_AN_AGENT if not hasattr(made, name)]
    if missing:
        raise UserError(
            f"{where} returns a {type(made).__name__} without '{missing[0]}'; expected an Agent (see "
            "semantic_rl.agents.protocol), a torch.nn.Module or a model of Stable-Baselines3."
        )
    if layer is not None and layer != made.layer:
        raise UserError(
            f"layer: {where} returns an agent that records '{made.layer}'; choose another layer in the file."
        )
    return made
