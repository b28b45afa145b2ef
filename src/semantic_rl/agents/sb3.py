"""Agents of Stable-Baselines3 and sb3-contrib: a model in memory, or a zip that is opened without its pickles.

What the columns of `AgentStep.policy` and `AgentStep.value` are:

    PPO, A2C, TRPO, MaskablePPO, RecurrentPPO   logits, or means and log standard deviations; predict_values
    DQN, QR-DQN                                 Q-values (of QR-DQN the mean over quantiles); the greatest of them
    SAC, TQC                                    means and log standard deviations before tanh; no value
    TD3, DDPG                                   the actor's output, −1 to 1; no value
    ARS                                         the network's output; no value

Drawn actions come from the policy's distribution; DQN and QR-DQN take a random action as often as at the end of their
training. State-dependent exploration draws its noise anew at each step. TD3, DDPG and ARS always act in the same way.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semantic_rl.agents.layers import PROBED_ROWS, Layer, Tap, layers_of
from semantic_rl.agents.protocol import FORBIDDEN_LOGIT, AgentStep, PolicyKind
from semantic_rl.agents.sampling import choices_of, choose_actions, stretch_over
from semantic_rl.agents.sb3_networks import network_of, zero_state
from semantic_rl.agents.spaces import Spaces, zeros
from semantic_rl.errors import UserError
from semantic_rl.input_places import shown_path

NEEDS_SB3 = "agents of Stable-Baselines3 need two packages that are not installed: pip install 'semantic-rl[sb3]'"


class Sb3Agent:
    """An `Agent` that runs a policy network of the library once per step."""

    def __init__(
        self,
        policy: nn.Module,
        spaces: Spaces,
        layer: str | None = None,
        *,
        algorithm: str = "",
        sha256: str = "",
        random_action_probability: float = 0.0,
        notes: tuple[str, ...] = (),
        file: Path | None = None,
        saw_normalized: bool = False,
    ) -> None:
        """Record `layer` of a policy, by default the last latent before its output; raises UserError as `Tap` does.

        `file` is the zip that it was opened from. `saw_normalized` says that the environment of its training normalises
        observations with VecNormalize.
        """
        self._policy: Any = policy.eval()
        self._network = network_of(policy)
        self._random_action_probability = random_action_probability
        self.observation_space = spaces.observation
        self.action_space = spaces.action
        self.policy_kind: PolicyKind = self._network.policy_kind
        self.takes_action_masks = self._network.takes_action_masks
        self.algorithm = algorithm
        self.notes = notes
        self.file = file
        self.saw_normalized = saw_normalized
        self.device: torch.device = self._policy.device
        self._tap = Tap(policy, layer or self._network.layer, self._probe)
        self.layer = self._tap.layer
        self.num_features = self._tap.num_features
        self.sha256 = sha256 or sha256_of(policy.state_dict())

    def initial_state(self, num_envs: int) -> tuple[NDArray[np.float32], ...] | None:
        """Return zeros for a recurrent policy, None for others."""
        if not self._network.is_recurrent:
            return None
        return tuple(part.numpy() for part in zero_state(self._policy, num_envs))

    @torch.inference_mode()
    def act(
        self,
        observation: Any,
        state: Any,
        starts: NDArray[np.bool_],
        generator: torch.Generator,
        deterministic: bool,
        action_masks: NDArray[np.bool_] | None = None,
    ) -> AgentStep:
        """See `Agent.act`; `action_masks` [B, A] of MaskablePPO say what is allowed, by default everything."""
        columns, value, after = self._run(observation, state, starts)
        if action_masks is not None:
            columns = self._masked(columns, action_masks)
        action = self._choose(columns, generator, deterministic)
        return AgentStep(
            action,
            self._tap.features().cpu().numpy(),
            columns.cpu().numpy(),
            None if value is None else value.cpu().numpy(),
            None if after is None else tuple(part.cpu().numpy() for part in after),
        )

    def layers(self) -> list[Layer]:
        """Return the layers whose output can be recorded, in the order in which they run."""
        return layers_of(self._policy, self._probe)

    def _run(self, observation: Any, state: Any, starts: NDArray[np.bool_]) -> tuple[Tensor, Any, Any]:
        tensor, _ = self._policy.obs_to_tensor(observation)
        if not self._network.is_recurrent:
            return self._network.forward(tensor, None, None)
        given = tuple(torch.as_tensor(part, device=self.device) for part in state)
        return self._network.forward(tensor, given, torch.as_tensor(starts, device=self.device).float())

    def _choose(self, columns: Tensor, generator: torch.Generator, deterministic: bool) -> NDArray[Any]:
        space = self.action_space
        if self.policy_kind == "deterministic" and self._policy.squash_output and isinstance(space, gym.spaces.Box):
            return stretch_over(space, columns)
        probability = self._random_action_probability
        return choose_actions(self.policy_kind, columns, space, generator, deterministic, probability)

    def _masked(self, columns: Tensor, action_masks: NDArray[np.bool_]) -> Tensor:
        if not self.takes_action_masks:
            raise UserError(f"action_masks: {self.algorithm or 'this agent'} takes none; only MaskablePPO does.")
        allowed = torch.as_tensor(action_masks, device=columns.device, dtype=torch.bool).reshape(len(columns), -1)
        if allowed.shape != columns.shape:
            raise UserError(
                f"action_masks: got {list(allowed.shape)}, expected {list(columns.shape)}, a mark for each of the "
                f"choices {choices_of(self.action_space)}."
            )
        return columns.masked_fill(~allowed, FORBIDDEN_LOGIT)

    def _probe(self) -> None:
        with torch.inference_mode():
            observation = zeros(self.observation_space, PROBED_ROWS)
            self._run(observation, self.initial_state(PROBED_ROWS), np.ones(PROBED_ROWS, np.bool_))


def sb3_agent(model: Any, layer: str | None = None) -> Sb3Agent:
    """Wrap a model of Stable-Baselines3 or sb3-contrib that is in memory.

    Its spaces are those of the model's environment, if the model still has one. Raises UserError if it is no such
    model, or if its policy or the layer is not known.
    """
    check_installed()
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.vec_env import VecNormalize, VecTransposeImage, unwrap_vec_wrapper

    if not isinstance(model, BaseAlgorithm):
        raise UserError(f"model: got {type(model).__name__}, expected a model of Stable-Baselines3 or sb3-contrib.")
    probability = float(getattr(model, "exploration_rate", 0.0))
    name = type(model).__name__
    env = model.get_env()
    normalizer = None if env is None else unwrap_vec_wrapper(env, VecNormalize)
    while isinstance(env, VecTransposeImage):  # the library puts it around environments whose channels come last
        env = env.venv
    spaces = Spaces((env or model).observation_space, model.action_space)
    return Sb3Agent(
        model.policy,
        spaces,
        layer,
        algorithm=name,
        random_action_probability=probability,
        saw_normalized=isinstance(normalizer, VecNormalize) and normalizer.norm_obs,
    )


def open_sb3(path: Path, spaces: Spaces | None, layer: str | None = None, trust: bool = False) -> Sb3Agent:
    """Open a zip for an environment's spaces; without them, for what the zip says of its own, to list layers only.

    With `trust` the library itself opens the zip, which runs any code in it. Raises UserError if the zip is damaged,
    does not fit the spaces, or cannot be opened without its pickles.
    """
    check_installed()
    from semantic_rl.agents.sb3_build import build_policy
    from semantic_rl.agents.sb3_policy_class import cannot
    from semantic_rl.agents.sb3_spaces import stand_in_spaces
    from semantic_rl.agents.sb3_zip import read_sb3_zip

    file = read_sb3_zip(path)
    if spaces is None:
        spaces = stand_in_spaces(file.data.get("observation_space"), file.data.get("action_space"))
        if spaces is None:
            raise UserError(
                f"{shown_path(path)}: what it sees and does is stored as Python objects, which are not opened; name "
                "the environment that it plays with --env."
            )
    if trust:
        from semantic_rl.agents.sb3_trusted import load_trusted

        model = load_trusted(file, spaces)
        policy, name = model.policy, type(model).__name__
        notes = (f"{shown_path(path)} was trusted: any code in it has run.",)
    else:
        policy, notes = build_policy(file, spaces), ()
        name = algorithm_of(file.data, policy)
    rate: Any = file.data.get("exploration_rate", 0.0)
    if not isinstance(rate, int | float) or not 0.0 <= rate <= 1.0:
        cannot(file, f"its 'exploration_rate' is {rate!r:.60}")
    return Sb3Agent(
        policy,
        spaces,
        layer,
        algorithm=name,
        sha256=file.sha256,
        random_action_probability=float(rate),
        notes=notes,
        file=path,
    )


def algorithm_of(data: Mapping[str, Any], policy: nn.Module) -> str:
    """Return the name of the algorithm that trained a policy, from its class and the names of the settings."""
    match type(policy).__module__.rpartition(".policies")[0]:
        case "stable_baselines3.common":
            return "TRPO" if "cg_max_steps" in data else "PPO" if "clip_range" in data else "A2C"
        case "stable_baselines3.td3":
            return "DDPG" if len(cast(Any, policy).critic.q_networks) == 1 else "TD3"
        case "sb3_contrib.common.maskable":
            return "MaskablePPO"
        case "sb3_contrib.common.recurrent":
            return "RecurrentPPO"
        case module:
            name = module.rpartition(".")[2].upper()
            return "QR-DQN" if name == "QRDQN" else name


def sha256_of(weights: Mapping[str, Tensor]) -> str:
    """Return a SHA-256 of weights, over their names, shapes and bytes."""
    digest = hashlib.sha256()
    for name, value in sorted(weights.items()):
        array = value.detach().cpu().contiguous()
        digest.update(f"{name} {array.dtype} {list(array.shape)}\n".encode())
        digest.update(array.flatten().view(torch.uint8).numpy().tobytes() if array.numel() else b"")
    return digest.hexdigest()


def check_installed() -> None:
    """Raise UserError, saying what to install, if the library is missing."""
    from importlib.util import find_spec

    if find_spec("stable_baselines3") is None or find_spec("sb3_contrib") is None:
        raise UserError(f"{NEEDS_SB3}.")
