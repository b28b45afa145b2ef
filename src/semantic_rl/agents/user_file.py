"""Agents that a user's own code makes: `file.py:make_agent` names a function that takes nothing and returns one.

The file is run, as Python runs it.
"""

import importlib.util
import sys
import traceback
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from semantic_rl.agents.layers import PROBED_ROWS, Layer, layers_of
from semantic_rl.agents.module import module_agent, to_tensors
from semantic_rl.agents.protocol import Agent
from semantic_rl.agents.spaces import spaces_of, zeros
from semantic_rl.errors import UserError, nearest, on_one_line
from semantic_rl.input_places import kind_of, shown_path

FORM = "a Python file and a function in it, such as my_agent.py:make_agent"
OF_AN_AGENT = ("observation_space", "action_space", "policy_kind", "layer", "num_features", "sha256", "initial_state",
               "act")  # fmt: skip


class UserFunction(NamedTuple):
    """What `file.py:name` names."""

    path: Path
    name: str


def user_function(text: str) -> UserFunction | None:
    """Return what a text of the form file.py:name names; None if it has another form."""
    path, colon, name = text.rpartition(":")
    return UserFunction(Path(path), name) if colon and path.endswith(".py") and name.isidentifier() else None


def call_user_function(function: UserFunction) -> Any:
    """Run the file and return what its function returns.

    Raises UserError if there is no such file or function, or, with the line, if the user's code raises an exception.
    """
    path, name = function
    if kind_of(path, FORM) != "file":
        raise UserError(f"{shown_path(path)}: no such file; expected {FORM}.")
    module_name = f"semantic_rl_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path.resolve())
    if spec is None or spec.loader is None:
        raise UserError(f"{shown_path(path)} is no Python file; expected {FORM}.")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)  # so that it can import its neighbours
    sys.modules[module_name] = module  # dataclasses and pickles look their module up
    try:
        spec.loader.exec_module(module)
        found = getattr(module, name, None)
        if not callable(found):
            functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
            raise UserError(f"{shown_path(path)}: has no function '{name}'.{nearest(name, functions)}")
        return found()
    except UserError:
        raise
    except Exception as error:  # whatever the user's code raises
        raise UserError(f"{shown_path(path)}: {_said(error, path)}") from error
    finally:
        sys.path.remove(folder)


def _said(error: Exception, path: Path) -> str:
    """Return an exception in words, with the line of the user's file that led to it."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path.resolve())
    ]
    where = f"line {lines[-1]} raised " if lines else ""
    return on_one_line(f"{where}{type(error).__name__}: {error}")[:300]


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
    made = call_user_function(function)
    where = f"{shown_path(function.path)}:{function.name}"
    if isinstance(made, nn.Module):
        if layer is None:
            names = [found.name for found in module_layers(made, env)]
            raise UserError(
                f"{where} returns a {type(made).__name__}, of which a layer must be named, with --layer: "
                f"{', '.join(names[:20])}."
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
        raise UserError(f"layer: {where} returns an agent that looks into '{made.layer}'; choose another in the file.")
    return made
