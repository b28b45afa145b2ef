"""Makes an agent of any PyTorch module, given its forward pass, the layer to record, and how it chooses actions.

    module_agent(net, env="ALE/Breakout-v5", layer="network.3", policy_kind="categorical", act=lambda observation:
                 (net.actor(net.network(observation / 255)), net.critic(…)))

`act` gets observations as float32 tensors [B, …] (a dict of them for a Dict space) and returns the columns of the
policy that `policy_kind` says, or (columns, value). If there is an `initial_state`, it gets (observation, state,
starts) and returns (columns, value, state); value may be None. For the kind unknown it returns the actions themselves.
"""

from collections.abc import Callable
from typing import Any, cast

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semantic_rl.agents.layers import PROBED_ROWS, Layer, Tap, layers_of
from semantic_rl.agents.protocol import AgentStep, PolicyKind
from semantic_rl.agents.sampling import choices_of, choose_actions
from semantic_rl.agents.sb3 import sha256_of
from semantic_rl.agents.spaces import Spaces, spaces_of, zeros
from semantic_rl.errors import UserError


class ModuleAgent:
    """An `Agent` that runs a PyTorch module once per step. See the module's docstring for what `act` is."""

    def __init__(
        self,
        network: nn.Module,
        spaces: Spaces,
        layer: str,
        policy_kind: PolicyKind,
        act: Callable[..., Any],
        initial_state: Callable[[int], Any] | None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self._network = network.eval()
        self._act = act
        self._initial_state = initial_state
        self._has_one_state = not isinstance(initial_state(PROBED_ROWS), tuple | list) if initial_state else False
        self.observation_space, self.action_space = spaces
        self.policy_kind: PolicyKind = policy_kind
        self.algorithm = type(network).__name__
        self.notes = notes
        self.device = next((weights.device for weights in network.parameters()), torch.device("cpu"))
        self._probed: tuple[Tensor, Tensor | None, Any] | None = None
        self._tap = Tap(network, layer, self._probe)
        self.layer = layer
        self.num_features = self._tap.num_features
        self.sha256 = sha256_of(network.state_dict())
        if self._probed is not None:
            _check_columns(self._probed[0], policy_kind, self.action_space)

    def initial_state(self, num_envs: int) -> Any:
        """Return the state before the first step, as numpy arrays [B, …]; None without memory."""
        if self._initial_state is None:
            return None
        return _to_arrays(self._initial_state(num_envs))

    @torch.inference_mode()
    def act(
        self,
        observation: Any,
        state: Any,
        starts: NDArray[np.bool_],
        generator: torch.Generator,
        deterministic: bool,
    ) -> AgentStep:
        """See `Agent.act`; for the kind unknown, the module draws actions itself, with a seed from the generator."""
        if self.policy_kind == "unknown":
            seed = int(torch.randint(2**62, (1,), generator=generator, device=generator.device))
            with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
                torch.manual_seed(seed)
                columns, value, after = self._run(observation, state, starts)
            space = self.action_space
            action = columns.cpu().numpy().reshape(-1, *(space.shape or ())).astype(space.dtype or np.float32)
        else:
            columns, value, after = self._run(observation, state, starts)
            action = choose_actions(self.policy_kind, columns, self.action_space, generator, deterministic)
        return AgentStep(
            action,
            self._tap.features().cpu().numpy(),
            None if self.policy_kind == "unknown" else columns.float().cpu().numpy(),
            None if value is None else value.float().flatten().cpu().numpy(),
            _to_arrays(after),
        )

    def layers(self) -> list[Layer]:
        """Return the layers whose output can be recorded, in the order in which they run."""
        return layers_of(self._network, self._probe)

    def _run(self, observation: Any, state: Any, starts: NDArray[np.bool_]) -> tuple[Tensor, Tensor | None, Any]:
        given = to_tensors(observation, self.device)
        if self._initial_state is None:
            result = self._act(given)
        else:
            before = to_tensors(state, self.device)
            before = before[0] if self._has_one_state else before
            result = self._act(given, before, torch.as_tensor(starts, device=self.device))
        parts = cast(tuple[Any, ...], result) if isinstance(result, tuple) else (result,)
        columns, value, after = (*parts, None, None, None)[:3]
        has_state = self._initial_state is not None
        if (
            not isinstance(columns, Tensor)
            or not isinstance(value, Tensor | None)
            or len(parts) != (3 if has_state else min(len(parts), 2))
        ):
            expected = "columns or (columns, value)" if not has_state else "(columns, value, state)"
            names = ", ".join(type(part).__name__ for part in parts)
            raise UserError(f"act: returned ({names}), expected tensors {expected}; see semantic_rl.module_agent.")
        return columns.reshape(len(columns), -1), value, after

    def _probe(self) -> None:
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            observation = zeros(self.observation_space, PROBED_ROWS)
            state = self.initial_state(PROBED_ROWS)
            self._probed = self._run(observation, state, np.ones(PROBED_ROWS, np.bool_))


def module_agent(
    network: Any,
    layer: str,
    env: Any,
    policy_kind: PolicyKind | None = None,
    act: Callable[..., Any] | None = None,
    initial_state: Callable[[int], Any] | None = None,
) -> ModuleAgent:
    """Make an agent of a PyTorch module that plays `env` (an id, an environment or `Spaces`).

    `layer` is the name of the module inside it whose output is recorded. `act` is by default the network itself.
    `policy_kind` is by default categorical for discrete actions, multi_categorical for several of them; for continuous
    ones it must be given. Raises UserError if there is no such layer, or if what `act` returns does not fit.
    """
    if not isinstance(network, nn.Module):
        raise UserError(f"network: got {type(network).__name__}, expected a torch.nn.Module.")
    spaces = spaces_of(env)
    policy_kind = policy_kind or _usual_kind(spaces.action)
    return ModuleAgent(network, spaces, layer, policy_kind, act or network, initial_state)


def _usual_kind(space: gym.Space[Any]) -> PolicyKind:
    if isinstance(space, gym.spaces.Discrete):
        return "categorical"
    if isinstance(space, gym.spaces.MultiDiscrete | gym.spaces.MultiBinary):
        return "multi_categorical"
    raise UserError(
        f"policy_kind: actions {space} need one: gaussian, squashed_gaussian, beta, deterministic or unknown."
    )


def _check_columns(columns: Tensor, kind: PolicyKind, space: gym.Space[Any]) -> None:
    """Raise UserError unless the policy has as many columns as its kind and the actions need."""
    is_box = isinstance(space, gym.spaces.Box)
    if kind in ("gaussian", "squashed_gaussian", "beta") or (kind in ("deterministic", "unknown") and is_box):
        if not is_box:
            raise UserError(f"policy_kind: '{kind}' is for continuous actions, and the environment's are {space}.")
        wanted = int(np.prod(space.shape)) * (1 if kind in ("deterministic", "unknown") else 2)
    elif kind == "unknown":
        wanted = int(np.prod(space.shape or ()))
    elif is_box:
        raise UserError(f"policy_kind: '{kind}' is for discrete actions, and the environment's are {space}.")
    else:
        wanted = sum(choices_of(space))
    if columns.shape[1] != wanted:
        raise UserError(
            f"act: returned {columns.shape[1]} columns, expected {wanted} for policy_kind '{kind}' and actions {space}."
        )


def to_tensors(value: Any, device: torch.device) -> Any:
    """Return arrays as float32 tensors, in the dict or tuple that they are in; None stays None."""
    if isinstance(value, dict):
        return {name: to_tensors(part, device) for name, part in cast(dict[str, Any], value).items()}
    if isinstance(value, tuple | list):
        return tuple(to_tensors(part, device) for part in cast(tuple[Any, ...], value))
    return None if value is None else torch.as_tensor(value, dtype=torch.float32, device=device)


def _to_arrays(value: Any) -> Any:
    """Return a state of tensors or arrays [B, …] as a tuple of arrays; None stays None."""
    if value is None:
        return None
    parts = cast(tuple[Any, ...], value) if isinstance(value, tuple | list) else (value,)
    # A learned initial state is a parameter, or made of one outside of `act`.
    return tuple(part.detach().cpu().numpy() if isinstance(part, Tensor) else np.asarray(part) for part in parts)
