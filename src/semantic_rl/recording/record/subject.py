"""What is recorded: an agent, the environment that it plays, and what its network says about a state."""

import hashlib
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from semantic_rl.agents.protocol import Agent
from semantic_rl.envs.spec import EnvSpec
from semantic_rl.errors import UserError, on_one_line
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.recording.record.envs import EnvSource, SeededEnv
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


def probe_in(env: SeededEnv, agent: Agent, spec: EnvSpec, seed: int) -> Outputs:
    """Let an agent act once in an environment, which begins an episode; otherwise like `probe`."""
    env.begin(seed)
    env.observe()
    return probe(agent, spec, env.agent_observation(), seed, env.action_masks() if env.has_action_masks else None)


def probe(agent: Agent, spec: EnvSpec, observation: Any, seed: int, masks: NDArray[np.bool_] | None = None) -> Outputs:
    """Let an agent act once, and return what it says; `observation` is [1, …].

    Raises UserError if its actions do not fit the environment, or if its features are not finite.
    """
    generator = torch.Generator(getattr(agent, "device", "cpu")).manual_seed(seed)
    more: dict[str, Any] = {}
    if getattr(agent, "takes_action_masks", False) and masks is not None:
        more["action_masks"] = masks
    try:
        step = agent.act(observation, agent.initial_state(1), np.ones(1, np.bool_), generator, True, **more)
    except UserError:
        raise
    except Exception as error:  # networks raise all kinds of errors for inputs of a wrong shape
        raise UserError(
            f"agent: fails on the first observation of {spec.id} ({on_one_line(str(error))[:200]}"
            "); give the environment that it was trained on, with --env, and its wrappers, with --wrap."
        ) from error
    width = int(np.prod(np.shape(step.action)[1:]))
    if len(step.action) != 1 or width != max(1, spec.action.width):
        raise UserError(
            f"agent: its actions have the shape {np.shape(step.action)[1:]}, which does not fit {spec.id}: its actions "
            f"are {spec.action.kind.replace('_', ' ')} of sizes {spec.action.sizes}; give the environment that it was "
            "trained on."
        )
    if step.features.ndim != 2 or not step.features.shape[1]:
        raise UserError(f"layer: '{agent.layer}' gives the shape {step.features.shape}, expected [1, numbers].")
    if not np.isfinite(step.features).all():
        raise UserError(f"layer: the output of '{agent.layer}' is not finite in the first state; choose another layer.")
    policy_width = 0 if step.policy is None or agent.policy_kind == "categorical" else step.policy.shape[1]
    kind = agent.policy_kind if step.policy is not None else "unknown"
    return Outputs(kind, policy_width, step.value is not None, step.features.shape[1], "float32")


def weights_sha256(policy: SemanticPolicy) -> str:
    """Return a hash of the names, shapes and values of all weights, which identifies the agent of a recording."""
    digest = hashlib.sha256()
    for name, value in sorted(policy.state_dict().items()):
        digest.update(f"{name} {list(value.shape)} ".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
