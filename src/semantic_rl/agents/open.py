"""Opens an agent by what a user types: a run, a checkpoint, a shipped name, a zip, or a function in a Python file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from semantic_rl.agents.protocol import Agent
from semantic_rl.agents.spaces import spaces_of
from semantic_rl.errors import UserError
from semantic_rl.input_places import kind_of, shown_path
from semantic_rl.user_code import call_user_function, user_function

if TYPE_CHECKING:
    from semantic_rl.agents.layers import Layer

AN_AGENT = (
    "a run folder, a checkpoint folder, the name of an agent that ships with the package, a zip of Stable-Baselines3, "
    "or a function in a Python file (my_agent.py:make_agent)"
)


def open_agent(
    what: str | Path,
    env: Any = None,
    layer: str | None = None,
    trust: bool = False,
    device: str = "auto",
    precision: str = "auto",
) -> Agent:
    """Return the agent that `what` names.

    what        a run or checkpoint folder, a shipped name, a zip of Stable-Baselines3 or sb3-contrib, file.py:function
    env         the environment that it plays: a Gymnasium id, a Procgen game, file.py:function, an environment, or a
                recipe of one; agents that this package trained know their own
    layer       name of the module whose output is recorded; by default the last latent before the policy's output
    trust       let Stable-Baselines3 itself open a zip, pickled objects included: that runs any code in the file
    device, precision   for agents that this package trained; others run on the CPU in float32

    A function in a Python file is run. Raises UserError if there is no such agent, if it is damaged, if it does not fit
    the environment, or if the layer does not exist.
    """
    if (function := user_function(str(what))) is not None:
        from semantic_rl.agents.user_file import open_user_file

        return open_user_file(function, env, layer)
    path = Path(what)
    if kind_of(path, AN_AGENT) == "file":
        return _open_file(path, env, layer, trust)
    if trust:
        raise UserError(
            f"trust: {shown_path(path)} is not a zip of Stable-Baselines3; only such a file needs to be trusted."
        )
    from semantic_rl.agents.policy import open_policy

    return open_policy(path, layer, device, precision)


class AgentLayers(NamedTuple):
    """The layers of an agent, in the order in which they compute."""

    layers: "list[Layer]"
    default: str | None
    """The layer that is recorded by default; None if one must be named."""


def agent_layers(what: str | Path, env: Any = None, trust: bool = False) -> AgentLayers:
    """Return the layers of the agent that `what` names; like `open_agent`, but of a torch module no layer is needed."""
    from torch import nn

    from semantic_rl.agents.layers import list_layers
    from semantic_rl.agents.user_file import module_layers

    if (function := user_function(str(what))) is not None:
        made = call_user_function(function, {})
        if isinstance(made, nn.Module):
            return AgentLayers(module_layers(made, env), None)
    agent = open_agent(what, env, trust=trust)
    return AgentLayers(list_layers(agent), agent.layer)


def _open_file(path: Path, env: Any, layer: str | None, trust: bool) -> Agent:
    from semantic_rl.agents.sb3 import open_sb3
    from semantic_rl.agents.sb3_zip import is_zip

    if not is_zip(path):
        raise UserError(f"{shown_path(path)} is not an agent; expected {AN_AGENT}.")
    return open_sb3(path, None if env is None else spaces_of(env), layer, trust)
