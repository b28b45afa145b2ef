"""What is recorded: an agent, the environment that it plays, and what its network says about a state."""

import hashlib
from typing import Any, NamedTuple

from semantic_rl.agents.protocol import Agent
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.recording.record.envs import EnvSource
from semantic_rl.recording.store.schema import StateLayout


class Outputs(NamedTuple):
    """What an agent says about a state."""

    policy_kind: str
    policy_width: int
    """Numbers of a policy that is not categorical; 0 if it is, or if the agent does not say."""
    has_value: bool
    num_features: int
    features_type: str


class Subject(NamedTuple):
    """An agent in an environment."""

    agent: Agent
    entry: dict[str, Any]
    """What `recording.json` says of the agent."""
    source: EnvSource
    outputs: Outputs

    @property
    def policy(self) -> SemanticPolicy | None:
        """Return the network of an agent that this package trained; None for others."""
        policy = getattr(self.agent, "policy", None)
        return policy if isinstance(policy, SemanticPolicy) else None

    def layout(self) -> StateLayout:
        """Return what determines the columns of the state table."""
        spec, outputs, policy = self.source.spec, self.outputs, self.policy
        absent = {
            "level_seed": spec.level is None,
            "value": not outputs.has_value,
            "log_prob": outputs.policy_kind != "categorical",
        }
        return StateLayout(
            spec.action.num_actions,
            0 if policy is None else policy.num_codes,
            outputs.num_features,
            spec.action.width,
            outputs.policy_width,
            outputs.features_type,
            frozenset(name for name, lacks in absent.items() if lacks),
            self.source.info,
            self.source.texts,
        )


def outputs_of_policy(num_features: int) -> Outputs:
    """Return what an agent says that this package trained."""
    return Outputs("categorical", 0, True, num_features, "float16")


def weights_sha256(policy: SemanticPolicy) -> str:
    """Return a hash of the names, shapes and values of all weights, which identifies the agent of a recording."""
    digest = hashlib.sha256()
    for name, value in sorted(policy.state_dict().items()):
        digest.update(f"{name} {list(value.shape)} ".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
