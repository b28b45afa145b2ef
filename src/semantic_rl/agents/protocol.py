"""The protocol of agents: the only thing that whatever plays an agent relies on, whoever trained it.

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
deterministic        the network's output, from which the action is computed
unknown              nothing (None): the agent does not say how it chooses
"""

FORBIDDEN_LOGIT = -1e8
"""Logit of an action that a mask forbids, as in sb3-contrib; recorded in the place of −∞, too."""


class AgentStep(NamedTuple):
    """What an agent does in B states, and what its network computed on the way."""

    action: NDArray[Any]
    """[B, *action_space.shape], as the environment expects it, except that discrete actions always count from 0."""
    features: NDArray[np.float32]
    """[B, D]: the output of the recorded layer, flattened."""
    policy: NDArray[np.float32] | None
    """[B, P]: logits, Q-values, means and log standard deviations …, as the agent's `policy_kind` says. The logit of an
    action that is not allowed may be −∞."""
    value: NDArray[np.float32] | None
    """[B]: the agent's own estimate of the return; for Q-values the greatest; None if it has none."""
    state: Any
    """The recurrent state for the next step, a tuple of arrays [B, …] whose rows can be taken out; None without one."""


class Agent(Protocol):
    """An agent with frozen weights, of which one layer is recorded.

    Some agents have more, which callers may ask for with getattr: `algorithm` (a name such as PPO), `notes` (sentences
    that the user should read), `layers()` (see `agents.layers.list_layers`), `device` (where generators must lie),
    `placement()` (see `agents.policy`), and `takes_action_masks`: `act` then has a keyword `action_masks` [B, A].
    """

    observation_space: gym.Space[Any]
    action_space: gym.Space[Any]
    policy_kind: PolicyKind
    layer: str
    """Name of the recorded layer."""
    num_features: int
    sha256: str
    """Hash of the weights, or of the file that holds them."""

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

        `observation` is [B, …], or a dict of such arrays as `envs.gymnasium.observations` names them; `starts` [B]
        marks the first step of an episode, at which `state` is reset. Actions are drawn with `generator` alone; with
        `deterministic` they are the most likely.
        """
        ...
