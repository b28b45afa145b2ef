"""What everything that plays an agent asks of it, whoever trained it.

Axes: B environments that play side by side, D features, P columns of the policy.
"""

from typing import Any, Literal, NamedTuple, Protocol

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray

PolicyKind = Literal[
    "categorical",
    "multi_categorical",
    "gaussian",
    "squashed_gaussian",
    "beta",
    "q_values",
    "deterministic",
    "unknown",
]
"""What the columns of `AgentStep.policy` are; A is the number of actions or of their dimensions.

categorical          [A] logits of one choice
multi_categorical    [sum of the choices] logits of several choices, one after the other; a binary action is a choice of
                     two, off and on
gaussian             [2 A] means, then logarithms of the standard deviations; actions are clipped to their space
squashed_gaussian    [2 A] the same, before tanh, whose −1 to 1 is stretched over the space
beta                 [2 A] alphas, then betas, of actions whose 0 to 1 is stretched over the space
q_values             [A] estimated returns
deterministic        what the network puts out, of which the action is made
unknown              nothing (None): the agent does not say how it chooses
"""


class AgentStep(NamedTuple):
    """What an agent does in B states, and what its network computed on the way."""

    action: NDArray[Any]
    """[B, *action_space.shape], as the environment wants it, but discrete ones are counted from 0 in any space."""
    features: NDArray[np.float32]
    """[B, D]: the output of the layer that is looked into, flattened."""
    policy: NDArray[np.float32] | None
    """[B, P]: logits, Q-values, means and log standard deviations …, as the agent's `policy_kind` says."""
    value: NDArray[np.float32] | None
    """[B]: the agent's own estimate of the return; for Q-values the greatest; None if it has none."""
    state: Any
    """Carried to the next step: None unless recurrent, else a tuple of arrays [B, …], so that rows can be taken out."""


class Agent(Protocol):
    """An agent with frozen weights and one layer that is looked into.

    Some agents have more, which callers may ask for with getattr: `algorithm` (a name such as PPO), `notes` (sentences
    that the user should read), `layers()` (see `agents.layers.list_layers`), `device` (where generators must lie),
    `placement()` (see `agents.policy`), and `takes_action_masks`: `act` then has a keyword `action_masks` [B, A].
    """

    observation_space: gym.Space[Any]
    action_space: gym.Space[Any]
    policy_kind: PolicyKind
    layer: str
    """Name of the layer that is looked into."""
    num_features: int
    sha256: str
    """Of the weights, or of the file that holds them."""

    def initial_state(self, num_envs: int) -> Any:
        """Return the state before the first step of `num_envs` episodes."""
        ...

    def act(
        self,
        observation: Any,
        state: Any,
        starts: NDArray[np.bool_],
        generator: torch.Generator,
        deterministic: bool,
    ) -> AgentStep:
        """Choose actions in B states.

        `observation` is [B, …], or a dict of such arrays as `envs.gymnasium.observations` names them; `starts` [B] says
        where an episode begins, before which `state` is forgotten. Actions are drawn with `generator` alone; with
        `deterministic` they are the most likely.
        """
        ...
