"""The policy network: trunk, semantic clustering module, and the heads for action logits and value.

The heads see the policy features f + k/K: the index of a state's cluster over the number of clusters, added to each of
the 256 features. With `num_codes=0` the module is absent and the network is that of plain PPO.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from semantic_rl.config import SemanticConfig
from semantic_rl.envs.procgen.games import NUM_ACTIONS, OBSERVATION_SHAPE
from semantic_rl.errors import UserError
from semantic_rl.models.cpu_data_parallel import in_shares, map_shares
from semantic_rl.models.impala import NUM_FEATURES, ImpalaCNN
from semantic_rl.models.semantic import SemanticClustering
from semantic_rl.shapes import check_shapes, check_types

CPU_TRUNK_CHUNK = 128
"""Number of observations that pass through the trunk at once on a CPU: their activations stay in or near the cache."""


class PolicyOutput(NamedTuple):
    """The network's outputs for B states, float32 unless noted; the last three are None without the module."""

    logits: Tensor
    """[B, A], of the categorical policy."""
    value: Tensor
    """[B], in units of normalised reward."""
    features: Tensor
    """[B, 256], at least 0."""
    policy_features: Tensor
    """[B, 256]: the input of the two heads."""
    embedding: Tensor | None
    """[B, 2]: the position in the FDR space."""
    code_index: Tensor | None
    """[B], int64 in 0–K−1: the cluster."""
    code_vector: Tensor | None
    """[B, 2]: the cluster's code."""


class SemanticPolicy(nn.Module):
    """Actor-critic with a semantic clustering module.

    `trunk_chunk` limits how many observations pass through the trunk at once (0: all). It is meant for CPUs: smaller
    chunks keep activations in the cache, and threads share the observations (`models.cpu_data_parallel`). Both only
    change the order of summation; a forward hook on the trunk is called once per chunk. `keep_activations` is for
    learning on a GPU (`models.impala`).
    """

    def __init__(
        self,
        num_actions: int = NUM_ACTIONS,
        num_codes: int = SemanticConfig.num_codes,
        trunk_chunk: int = 0,
        keep_activations: bool = False,
    ) -> None:
        super().__init__()
        if num_actions < 1 or num_codes < 0:
            raise ValueError(
                f"SemanticPolicy: got {num_actions} actions and {num_codes} codes, expected at least 1 action and no "
                "fewer than 0 codes (0: without the semantic clustering module)."
            )
        self.num_actions = num_actions
        self.num_codes = num_codes
        self.trunk_chunk = trunk_chunk
        self.trunk = ImpalaCNN(keep_activations=keep_activations)
        self.semantic = SemanticClustering(num_codes) if num_codes else None
        self.policy_head = nn.Linear(NUM_FEATURES, num_actions)
        self.value_head = nn.Linear(NUM_FEATURES, 1)
        nn.init.orthogonal_(self.policy_head.weight, 0.01)
        nn.init.orthogonal_(self.value_head.weight, 1.0)
        nn.init.zeros_(self.policy_head.bias)
        nn.init.zeros_(self.value_head.bias)

    def place(self, device: torch.device) -> "SemanticPolicy":
        """Move to `device`, on a CPU enable chunks in the trunk, and return self."""
        self.trunk_chunk = CPU_TRUNK_CHUNK if device.type == "cpu" else 0
        return self.to(device)

    def features(self, observation: Tensor) -> Tensor:
        """Map uint8 observations [B, 64, 64, 3] to float32 features [B, 256]; raises UserError as `forward` does."""
        check_observation(observation)
        if not self.trunk_chunk:
            return self.trunk(observation).float()
        return in_shares(self.trunk, observation, self._in_chunks).float()

    def _in_chunks(self, observation: Tensor) -> Tensor:
        if len(observation) <= self.trunk_chunk:
            return self.trunk(observation)
        return torch.cat([self.trunk(part) for part in observation.split(self.trunk_chunk)])

    def forward(self, observation: Tensor) -> PolicyOutput:
        """Map uint8 observations [B, 64, 64, 3] to all outputs; raises UserError for other shapes or types."""
        check_observation(observation)
        if not self.trunk_chunk or torch.is_grad_enabled():
            return self._all_of(observation)
        shares = map_shares(self._all_of, observation)
        columns = zip(*shares, strict=True)
        return PolicyOutput(*(None if column[0] is None else torch.cat(column) for column in columns))  # pyright: ignore[reportArgumentType]

    def _all_of(self, observation: Tensor) -> PolicyOutput:
        features = self.features(observation)
        with torch.autocast(observation.device.type, enabled=False):
            if self.semantic is None:
                policy_features, semantic = features, (None, None, None)
            else:
                semantic = self.semantic(features)
                policy_features = features + (semantic.code_index / self.num_codes).unsqueeze(1)
            return PolicyOutput(
                self.policy_head(policy_features),
                self.value_head(policy_features).squeeze(1),
                features,
                policy_features,
                *semantic,
            )


def check_observation(observation: Any) -> None:
    """Raise UserError unless observations have the network's input shape and type; does not synchronise a device."""
    if not isinstance(observation, Tensor):
        kind = type(observation).__name__
        raise UserError(f"observation: got {kind}, expected a tensor; torch.from_numpy makes one of an array.")
    shape = observation.shape
    if observation.dtype != torch.uint8 or len(shape) != 4 or shape[1:] != OBSERVATION_SHAPE or not shape[0]:
        raise UserError(
            f"observation: got {str(observation.dtype).removeprefix('torch.')} {list(shape)}, expected uint8 "
            "[B, 64, 64, 3] with B of at least 1: frames of 64×64 pixels as the game gives them, 0 to 255, channels "
            "last."
        )


def sample_actions(logits: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw actions [B] from logits [B, A]; return them with their log-probabilities [B]."""
    return choose_actions(logits, torch.rand(logits.shape, generator=generator, device=logits.device))


def choose_actions(logits: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
    """Sample actions [B] from logits [B, A] by the Gumbel-max trick, given uniform numbers [B, A] in [0, 1).

    Returns the actions with their log-probabilities [B].
    """
    check_shapes("choose_actions", logits=(logits, "B A"), uniform=(uniform, "B A"))
    # Clamping to the smallest positive float avoids log(0): rand returns 0 once in 2^24 draws.
    gumbel = -torch.log(-torch.log(uniform.clamp_min(torch.finfo(uniform.dtype).tiny)))
    actions = (logits + gumbel).argmax(1)
    return actions, log_prob_of(logits, actions)


def log_prob_of(logits: Tensor, actions: Tensor) -> Tensor:
    """Return the log-probabilities [B] of actions [B], int64, under logits [B, A]."""
    check_shapes("log_prob_of", logits=(logits, "B A"), actions=(actions, "B"))
    check_types("log_prob_of", {"logits": logits}, {"actions": actions})
    return logits.log_softmax(1).gather(1, actions.unsqueeze(1)).squeeze(1)
