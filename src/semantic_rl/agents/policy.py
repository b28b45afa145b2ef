"""Agents that this package trained: runs, checkpoints and those that ship with it.

`AgentStep.policy` are the logits, `AgentStep.features` the 256 features that the plane is made of. `placement` returns
where states lie in the plane that an agent with the semantic clustering module has learned.
"""

from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray

from semantic_rl.agents.layers import Layer
from semantic_rl.agents.protocol import AgentStep, PolicyKind
from semantic_rl.artifacts import POLICY_FILE
from semantic_rl.errors import UserError
from semantic_rl.models.impala import NUM_FEATURES
from semantic_rl.models.policy import OBSERVATION_SHAPE, PolicyOutput, SemanticPolicy, sample_actions
from semantic_rl.training.checkpoint import find_checkpoint, load_policy, read_state
from semantic_rl.training.device import autocast, choose_device, choose_precision

LAYER = "features"
"""The output of the trunk; with the module, the heads see it plus the index of the cluster."""


class Placement(NamedTuple):
    """Positions and clusters of B states, from the agent's own clustering module."""

    embedding: NDArray[np.float32]
    """[B, 2]"""
    code_index: NDArray[np.int64]
    """[B]"""
    code_distance: NDArray[np.float32]
    """[B, K]: distances to all codes."""


class PolicyAgent:
    """A SemanticPolicy on its device; an `Agent`."""

    policy_kind: PolicyKind = "categorical"
    layer = LAYER
    num_features = NUM_FEATURES

    def __init__(
        self,
        policy: SemanticPolicy,
        device: torch.device,
        precision: str,
        *,
        sha256: str = "",
        algorithm: str = "",
        notes: tuple[str, ...] = (),
        checkpoint: Path | None = None,
    ) -> None:
        self.checkpoint = checkpoint
        self.policy = policy.place(device).eval()
        self.device = device
        self.precision = precision
        self.sha256 = sha256
        self.algorithm = algorithm
        self.notes = notes
        self.observation_space: gym.Space[Any] = gym.spaces.Box(0, 255, OBSERVATION_SHAPE, np.uint8)
        self.action_space: gym.Space[Any] = gym.spaces.Discrete(policy.num_actions)
        self._output: PolicyOutput | None = None

    def initial_state(self, num_envs: int) -> None:
        """Return None: the network has no memory."""
        return None

    @torch.no_grad()
    def act(
        self,
        observation: NDArray[np.uint8],
        state: Any,
        starts: NDArray[np.bool_],
        generator: torch.Generator,
        deterministic: bool,
    ) -> AgentStep:
        """Map observations [B, 64, 64, 3] to actions; see `Agent.act`. The generator lies on the agent's device."""
        with autocast(self.device, self.precision):
            output: PolicyOutput = self.policy(torch.from_numpy(observation).to(self.device))
        self._output = output
        if deterministic:
            action = output.logits.argmax(1)
        else:
            action, _ = sample_actions(output.logits, generator)
        return AgentStep(
            action.cpu().numpy(),
            output.features.cpu().numpy(),
            output.logits.cpu().numpy(),
            output.value.cpu().numpy(),
            None,
        )

    @torch.no_grad()
    def placement(self) -> Placement | None:
        """Return where the states of the last `act` lie in the agent's own plane; None without the module."""
        output, semantic = self._output, self.policy.semantic
        if semantic is None or output is None or output.embedding is None or output.code_index is None:
            return None
        return Placement(
            output.embedding.cpu().numpy(),
            output.code_index.cpu().numpy(),
            semantic.code_distances(output.embedding).sqrt().cpu().numpy(),
        )

    def layers(self) -> list[Layer]:
        """Return the one layer that is recorded."""
        return [Layer(LAYER, NUM_FEATURES, (NUM_FEATURES,), type(self.policy.trunk).__name__)]


def open_policy(
    path: str | Path, layer: str | None = None, device: str = "auto", precision: str = "auto"
) -> PolicyAgent:
    """Open a run folder (its last checkpoint), a checkpoint folder or an agent that ships with the package.

    Raises UserError if there is none, if its weights are damaged, or if another layer than the features is asked for.
    """
    if layer not in (None, LAYER):
        raise UserError(
            f"layer: got '{layer}', expected '{LAYER}', the only layer of agents that this package trained."
        )
    folder = find_checkpoint(path)
    state = read_state(folder)
    chosen = choose_device(device)
    return PolicyAgent(
        load_policy(folder),
        chosen,
        choose_precision(precision, chosen),
        sha256=state["files"][POLICY_FILE],
        algorithm=str(state["config"]["algorithm"]).upper(),
        checkpoint=folder,
    )
